import type { ServerConfiguration } from "../core/configuration.ts";
import type { JsonObject } from "../core/json.ts";
import type { Logger } from "../core/logger.ts";
import { withoutText } from "../core/pin-definition.ts";
import { createSlidingWindows } from "../core/sliding-window.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { PendingChange } from "../core/tool-pin.ts";
import type { PinRow } from "./pin-writer.ts";

/** Something to be said: a change that waits, or a tool that was taken without asking anybody. */
export type News = Omit<PendingChange, "server">;

/**
 * Says what servers offer that they did not before: a line in the log for all that comes together, and a row of the
 * change history for each. A server that changes without end says a bounded part of it.
 */
export interface PinNews {
  /** @returns the rows, of those that are said now; the others may be tried again */
  tell(
    server: ServerConfiguration,
    news: readonly News[],
  ): { said: readonly News[]; rows: PinRow[] };
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Rows of one tool in ten minutes, and of one server in an hour; lines of one server in a minute. */
const mostOfTool = 4;
const mostOfServer = 200;
const mostLines = 6;
const mostKeys = 10_000;
/** Names in one line. */
const mostNames = 10;
/** Characters of a definition in a row: the history is no archive of them. */
const longestShown = 4 * 1024;

export function createPinNews({ logger, now }: { logger: Logger; now: () => number }): PinNews {
  const ofTools = createSlidingWindows({ windowMs: 10 * minuteMs, mostKeys });
  const ofServers = createSlidingWindows({ windowMs: hourMs, mostKeys });
  const lines = createSlidingWindows({ windowMs: minuteMs, mostKeys });

  return {
    tell(server, news) {
      const { name } = server;
      const timeMs = now();
      const said = news.filter(({ tool }) => {
        const key = JSON.stringify([name, tool]);
        return (
          ofTools.take(key, mostOfTool, timeMs) === undefined &&
          ofServers.take(name, mostOfServer, timeMs) === undefined
        );
      });
      if (said.length > 0 && lines.take(name, mostLines, timeMs) === undefined) {
        logger.warn("A server offers what it did not offer before", {
          server: name,
          ...listed(
            "changed",
            news.filter(({ kind }) => kind === "changed"),
          ),
          ...listed(
            "new",
            news.filter(({ kind }) => kind === "new"),
          ),
          ...listed(
            "becameWrite",
            news.filter(({ becameWrite }) => becameWrite),
          ),
          ...listed(
            "withheld",
            news.filter(({ withheld }) => withheld),
          ),
          hint: `agent mcp approve ${quoteForShell(name)}`,
        });
      }
      return { said, rows: said.map((one) => rowOf(server, one, timeMs)) };
    },
  };
}

function listed(key: string, news: readonly News[]): Record<string, string> {
  if (news.length === 0) return {};
  const names = news
    .slice(0, mostNames)
    .map(({ tool }) => (tool === null ? "(instructions)" : oneLine(tool, 80)));
  const more = news.length - names.length;
  return { [key]: more > 0 ? `${names.join(", ")} and ${more} more` : names.join(", ") };
}

function rowOf(server: ServerConfiguration, news: News, timeMs: number): PinRow {
  const { before, after, hash, withheld } = news;
  return {
    ...rowBase(server, news.tool),
    timeMs,
    actor: "server",
    userId: null,
    action: news.kind === "new" ? "created" : "changed",
    before: before && shownDefinition(before),
    after: { ...shownDefinition(after), hash, withheld },
  };
}

/** The row of an approval. */
export function approvalRow(
  server: ServerConfiguration,
  change: PendingChange,
  userId: string,
  timeMs: number,
): PinRow {
  return {
    ...rowBase(server, change.tool),
    timeMs,
    actor: "user",
    userId,
    action: "approved",
    before: change.before && shownDefinition(change.before),
    after: { ...shownDefinition(change.after), hash: change.hash },
  };
}

function rowBase(
  { name, access }: ServerConfiguration,
  tool: string | null,
): Pick<PinRow, "organizationId" | "entity" | "entityId"> {
  // As `managesServer`: what is one organisation's alone, its administrators manage.
  const [only, ...others] = access.organizations;
  return {
    organizationId: others.length === 0 && only !== undefined ? only : null,
    entity: "tool",
    entityId: tool === null ? name : `${name}/${tool.slice(0, 500)}`,
  };
}

function shownDefinition(definition: JsonObject): JsonObject {
  const { length } = JSON.stringify(definition);
  return length > longestShown ? withoutText(definition, length) : definition;
}
