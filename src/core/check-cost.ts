import { isJsonObject, type Json, type JsonObject } from "./json.ts";

/** Characters of keys and texts in one schema, far beyond any a person wrote. */
const longestSchema = 256 * 1024;
/** Objects and lists that are compiled, those behind a `$ref` once for each way it is spelt. */
const mostCompiled = 5_000;
/** How often parts of a schema may meet parts of the arguments: well under a second. */
const mostSteps = 1_000_000;
/** How many different meetings are counted before the count itself is too long. */
const mostPairs = 50_000;

/** Applied to the same value as the schema they stand in. */
const sameValue = ["not", "if", "then", "else"];
const sameValueLists = ["allOf", "anyOf", "oneOf"];
const sameValueMaps = ["dependentSchemas", "dependencies"];
const everyItem = ["additionalItems", "unevaluatedItems", "contains"];
const everyProperty = ["additionalProperties", "unevaluatedProperties"];

/**
 * A foreign schema can be small and yet cost for ever: 32 definitions, each of which refers to the next one
 * twice, are 2^32 checks of one value. This looks at a schema before it is compiled, and at the arguments
 * before they are checked; both looks are bounded themselves.
 * @returns undefined when the schema must not be compiled: too large, or with references that cannot be
 *   followed here (`$dynamicRef`, an inner `$id`, one that is no JSON pointer). Else whether it may check these
 *   arguments; a reference that leads back to itself on the same value may not.
 */
export function boundedCheck(schema: JsonObject): ((args: JsonObject) => boolean) | undefined {
  const traits = traitsOf(schema);
  if (traits === undefined) return undefined;
  const { references, weight, isTree } = traits;
  const targets = new Map<string, Json>();
  let room = mostCompiled - sizeOf(schema, mostCompiled);
  for (const reference of references) {
    const target = resolveReference(reference, schema);
    if (target === undefined) return undefined;
    room -= sizeOf(target, room);
    targets.set(reference, target);
  }
  if (room <= 0) return undefined;
  // It asks for an object and no more: huge arguments are not gone through for that.
  if (Object.values(schema).every((part) => isEmpty(part))) return () => true;
  return (args) => {
    // The usual case. In a tree each part is met by each value once at most, and by the name of each property.
    if (isTree && 2 * weight * valuesIn(args, mostSteps / weight) <= mostSteps) return true;
    try {
      return createCounter(targets)(schema, args) <= mostSteps;
    } catch (error) {
      // Nested deeper than the stack: the check would end the same way.
      if (error instanceof RangeError) return false;
      throw error;
    }
  };
}

interface SchemaTraits {
  /** All `$ref`s, each once. */
  references: Set<string>;
  /** How many values it is made of. */
  weight: number;
  /** Nothing in it leads elsewhere, or compares the parts of a value with each other. */
  isTree: boolean;
}

/** Undefined where the schema is too long, or refers in another way than by `$ref`. */
function traitsOf(schema: JsonObject): SchemaTraits | undefined {
  const references = new Set<string>();
  let compares = false;
  let weight = 0;
  let length = 0;
  const left: Json[] = [schema];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    weight += 1;
    length += typeof at === "string" ? at.length + 3 : 2;
    if (length > longestSchema) return undefined;
    if (Array.isArray(at)) {
      for (const item of at) left.push(item);
    } else if (isJsonObject(at)) {
      for (const [key, value] of Object.entries(at)) {
        length += key.length + 4;
        left.push(value);
      }
      const { $ref: reference, $id: id, $dynamicRef: dynamic, $recursiveRef: recursive } = at;
      if (typeof reference === "string") references.add(reference);
      compares ||= at["uniqueItems"] === true;
      const unfollowed = at === schema ? [dynamic, recursive] : [dynamic, recursive, id];
      if (unfollowed.some((value) => typeof value === "string")) return undefined;
    }
  }
  return { references, weight, isTree: references.size === 0 && !compares };
}

/** Holds no schema, and no list of anything. */
function isEmpty(part: Json): boolean {
  return typeof part !== "object" || part === null || Object.keys(part).length === 0;
}

/** How many values there are, texts and numbers too; more than `most` are not counted. */
function valuesIn(value: Json, most: number): number {
  let count = 0;
  const left: Json[] = [value];
  for (let at = left.pop(); at !== undefined && count <= most; at = left.pop()) {
    count += 1;
    if (typeof at !== "object" || at === null) continue;
    const parts = Object.values(at);
    // What is on its way counts as well; it need not be gone through one by one.
    if (count + left.length + parts.length > most) return most + 1;
    for (const part of parts) left.push(part);
  }
  return count;
}

