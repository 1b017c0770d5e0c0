import type { IncomingMessage } from "node:http";
import { AppError } from "../core/errors.ts";
import { oneLine } from "../core/terminal-text.ts";
import { queryOf } from "./query-of.ts";

/**
 * How a client of `/mcp` or `/sse` wants the tools (`?mode=discover`); undefined: all of them, as lists.
 * @throws AppError `usage` for any other mode: a client that asked for less must not get all without a word
 */
export function mcpModeOf(request: Pick<IncomingMessage, "url">): "discover" | undefined {
  const given = queryOf(request)?.getAll("mode") ?? [];
  if (given.length === 0) return undefined;
  const modes = new Set(given);
  const [mode = ""] = modes;
  if (modes.size === 1 && mode === "discover") return mode;
  const named = JSON.stringify(oneLine([...modes].join(", ").slice(0, 200), 60));
  throw new AppError("usage", `There is no mode ${named}`, {
    hint: "mode=discover is one; without it the tools are listed",
  });
}
