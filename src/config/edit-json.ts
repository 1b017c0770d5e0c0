import { findNodeAtLocation, parseTree } from "jsonc-parser";
import type { Node } from "jsonc-parser";
import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { sameJson } from "../core/same-json.ts";
import { asInFile, inOneLine, styleOf } from "./json-style.ts";
import type { JsonStyle } from "./json-style.ts";

/**
 * JSON with comments and trailing commas, edited in its text, so that all that is not changed stays as it was written:
 * comments, order, indentation and line ends. What is wrong JSON is for the caller to refuse before.
 */

/** Blanks and comments; and those of the rest of a line, where it ends in a comment. */
const between = /(?:\s+|\/\/[^\r\n]*|\/\*[^]*?\*\/)*/uy;
const lineComments = /(?:[ \t]*\/\*[^\r\n]*?\*\/)*[ \t]*(?:\/\/[^\r\n]*)?/uy;

/**
 * The text with `value` at `path`; of an object that is there already only the members that differ are touched. The
 * objects around it are made where they are missing.
 * @throws SyntaxError where something around it is no object
 */
export function withValueAt(text: string, path: readonly string[], value: Json): string {
  const root = parseTree(text, [], { allowTrailingComma: true });
  const style = styleOf(text);
  const node = root === undefined ? undefined : findNodeAtLocation(root, [...path]);
  if (node !== undefined) {
    return sameJson(toJson(node), value) ? text : replaced(text, node, path, value, style);
  }
  const around = path.slice(0, -1);
  const key = path.at(-1);
  if (root === undefined || key === undefined) throw new SyntaxError("There is nothing to edit");
  const parent = findNodeAtLocation(root, around);
  if (parent === undefined) return withValueAt(text, around, { [key]: value });
  if (parent.type !== "object") throw new SyntaxError("What is around it is no object");
  return inserted(text, parent, key, value, style);
}

function replaced(
  text: string,
  node: Node,
  path: readonly string[],
  value: Json,
  style: JsonStyle,
): string {
  if (node.type === "object" && isJsonObject(value)) return merged(text, node, path, value);
  const written = text.slice(node.offset, node.offset + node.length);
  const laidOut = /[\r\n]/u.test(written)
    ? asInFile(value, indentationAt(text, node.offset), style)
    : inOneLine(value);
  return spliced(text, node.offset, node.length, laidOut);
}

/** Each step looks at the text anew: it is short, and what was found before has moved. */
function merged(text: string, node: Node, path: readonly string[], value: JsonObject): string {
  let result = text;
  for (const { children: [key] = [] } of node.children ?? []) {
    const name = String(key?.value);
    if (!Object.hasOwn(value, name)) result = withoutMember(result, path, name);
  }
  for (const [name, wanted] of Object.entries(value)) {
    result = withValueAt(result, [...path, name], wanted);
  }
  return result;
}

function inserted(text: string, parent: Node, key: string, value: Json, style: JsonStyle): string {
  const last = parent.children?.at(-1);
  if (last === undefined) return insertedFirst(text, parent, key, value, style);
  const end = last.offset + last.length;
  const comma = commaAfter(text, end);
  const ownLines = /[\r\n]/u.test(text.slice(parent.offset, last.offset));
  const after = comma === undefined ? end : comma + 1;
  if (!ownLines) {
    const member = `${JSON.stringify(key)}: ${inOneLine(value)}`;
    return spliced(text, after, 0, comma === undefined ? `, ${member}` : ` ${member},`);
  }
  const indentation = indentationAt(text, last.offset);
  const member = `${style.eol}${indentation}${JSON.stringify(key)}: ${asInFile(value, indentation, style)}`;
  // A comment behind the last member is of that member.
  const withMember = spliced(
    text,
    after + commentsLength(text, after),
    0,
    comma === undefined ? member : `${member},`,
  );
  return comma === undefined ? spliced(withMember, end, 0, ",") : withMember;
}