/** How many objects and lists there are; more than `most` are not counted. */
function sizeOf(schema: Json, most: number): number {
  let size = 0;
  const left: Json[] = [schema];
  for (let at = left.pop(); at !== undefined && size <= most; at = left.pop()) {
    if (typeof at !== "object" || at === null) continue;
    size += 1;
    for (const part of Object.values(at)) left.push(part);
  }
  return size;
}

/** Where a `$ref` leads (RFC 6901 in a URI fragment), as ajv reads it: the escapes of the URI go first. */
function resolveReference(reference: string, root: JsonObject): Json | undefined {
  if (reference === "#" || reference === "#/") return root;
  if (!/^#\/[^#\s]*$/u.test(reference)) return undefined;
  let pointer: string;
  try {
    pointer = decodeURIComponent(reference.slice(2));
  } catch {
    return undefined;
  }
  if (pointer.includes("%")) return undefined;
  let at: Json | undefined = root;
  for (const token of pointer.split("/")) {
    const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = Array.isArray(at) ? at[Number(key)] : at[key];
  }
  return at;
}

/** Counts the steps of checking a value by a schema as if nothing ended it early; infinite beyond the bounds. */
function createCounter(
  targets: ReadonlyMap<string, Json>,
): (schema: JsonObject, value: Json) => number {
  const counted = new Map<JsonObject, Map<Json, number>>();
  let pairs = 0;

  /** A schema meets a value. Texts and numbers cost the same whichever they are. */
  const count = (schema: Json | undefined, value: Json): number => {
    if (!isJsonObject(schema)) return 0;
    const key = typeof value === "object" ? value : 0;
    const known = counted.get(schema) ?? new Map<Json, number>();
    const steps = known.get(key);
    if (steps !== undefined) return steps;
    counted.set(schema, known);
    pairs += 1;
    // Met again before it is counted, it leads back to itself.
    known.set(key, Infinity);
    if (pairs > mostPairs) return Infinity;
    const sum = ownSteps(schema, value) + onSameValue(schema, value) + onParts(schema, value);
    known.set(key, sum);
    return sum;
  };

  const countAll = (schemas: Json | undefined, value: Json): number => {
    if (typeof schemas !== "object" || schemas === null) return 0;
    return Object.values(schemas).reduce((sum: number, schema) => sum + count(schema, value), 0);
  };

  const onSameValue = (schema: JsonObject, value: Json): number => {
    const { $ref: reference } = schema;
    let sum = typeof reference === "string" ? count(targets.get(reference), value) : 0;
    for (const keyword of sameValue) sum += count(schema[keyword], value);
    for (const keyword of [...sameValueLists, ...sameValueMaps]) {
      sum += countAll(schema[keyword], value);
    }
    return sum;
  };

  const onParts = (schema: JsonObject, value: Json): number => {
    let sum = 0;
    if (Array.isArray(value)) {
      const { items, prefixItems } = schema;
      const places = [items, prefixItems].filter((list) => Array.isArray(list));
      for (const [index, item] of value.entries()) {
        for (const list of places) sum += count(list[index], item);
        sum += count(items, item);
        for (const keyword of everyItem) sum += count(schema[keyword], item);
      }
    } else if (isJsonObject(value)) {
      const { properties, propertyNames } = schema;
      for (const [key, property] of Object.entries(isJsonObject(properties) ? properties : {})) {
        if (Object.hasOwn(value, key)) sum += count(property, value[key] ?? null);
      }
      // What is under names that the schema does not know is gone through only where that can cost something.
      const others = everyProperty.map((keyword) => schema[keyword]).filter(isJsonObject);
      if (others.length === 0 && !isJsonObject(propertyNames)) return sum;
      for (const [key, part] of Object.entries(value)) {
        sum += count(propertyNames, key);
        for (const other of others) sum += count(other, part);
      }
    }
    return sum;
  };

  return count;
}

/** What a schema does with a value by itself: its lists are gone through, and `uniqueItems` compares all with all. */
function ownSteps(schema: JsonObject, value: Json): number {
  const { enum: fixed, required, properties, uniqueItems } = schema;
  let steps = 1;
  if (Array.isArray(fixed)) steps += fixed.length;
  if (Array.isArray(required)) steps += required.length;
  if (isJsonObject(properties)) steps += Object.keys(properties).length;
  if (uniqueItems === true && Array.isArray(value)) steps += value.length ** 2 / 2;
  return steps;
}
