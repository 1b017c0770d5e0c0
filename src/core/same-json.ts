import { isJsonObject } from "./json.ts";
import type { Json } from "./json.ts";

/** Whether two values are the same JSON; the order of an object's members does not matter. */
export function sameJson(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true;
  if (Array.isArray(one)) return Array.isArray(other) && sameEntries(one, other);
  if (!isJsonObject(one) || !isJsonObject(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && sameJson(one[name], other[name]))
  );
}

/** Whether two lists are the same JSON, entry by entry. */
export function sameEntries(one: readonly Json[], other: readonly Json[]): boolean {
  return (
    one === other ||
    (one.length === other.length && one.every((entry, index) => sameJson(entry, other[index])))
  );
}
