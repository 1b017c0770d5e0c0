import { isJsonObject } from "../../core/json.ts";
import type { Json } from "../../core/json.ts";
import type { CallToolResult } from "../../core/mcp.ts";
import type { Io } from "../context.ts";
import { isExact, jsonInText } from "./minify-json.ts";
import { toonText } from "./toon-text.ts";

/** A part of an answer: a text of its server's, or a line of ours that names what is no text. */
export interface ShortPart {
  kind: "text" | "name";
  text: string;
}

/**
 * The answer of a tool as text, in a form that costs few characters, each part without the line ends at its end.
 * Structured content stands for the texts that only repeat it; where it only wraps a text, the text stands for it.
 * - compact: JSON without white space, other text without blanks at the ends of lines and with one blank line
 *   where there are several.
 * - toon: JSON as TOON, other text as it is.
 */
export function shortResult(
  result: CallToolResult,
  parts: readonly ShortPart[],
  format: "compact" | "toon",
  io: Pick<Io, "note">,
): string[] {
  const { structuredContent } = result;
  const texts = parts.filter((part) => part.kind === "text").map(({ text }) => text);
  const wraps = structuredContent !== undefined && onlyWraps(structuredContent, texts);
  const structured = wraps ? undefined : structuredContent;
  const told = structured === undefined ? new Set<string>() : formsIn(structured);
  const lines: string[] = structured === undefined ? [] : [shortJson(structured, format, io)];
  for (const part of parts) {
    if (part.kind === "name") lines.push(part.text);
    else if (!isTold(part.text, told)) lines.push(shortText(part.text, format, io));
  }
  return lines.filter((line) => line !== "");
}

function shortJson(value: Json, format: "compact" | "toon", io: Pick<Io, "note">): string {
  return format === "compact" ? JSON.stringify(value) : toonText(value, io).trimEnd();
}

function shortText(text: string, format: "compact" | "toon", io: Pick<Io, "note">): string {
  const json = jsonInText(text);
  if (format === "compact") return json?.minified ?? folded(text);
  return json !== undefined && isExact(json) ? toonText(json.value, io).trimEnd() : text.trimEnd();
}

function folded(text: string): string {
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    const kept = line.trimEnd();
    if (kept !== "" || (lines.length > 0 && lines.at(-1) !== "")) lines.push(kept);
  }
  if (lines.at(-1) === "") lines.pop();
  return lines.join("\n");
}

/** `{"content": "…"}` beside the same text: what many servers make of a tool that answers with a text. */
function onlyWraps(structured: Json, texts: readonly string[]): boolean {
  if (!isJsonObject(structured) || texts.length !== 1) return false;
  const values = Object.values(structured);
  return values.length === 1 && values[0] === texts[0];
}

/** The texts in which servers repeat structured content: all of it, or each member, or each element of a member. */
function formsIn(structured: Json): Set<string> {
  const forms = new Set<string>();
  const add = (value: Json, depth: number): void => {
    forms.add(typeof value === "string" ? value : JSON.stringify(value));
    if (depth === 0 || typeof value !== "object" || value === null) return;
    for (const inner of Object.values(value)) add(inner, depth - 1);
  };
  add(structured, 2);
  return forms;
}

function isTold(text: string, told: ReadonlySet<string>): boolean {
  if (told.has(text)) return true;
  const json = jsonInText(text);
  return json !== undefined && (told.has(json.minified) || told.has(JSON.stringify(json.value)));
}
