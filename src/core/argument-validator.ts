import { Ajv, type ErrorObject, type Options, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { boundedCheck } from "./check-cost.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import { oneLine, quotedName } from "./terminal-text.ts";
import { closest } from "./suggest.ts";
import { propertiesOf, requiredOf } from "./tool-arguments.ts";

/** Says for arguments what is wrong with them: one line each, naming the argument and what was expected. */
export type ArgumentCheck = (args: JsonObject) => string[];

const options: Options = {
  // Schemas are foreign: an unknown keyword or format is no reason to refuse a call.
  strict: false,
  validateFormats: false,
  validateSchema: false,
  logger: false,
  // What is referred to a thousand times is still compiled once.
  inlineRefs: false,
  // A foreign regular expression could hold up the whole event loop, so none is ever run: `pattern` is
  // left to the server, and `patternProperties` only exempts names from `additionalProperties`.
  code: { regExp: Object.assign(() => ({ test: () => true }), { code: "neverRun" }) },
};

/** Made for the first schema: that takes longer than to compile one, and most runs of the program compile none. */
const made: { modern?: Ajv; draft07?: Ajv } = {};

function leavePatterns(ajv: Ajv): Ajv {
  return ajv.removeKeyword("pattern").removeKeyword("patternProperties");
}

/**
 * Compiles a tool's input schema: JSON Schema 2020-12, which MCP takes when none is named, or draft-07,
 * which many servers still write. Costly; the caller keeps the result. A schema that cannot be compiled
 * or followed, or would cost too much, checks nothing: the server itself is the judge then.
 */
export function compileArgumentCheck(inputSchema: JsonObject): ArgumentCheck {
  const { $schema: _dialect, ...schema } = inputSchema;
  const affordable = boundedCheck(schema);
  const validate = affordable && compile(schema, inputSchema["$schema"]);
  if (validate === undefined) return () => [];
  return (args) => {
    try {
      if (!affordable?.(args) || validate(args)) return [];
    } catch {
      // A schema that refers to itself without end overflows the stack here.
      return [];
    }
    const properties = propertiesOf(inputSchema);
    const missing = requiredOf(inputSchema).filter((key) => !Object.hasOwn(args, key));
    const problems = missing.map(
      (key) => `Argument ${quotedName(key)} is missing${expectation(properties[key])}`,
    );
    const error = validate.errors?.[0];
    if (error !== undefined && !(error.keyword === "required" && error.instancePath === "")) {
      problems.push(describe(error, Object.keys(properties)));
    }
    return problems;
  };
}

function compile(schema: JsonObject, dialect: Json | undefined): ValidateFunction | undefined {
  const ajv =
    typeof dialect === "string" && /draft-0[4-7]/u.test(dialect)
      ? (made.draft07 ??= leavePatterns(new Ajv(options)))
      : (made.modern ??= leavePatterns(new Ajv2020(options)));
  try {
    const validate = ajv.compile(schema);
    // `$async` schemas answer with a promise, which would pass as true.
    return "$async" in schema ? undefined : validate;
  } catch {
    return undefined;
  } finally {
    // ajv would keep every schema there ever was, and refuse the next one with the same `$id`.
    ajv.removeSchema(schema);
  }
}

/** ajv stops at its first error: a huge, wrong value must not become a huge list. */
function describe(error: ErrorObject, known: readonly string[]): string {
  const at = error.instancePath === "" ? undefined : pathOf(error.instancePath);
  const where = at === undefined ? "The arguments" : `Argument ${quotedName(at)}`;
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case "additionalProperties":
    case "unevaluatedProperties": {
      const name = String(params["additionalProperty"] ?? params["unevaluatedProperty"]);
      const meant = at === undefined ? closest(name, known) : undefined;
      const hint = meant === undefined ? "" : `; did you mean ${quotedName(meant)}?`;
      return `Unknown argument ${quotedName(at === undefined ? name : `${at}.${name}`)}${hint}`;
    }
    case "required":
      return `Argument ${quotedName(`${at}.${String(params["missingProperty"])}`)} is missing`;
    case "enum": {
      const allowed = Array.isArray(params["allowedValues"]) ? params["allowedValues"] : [];
      return oneLine(
        `${where} must be one of ${allowed.map((value) => JSON.stringify(value)).join(", ")}`,
      );
    }
    case "const":
      return oneLine(`${where} must be ${JSON.stringify(params["allowedValue"])}`);
    case "type":
      return `${where} must be ${typeNames(params["type"])}`;
    default:
      return oneLine(`${where} ${error.message ?? "does not fit the tool's schema"}`);
  }
}

/** `/items/0/name` (RFC 6901) as people write it: `items[0].name`. */
function pathOf(pointer: string): string {
  return pointer
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce((path, token) => {
      if (path === "") return token;
      return /^\d+$/u.test(token) ? `${path}[${token}]` : `${path}.${token}`;
    }, "");
}

function expectation(schema: unknown): string {
  if (!isJsonObject(schema)) return "";
  const values = schema["enum"];
  if (Array.isArray(values)) {
    return oneLine(`: expected one of ${values.map((value) => JSON.stringify(value)).join(", ")}`);
  }
  const type = schema["type"];
  return type === undefined ? "" : `: expected ${typeNames(type)}`;
}

function typeNames(type: unknown): string {
  const names = Array.isArray(type) ? type : [type];
  return oneLine(names.map(String).join(" or "), 100);
}
