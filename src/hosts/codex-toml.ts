import { parse, TomlError } from "smol-toml";
import type { TomlTable } from "smol-toml";
import type { Json, JsonObject } from "../core/json.ts";

export type ParsedToml = { kind: "parsed"; value: JsonObject } | { kind: "broken"; reason: string };

/** Nothing in such a file is that deep. */
const deepest = 32;

/** The table of servers in a `config.toml` of Codex, as JSON; nothing else of the file is looked at. */
export function parseCodexToml(text: string): ParsedToml {
  let table: TomlTable;
  try {
    table = parse(text, { maxDepth: 200, integersAsBigInt: "asNeeded" });
  } catch (error) {
    if (error instanceof TomlError) {
      return { kind: "broken", reason: `not valid TOML (line ${error.line})` };
    }
    if (error instanceof RangeError) return { kind: "broken", reason: "nested too deeply" };
    throw error;
  }
  const servers = Object.hasOwn(table, "mcp_servers") ? table["mcp_servers"] : undefined;
  return {
    kind: "parsed",
    value: servers === undefined ? {} : { mcp_servers: toJson(servers, 0) },
  };
}

/** Dates become texts, and numbers that JSON has no form for too. */
function toJson(value: unknown, depth: number): Json {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null || depth > deepest) return null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "" : value.toISOString();
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, toJson(inner, depth + 1)]),
  );
}
