import { findNodeAtLocation, parseTree, printParseErrorCode } from "jsonc-parser";
import type { Node, ParseError } from "jsonc-parser";
import type { Json, JsonObject } from "../core/json.ts";
import type { ConfigurationProblem, KeyPath } from "./configuration-problem.ts";

/** A parsed JSON-with-comments text that still knows where everything stands. */
export interface JsonDocument {
  value: Json;
  /** 1-based line of the value at `path`, or of the nearest thing around it. */
  lineOf(path: KeyPath): number;
}

export type ParsedDocument =
  | { kind: "parsed"; document: JsonDocument }
  | { kind: "broken"; problems: [ConfigurationProblem, ...ConfigurationProblem[]] };

/** `InvalidSymbol` → `invalid symbol`: the parser's error names, as words. */
function words(name: string): string {
  return name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
}

/**
 * Parses JSON with comments and trailing commas. A key that stands twice in one object is a problem
 * (the last would silently win), and so is `__proto__`.
 */
export function parseJsonDocument(text: string): ParsedDocument {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  if (source.trim() === "") {
    return { kind: "broken", problems: [{ path: [], reason: "the file is empty", line: 1 }] };
  }
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    root = parseTree(source, errors, { allowTrailingComma: true, disallowComments: false });
  } catch (error) {
    // The parser recurses; only nesting far beyond any configuration exhausts the stack.
    if (!(error instanceof RangeError)) throw error;
    return { kind: "broken", problems: [{ path: [], reason: "nested too deeply" }] };
  }
  const lineAt = createLineFinder(source);
  const broken = errors.map(({ error, offset }) => ({
    path: [],
    reason: `not valid JSON: ${words(printParseErrorCode(error))}`,
    line: lineAt(offset),
  }));
  if (isNonEmpty(broken)) return { kind: "broken", problems: broken };
  if (root === undefined) {
    return { kind: "broken", problems: [{ path: [], reason: "holds no JSON value", line: 1 }] };
  }
  const problems: ConfigurationProblem[] = [];
  const value = toJson(root, [], (path, offset, reason) => {
    problems.push({ path, reason, line: lineAt(offset) });
  });
  if (isNonEmpty(problems)) return { kind: "broken", problems };
  const tree = root;
  return {
    kind: "parsed",
    document: { value, lineOf: (path) => lineAt(nearestNode(tree, path).offset) },
  };
}

function isNonEmpty<Item>(items: Item[]): items is [Item, ...Item[]] {
  return items.length > 0;
}

/** The node at `path`, its key where it is a property; the closest node around it when it is absent. */
function nearestNode(root: Node, path: KeyPath): Node {
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(root, path.slice(0, length));
    if (node !== undefined) return node.parent?.type === "property" ? node.parent : node;
  }
  return root;
}

function createLineFinder(source: string): (offset: number) => number {
  return (offset) => {
    let line = 1;
    for (let at = source.indexOf("\n"); at !== -1 && at < offset; at = source.indexOf("\n", at + 1))
      line++;
    return line;
  };
}

function toJson(
  node: Node,
  path: KeyPath,
  report: (path: KeyPath, offset: number, reason: string) => void,
): Json {
  if (node.type === "array") {
    return (node.children ?? []).map((child, index) => toJson(child, [...path, index], report));
  }
  if (node.type !== "object") {
    const value: Json = node.value;
    return value;
  }
  const object: JsonObject = {};
  for (const property of node.children ?? []) {
    const [keyNode, valueNode] = property.children ?? [];
    if (keyNode === undefined || valueNode === undefined) continue;
    const key = String(keyNode.value);
    const here = [...path, key];
    if (key === "__proto__") report(here, keyNode.offset, "this name cannot be used");
    else if (Object.hasOwn(object, key)) report(here, keyNode.offset, "stands here twice");
    else object[key] = toJson(valueNode, here, report);
  }
  return object;
}
