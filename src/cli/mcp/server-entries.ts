import { AppError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { closest } from "../../core/suggest.ts";
import { shownWord } from "../shown-word.ts";

/** The entries of `mcpServers` as the file has them, in its order; what is no object of servers has none. */
export function serverEntries(configuration: JsonObject): ReadonlyMap<string, Json> {
  const servers = configuration["mcpServers"];
  return new Map(isJsonObject(servers) ? Object.entries(servers) : []);
}

/**
 * Makes sure that each of these servers is there.
 * @throws AppError `not_found`
 */
export function checkThere(
  names: readonly string[],
  entries: ReadonlyMap<string, Json>,
  file: string,
): void {
  for (const name of names) {
    if (entries.has(name)) continue;
    const near = closest(name, [...entries.keys()]);
    throw new AppError("not_found", `No server ${shownWord(name)} in ${quoteForShell(file)}`, {
      hint: near === undefined ? "agent mcp list" : `did you mean ${quoteForShell(near)}?`,
    });
  }
}
