import { parseJson } from "../../core/json.ts";
import type { Json } from "../../core/json.ts";

/** JSON that a text is, twice: without the white space between its tokens, every digit kept, and as a value. */
export interface JsonInText {
  minified: string;
  value: Json;
}

/** Undefined where a text is no JSON, or no object and no array: such text is as short as it gets. */
export function jsonInText(text: string): JsonInText | undefined {
  const [first] = /\S/u.exec(text) ?? [];
  if (first !== "{" && first !== "[") return undefined;
  try {
    const value = parseJson(text);
    return { value, minified: withoutSpace(text) };
  } catch {
    return undefined;
  }
}

/** Whether the value says every number as the text does: a reader of JSON rounds what has many digits. */
export function isExact({ minified }: JsonInText): boolean {
  return !/\d{16}/u.test(minified);
}

function withoutSpace(json: string): string {
  const kept: string[] = [];
  let from = 0;
  let isString = false;
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at];
    if (isString) {
      if (character === "\\") at += 1;
      else if (character === '"') isString = false;
    } else if (character === '"') isString = true;
    else if (character === " " || character === "\n" || character === "\r" || character === "\t") {
      kept.push(json.slice(from, at));
      from = at + 1;
    }
  }
  kept.push(json.slice(from));
  return kept.join("");
}