function insertedFirst(
  text: string,
  parent: Node,
  key: string,
  value: Json,
  style: JsonStyle,
): string {
  const brace = parent.offset + parent.length - 1;
  const outer = indentationAt(text, parent.offset);
  const indentation = outer + style.unit;
  const member = `${indentation}${JSON.stringify(key)}: ${asInFile(value, indentation, style)}`;
  const inside = text.slice(parent.offset + 1, brace);
  if (inside.trim() === "") {
    return spliced(
      text,
      parent.offset + 1,
      inside.length,
      `${style.eol}${member}${style.eol}${outer}`,
    );
  }
  const line = lineStart(text, brace);
  return text.slice(line, brace).trim() === "" && line > parent.offset
    ? spliced(text, line, 0, `${member}${style.eol}`)
    : spliced(text, brace, 0, `${style.eol}${member}${style.eol}${outer}`);
}

/** The text without the member at `path`, and as it is where there is none. */
export function withoutValueAt(text: string, path: readonly string[]): string {
  const name = path.at(-1);
  return name === undefined ? text : withoutMember(text, path.slice(0, -1), name);
}

/** Takes a member out with its comma and the comment on its line; a comma is left at the end only where one was. */
function withoutMember(text: string, path: readonly string[], name: string): string {
  const object = objectAt(text, path);
  const member = memberOf(object, name);
  if (object === undefined || member === undefined) return text;
  const end = member.offset + member.length;
  const comma = commaAfter(text, end);
  const after = comma === undefined ? end : comma + 1;
  const line = lineStart(text, member.offset);
  const rest = after + commentsLength(text, after);
  const lineEnd = /[ \t]*(?:\r?\n|$)/uy;
  lineEnd.lastIndex = rest;
  const [ending] = lineEnd.exec(text) ?? [];
  const wholeLines = ending !== undefined && text.slice(line, member.offset).trim() === "";
  const result = wholeLines
    ? spliced(text, line, rest + ending.length - line, "")
    : spliced(text, member.offset, after - member.offset, "");
  const before = object.children?.[object.children.indexOf(member) - 1];
  if (comma !== undefined || before === undefined) return result;
  const commaBefore = commaAfter(text, before.offset + before.length);
  return commaBefore === undefined ? result : spliced(result, commaBefore, 1, "");
}

function objectAt(text: string, path: readonly string[]): Node | undefined {
  const root = parseTree(text, [], { allowTrailingComma: true });
  return root === undefined ? undefined : findNodeAtLocation(root, [...path]);
}

function memberOf(object: Node | undefined, name: string): Node | undefined {
  return object?.children?.find(({ children }) => children?.[0]?.value === name);
}

function toJson(node: Node): Json {
  if (node.type === "array") return (node.children ?? []).map(toJson);
  if (node.type !== "object") {
    const value: Json = node.value;
    return value;
  }
  return Object.fromEntries(
    (node.children ?? []).flatMap(({ children: [key, value] = [] }) =>
      key === undefined || value === undefined ? [] : [[String(key.value), toJson(value)] as const],
    ),
  );
}

/** Where the comma behind a member is; undefined where none is before the next thing. */
function commaAfter(text: string, offset: number): number | undefined {
  between.lastIndex = offset;
  const at = offset + (between.exec(text)?.[0].length ?? 0);
  return text[at] === "," ? at : undefined;
}

/** How long the comments are that follow on the same line; 0 where none does. */
function commentsLength(text: string, offset: number): number {
  lineComments.lastIndex = offset;
  return lineComments.exec(text)?.[0].trimEnd().length ?? 0;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** The blanks that the line of this place begins with. */
function indentationAt(text: string, offset: number): string {
  return /^[ \t]*/u.exec(text.slice(lineStart(text, offset), offset))?.[0] ?? "";
}

function spliced(text: string, offset: number, length: number, content: string): string {
  return text.slice(0, offset) + content + text.slice(offset + length);
}
