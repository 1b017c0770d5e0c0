import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";

/** How a file is laid out. */
export interface JsonStyle {
  /** One step of indentation. */
  unit: string;
  eol: "\n" | "\r\n";
}

/** A list that is longer has a line for each item. */
const longestInOneLine = 100;

/** The first indented line and the first line end say it; two blanks where there is none. */
export function styleOf(text: string): JsonStyle {
  const [, unit = "  "] = /\n([ \t]+)"/u.exec(text) ?? [];
  return { unit, eol: /^[^\n]*\r\n/u.test(text) ? "\r\n" : "\n" };
}

/** A value as people write it: objects with a line for each member, short lists on one. */
export function asInFile(value: Json, indentation: string, style: JsonStyle): string {
  const inner = indentation + style.unit;
  const lines = (open: string, items: readonly string[], close: string): string =>
    `${open}${style.eol}${items.map((item) => `${inner}${item}`).join(`,${style.eol}`)}${style.eol}${indentation}${close}`;
  if (isJsonObject(value)) {
    const members = Object.entries(value).map(
      ([key, item]) => `${JSON.stringify(key)}: ${asInFile(item, inner, style)}`,
    );
    return members.length === 0 ? "{}" : lines("{", members, "}");
  }
  const short = inOneLine(value);
  if (!Array.isArray(value) || value.length === 0) return short;
  if (!value.some(isJsonObject) && short.length <= longestInOneLine) return short;
  return lines(
    "[",
    value.map((item) => asInFile(item, inner, style)),
    "]",
  );
}

export function inOneLine(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(", ")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}: ${inOneLine(item)}`,
  );
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}
