import { isJsonObject } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/json.ts";

/** Schemas are foreign: so many of them make one type, so deep within each other. What is beyond is `unknown`. */
const maxSchemas = 3000;
const maxDepth = 24;
/** Of an enumeration, a tuple or a description no more than this is shown. */
const maxChoices = 100;
const maxDescription = 2000;

/**
 * Makes TypeScript types of a JSON Schema (any draft, OpenAPI's `nullable` too). What is not understood is `unknown`;
 * what a type cannot say (formats, bounds, defaults) stands in comments.
 */
export function typeOfSchema(schema: Json, indent = ""): string {
  return createWriter(schema).write(schema, indent);
}

/** Texts as one comment above what they are about, with its line end; nothing where there is no text. */
export function describe(text: readonly string[], indent: string): string {
  const lines = text.flatMap((part) =>
    part
      .slice(0, maxDescription)
      // A comment ends where it is said to end, not where somebody else says so.
      .replaceAll("*/", "*\\/")
      .split(/\r\n|[\n\r\u2028\u2029]/u)
      .map((line) => line.trimEnd()),
  );
  while (lines[0] === "") lines.shift();
  while (lines.at(-1) === "") lines.pop();
  if (lines.length === 0) return "";
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return [
    `${indent}/**`,
    ...lines.map((line) => `${indent} * ${line}`.trimEnd()),
    `${indent} */`,
    "",
  ].join("\n");
}

/** A name as a key of a type: quoted where it is no identifier. */
export function keyOf(name: string): string {
  // `new(…)` would be a constructor.
  return /^[A-Za-z_$][\w$]*$/u.test(name) && name !== "new" ? name : JSON.stringify(name);
}

interface Writer {
  write(schema: Json | undefined, indent: string): string;
}

function createWriter(root: Json): Writer {
  let left = maxSchemas;
  let depth = 0;
  const open: string[] = [];

  function write(schema: Json | undefined, indent: string): string {
    if (schema === false) return "never";
    if (!isJsonObject(schema)) return "unknown";
    left -= 1;
    if (left < 0 || depth >= maxDepth) return "unknown";
    depth += 1;
    try {
      const type = intersection(partsOf(schema, indent));
      return schema["nullable"] === true && type !== "unknown" ? union([type, "null"]) : type;
    } finally {
      depth -= 1;
    }
  }

  /** What all holds of a value. */
  function partsOf(schema: JsonObject, indent: string): string[] {
    const parts: string[] = [];
    const { $ref: ref, allOf } = schema;
    if (typeof ref === "string") parts.push(referred(ref, indent));
    if (Object.hasOwn(schema, "const")) parts.push(literal(schema["const"]));
    else if (Array.isArray(schema["enum"])) parts.push(choices(schema["enum"]));
    else parts.push(plain(schema, indent));
    if (Array.isArray(allOf)) parts.push(...bounded(allOf).map((one) => write(one, indent)));
    for (const branches of [schema["anyOf"], schema["oneOf"]]) {
      if (Array.isArray(branches) && branches.length > 0) {
        parts.push(union(bounded(branches).map((one) => write(one, indent))));
      }
    }
    // An object of which nothing is said adds nothing to what is said beside it.
    const told = parts.filter((part) => part !== "unknown" && part !== anyObject);
    return told.length > 0 ? told : parts;
  }

  function referred(ref: string, indent: string): string {
    const target = ref.startsWith("#") ? at(root, ref.slice(1)) : undefined;
    if (target === undefined) return "unknown";
    if (open.includes(ref)) return `unknown /* ${inComment(ref)} again */`;
    open.push(ref);
    const type = write(target, indent);
    open.pop();
    return type;
  }

  function plain(schema: JsonObject, indent: string): string {
    const { type } = schema;
    const names = Array.isArray(type) ? bounded(type) : [type ?? guessed(schema)];
    return union(names.map((name) => named(name, schema, indent)));
  }

  function named(name: Json | undefined, schema: JsonObject, indent: string): string {
    if (name === "integer") return "number";
    if (name === "array") return array(schema, indent);
    if (name === "object") return object(schema, indent);
    return typeof name === "string" && /^(?:string|number|boolean|null)$/u.test(name)
      ? name
      : "unknown";
  }

  function array(schema: JsonObject, indent: string): string {
    const { prefixItems, items, additionalItems, minItems } = schema;
    const tuple = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : [];
    const rest = Array.isArray(items) ? additionalItems : items;
    if (tuple.length === 0) return `Array<${write(rest, indent)}>`;
    const least = typeof minItems === "number" ? minItems : tuple.length;
    const elements = bounded(tuple).map((one, index) => {
      const element = write(one, indent);
      return index < least ? element : `(${element})?`;
    });
    const more = rest === false ? [] : [`...Array<${write(rest, indent)}>`];
    return `[${[...elements, ...more].join(", ")}]`;
  }

  function object(schema: JsonObject, indent: string): string {
    const { properties, additionalProperties, required } = schema;
    const names = isJsonObject(properties) ? Object.entries(properties) : [];
    const needed: readonly Json[] = Array.isArray(required) ? required : [];
    const additional = additionalProperties ?? true;
    const others =
      isJsonObject(additional) && Object.keys(additional).length > 0
        ? `{ [key: string]: ${write(additional, indent)} }`
        : undefined;
    if (names.length === 0) {
      if (others !== undefined) return others;
      return additional === false ? "Record<string, never>" : anyObject;
    }
    const inner = `${indent}  `;
    const members: string[] = [];
    for (const [name, one] of names) {
      if (left <= 0) {
        members.push(`${inner}// and more\n`);
        break;
      }
      const mark = needed.includes(name) ? "" : "?";
      members.push(
        `${commentOf(one, inner)}${inner}${keyOf(name)}${mark}: ${write(one, inner)};\n`,
      );
    }
    const type = `{\n${members.join("")}${indent}}`;
    return others === undefined ? type : `${type} & ${others}`;
  }

  /** The type of one value; what is big in it is not told. */
  function literal(value: Json | undefined): string {
    left -= 1;
    if (left < 0) return "unknown";
    if (Array.isArray(value)) {
      return value.length > maxChoices
        ? "Array<unknown>"
        : `[${nested(() => value.map((one) => literal(one)).join(", "), "")}]`;
    }
    if (isJsonObject(value)) {
      const entries = Object.entries(value);
      if (entries.length > maxChoices) return anyObject;
      return nested(
        () => `{ ${entries.map(([key, one]) => `${keyOf(key)}: ${literal(one)}`).join("; ")} }`,
        anyObject,
      );
    }
    return value === undefined ? "unknown" : JSON.stringify(value);
  }

  function nested(make: () => string, otherwise: string): string {
    if (depth >= maxDepth) return otherwise;
    depth += 1;
    try {
      return make();
    } finally {
      depth -= 1;
    }
  }

  function choices(values: readonly Json[]): string {
    if (values.length === 0) return "never";
    const shown = union(values.slice(0, maxChoices).map((value) => literal(value)));
    return values.length > maxChoices ? `${shown} | unknown` : shown;
  }

  return { write };
}

