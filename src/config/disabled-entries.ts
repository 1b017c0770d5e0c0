import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import type { KeyPath } from "./configuration-problem.ts";
import { valueAt } from "./known-keys.ts";

/**
 * Whether a place of the file is in the entry of a server that is disabled: nothing of it has to be known here, and
 * a variable or secret that it lacks keeps nobody else from starting.
 */
export function isOfDisabled(root: Json, path: KeyPath): boolean {
  const [first, server] = path;
  if (first !== "mcpServers" || server === undefined) return false;
  const entry = valueAt(root, [first, server]);
  return isJsonObject(entry) && entry["disabled"] === true;
}

/** Whether a value still waits for what it refers to. */
export function isUnfilled(value: Json | undefined): boolean {
  return typeof value === "string" && value.includes("${");
}
