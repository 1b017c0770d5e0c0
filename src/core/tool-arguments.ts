import { AppError } from "./errors.ts";
import { isJsonObject, parseJson, type Json, type JsonObject } from "./json.ts";
import { closest } from "./suggest.ts";
import { oneLine, quotedName } from "./terminal-text.ts";

/** How many parts of a foreign schema are looked at to type one argument; the rest says nothing. */
const mostParts = 1_000;

/**
 * `key=value` pairs as JSON, each typed by its property in the tool's schema: numbers, booleans and null
 * as such, arrays and objects read as JSON, a string as it is. Where the schema also allows a string, only
 * what reads back the same is taken as something else (`5` is a number, `007` stays text). A key the
 * schema does not know stays a string unless the schema forbids others.
 * @throws AppError `usage`, naming the argument and what was expected; the value is never repeated
 */
export function typeArguments(
  inputSchema: JsonObject,
  untyped: Readonly<Record<string, string>>,
): JsonObject {
  const properties = propertiesOf(inputSchema);
  return Object.fromEntries(
    Object.entries(untyped).map(([key, text]) => {
      if (Object.hasOwn(properties, key)) {
        return [key, typeText(key, text, properties[key], inputSchema)];
      }
      const others = inputSchema["additionalProperties"];
      if (others === false) throw unknownArgument(key, Object.keys(properties));
      return [key, typeText(key, text, others, inputSchema)];
    }),
  );
}

/**
 * Piped text as the one required string argument that is missing.
 * @throws AppError `usage` when there is not exactly one
 */
export function fillMissingText(
  inputSchema: JsonObject,
  args: JsonObject,
  text: string,
): JsonObject {
  const properties = propertiesOf(inputSchema);
  const missing = requiredOf(inputSchema).filter(
    (key) =>
      !Object.hasOwn(args, key) &&
      shapeOf(Object.hasOwn(properties, key) ? properties[key] : undefined, inputSchema).types.has(
        "string",
      ),
  );
  const [only, ...others] = missing;
  if (only === undefined) {
    throw new AppError("usage", "The piped text fills no argument: no required string is missing", {
      hint: "Pipe a JSON object, or give the arguments as key=value",
    });
  }
  if (others.length > 0) {
    throw new AppError(
      "usage",
      `The piped text could be any of ${missing.map((key) => quotedName(key)).join(", ")}: more than one is missing`,
      { hint: "Give all but one of them as key=value" },
    );
  }
  return { ...args, [only]: text };
}

/** The property names a schema requires, as far as it says so in a readable way. */
export function requiredOf(inputSchema: JsonObject): string[] {
  const required = inputSchema["required"];
  return Array.isArray(required) ? required.filter((key) => typeof key === "string") : [];
}

/** The schemas of a tool's parameters; empty when the schema has none. */
export function propertiesOf(inputSchema: JsonObject): JsonObject {
  const properties = inputSchema["properties"];
  return isJsonObject(properties) ? properties : {};
}

/**
 * What a caller may have misspelt: arguments that the schema allows, but only because it does not forbid what
 * it does not name. One sentence each; nothing where the schema means to take more than it names.
 */
export function misspeltArguments(inputSchema: JsonObject, args: JsonObject): string[] {
  const open = ["additionalProperties", "patternProperties", "unevaluatedProperties"];
  const composed = ["$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"];
  if ([...open, ...composed].some((key) => Object.hasOwn(inputSchema, key))) return [];
  const properties = propertiesOf(inputSchema);
  const known = Object.keys(properties);
  if (known.length === 0) return [];
  return Object.keys(args)
    .filter((key) => !Object.hasOwn(properties, key))
    .map((key) => {
      const meant = closest(key, known);
      const hint = meant === undefined ? "" : `; did you mean ${quotedName(meant)}?`;
      return `The tool names no argument ${quotedName(key)}${hint}`;
    });
}

/** An unknown argument's message, with what it may have been. */
function unknownArgument(key: string, known: readonly string[]): AppError {
  const meant = closest(key, known);
  return new AppError("usage", `Unknown argument ${quotedName(key)}`, {
    hint:
      meant === undefined
        ? known.length === 0
          ? "The tool takes no arguments"
          : oneLine(`The tool takes ${known.join(", ")}`)
        : `Did you mean ${quotedName(meant)}?`,
  });
}

type TypeName = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

/** What a value may be: the types, and the fixed values where the schema has an `enum` or `const`. */
interface Shape {
  types: Set<TypeName>;
  values: Json[] | undefined;
}

