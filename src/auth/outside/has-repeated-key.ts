import { parseJson } from "../../core/json.ts";

const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/gsu;

/**
 * Whether an object anywhere in a JSON text has a key twice, however its characters are escaped.
 * @param text JSON that `JSON.parse` takes
 */
export function hasRepeatedKey(text: string): boolean {
  /** Of the objects that are open, the innermost last; undefined: a list. */
  const open: (Set<string> | undefined)[] = [];
  let last = "";
  for (const [token] of text.matchAll(tokens)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") {
      const key = JSON.stringify(parseJson(last));
      const keys = open.at(-1);
      if (keys?.has(key) === true) return true;
      keys?.add(key);
    }
    last = token;
  }
  return false;
}