const anyObject = "Record<string, unknown>";

function guessed(schema: JsonObject): string | undefined {
  if (isJsonObject(schema["properties"]) || isJsonObject(schema["additionalProperties"])) {
    return "object";
  }
  return schema["items"] !== undefined || schema["prefixItems"] !== undefined ? "array" : undefined;
}

function bounded<T>(list: readonly T[]): readonly T[] {
  return list.slice(0, maxChoices);
}

function union(types: readonly string[]): string {
  const [first = "unknown", ...others] = new Set(types);
  return others.length === 0 ? first : [first, ...others].map((type) => grouped(type)).join(" | ");
}

function intersection(types: readonly string[]): string {
  const [first = "unknown", ...others] = new Set(types);
  return others.length === 0 ? first : [first, ...others].map((type) => grouped(type)).join(" & ");
}

/** In brackets where an operator could be within. */
function grouped(type: string): string {
  return /[|&]/u.test(type) && !/^"[^"\\]*"$/u.test(type) ? `(${type})` : type;
}

/** RFC 6901, as far as it stays within the schema. */
function at(root: Json, pointer: string): Json | undefined {
  let value: Json | undefined = root;
  const steps = pointer === "" ? [] : pointer.split("/").slice(1);
  if (steps.length > 50) return undefined;
  for (const step of steps) {
    const key = unescaped(step);
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Array.isArray(value) ? value[Number(key)] : value[key];
  }
  return value;
}

function unescaped(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return step;
  }
}

/** What the type of a property does not say. */
function commentOf(schema: Json, indent: string): string {
  if (!isJsonObject(schema)) return "";
  const { title, description, format, pattern, type } = schema;
  const about = typeof description === "string" ? description : title;
  const bounds = ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"];
  return describe(
    [
      ...(typeof about === "string" ? [about] : []),
      ...(type === "integer" ? ["@type integer"] : []),
      ...(typeof format === "string" ? [`@format ${inComment(format)}`] : []),
      ...(typeof pattern === "string" ? [`@pattern ${inComment(pattern)}`] : []),
      ...bounds.flatMap((bound) => {
        const value = schema[bound];
        return typeof value === "number" ? [`@${bound} ${value}`] : [];
      }),
      ...(schema["default"] === undefined
        ? []
        : [`@default ${inComment(JSON.stringify(schema["default"]))}`]),
      ...(schema["deprecated"] === true ? ["@deprecated"] : []),
    ],
    indent,
  );
}

/** Foreign text for one line of a comment. */
function inComment(text: string): string {
  return text.slice(0, 200).replace(/\s+/gu, " ").replaceAll("*/", "*\\/");
}