function typeText(key: string, text: string, schema: Json | undefined, root: JsonObject): Json {
  const { types, values } = shapeOf(schema, root);
  if (values !== undefined) {
    const value = values.find((fixed) =>
      typeof fixed === "string" ? fixed === text : JSON.stringify(fixed) === text,
    );
    if (value !== undefined) return value;
    if (types.size === 0) {
      const choices = values.map((fixed) => JSON.stringify(fixed)).join(", ");
      throw wrongArgument(key, `one of ${choices}`);
    }
  }
  if (types.size === 0) return text;
  if (types.has("string")) return typeBesideString(text, types);
  for (const type of types) {
    const value = kinds[type].read(text);
    if (value !== undefined) return value;
  }
  throw wrongArgument(key, [...types].map((type) => kinds[type].noun).join(" or "));
}

/** A string is always right there, so another type only wins when it loses nothing. */
function typeBesideString(text: string, types: Set<TypeName>): Json {
  for (const type of ["null", "boolean", "integer", "number"] as const) {
    if (!types.has(type)) continue;
    const value = kinds[type].read(text);
    if (value !== undefined && JSON.stringify(value) === text) return value;
  }
  return text;
}

/** How text becomes a value of each JSON Schema type, and what people are told was expected. */
const kinds: Record<TypeName, { noun: string; read: (text: string) => Json | undefined }> = {
  null: { noun: "null", read: (text) => (text === "null" ? null : undefined) },
  boolean: { noun: "true or false", read: readBoolean },
  integer: { noun: "a whole number", read: readInteger },
  number: { noun: "a number", read: readNumber },
  string: { noun: "text", read: (text) => text },
  array: { noun: "a JSON array", read: (text) => readJson(text, Array.isArray) },
  object: { noun: "a JSON object", read: (text) => readJson(text, isJsonObject) },
};

function isTypeName(name: Json): name is TypeName {
  return typeof name === "string" && Object.hasOwn(kinds, name);
}

function readBoolean(text: string): boolean | undefined {
  if (text === "true") return true;
  return text === "false" ? false : undefined;
}

function readInteger(text: string): number | undefined {
  const value = readNumber(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

function readNumber(text: string): number | undefined {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/u.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function readJson(text: string, fits: (value: unknown) => boolean): Json | undefined {
  try {
    const value = parseJson(text);
    return fits(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What a schema allows, with all it refers to; alternatives (`anyOf`, `oneOf`) add up, and so do the parts of
 * `allOf`. Each part adds the same wherever it is met, so it is looked at once: no reference can make this long.
 */
function shapeOf(schema: Json | undefined, root: JsonObject): Shape {
  const shape: Shape = { types: new Set(), values: undefined };
  const seen = new Set<JsonObject>();
  const left = [schema];
  while (left.length > 0 && seen.size < mostParts) {
    const part = left.pop();
    if (!isJsonObject(part) || seen.has(part)) continue;
    seen.add(part);
    addToShape(part, shape);
    // The last one is looked at next, and the first type found is tried first.
    const inner = ["anyOf", "oneOf", "allOf"].flatMap((combinator) => part[combinator] ?? []);
    const reference = part["$ref"];
    if (typeof reference === "string") inner.unshift(resolvePointer(reference, root) ?? null);
    for (const next of inner.toReversed()) left.push(next);
  }
  return shape;
}

/** Adds what one part says by itself. */
function addToShape(schema: JsonObject, shape: Shape): void {
  const { type, enum: fixed } = schema;
  if (Array.isArray(fixed)) {
    shape.values = [...(shape.values ?? []), ...fixed];
  } else if (Object.hasOwn(schema, "const")) {
    (shape.values ??= []).push(schema["const"] ?? null);
  } else if (type !== undefined) {
    for (const name of Array.isArray(type) ? type : [type]) {
      if (isTypeName(name)) shape.types.add(name);
    }
  } else if (isJsonObject(schema["properties"])) {
    shape.types.add("object");
  } else if (schema["items"] !== undefined) {
    shape.types.add("array");
  }
}

/** A `$ref` inside the same schema (RFC 6901 in a URI fragment); anything else resolves to nothing. */
function resolvePointer(reference: string, root: JsonObject): Json | undefined {
  if (reference === "#") return root;
  if (!reference.startsWith("#/")) return undefined;
  let at: Json | undefined = root;
  for (const token of reference.slice(2).split("/")) {
    if (!isJsonObject(at)) return undefined;
    const key = unescapeToken(token);
    at = Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return at;
}

function unescapeToken(token: string): string {
  const unescaped = token.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return decodeURIComponent(unescaped);
  } catch {
    return unescaped;
  }
}

function wrongArgument(key: string, expected: string): AppError {
  return new AppError("usage", oneLine(`Argument ${quotedName(key)} must be ${expected}`));
}
