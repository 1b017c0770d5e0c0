import { AppError } from "../core/errors.ts";
import { findTools } from "../core/find-tools.ts";
import type { ExposedTool } from "../core/find-tools.ts";
import type { JsonObject } from "../core/json.ts";
import { saidBy } from "../core/render-instructions.ts";
import { escapeForTerminal, oneLine } from "../core/terminal-text.ts";
import type { ServerDetail, ServerSummary } from "../gateway/gateway.ts";
import type { ServedRequest } from "./served-request.ts";

const usualLimit = 20;
/** Of each server, where all are listed. */
const firstTools = 5;
const longestName = 128;
const longestDescription = 160;

/**
 * What `tool_list` answers: few words, for they stay in a model's memory. What servers wrote begins with `- ` or `| `
 * and holds no line break of its own.
 * @param given as its schema wants them
 * @throws AppError `usage` for a cursor that leads nowhere; `not_found` for an unknown server; what listing throws
 */
export async function toolListText(
  { gateway, caller }: Pick<ServedRequest, "gateway" | "caller">,
  given: JsonObject,
): Promise<string> {
  const { server: named, limit = usualLimit } = given;
  const query = typeof given["query"] === "string" ? given["query"].trim() : "";
  const page = { limit: Number(limit), from: startOf(given["cursor"]) };
  await gateway.started;
  const all = await gateway.listTools(caller);
  const server =
    typeof named === "string" ? inspected(() => gateway.inspectServer(caller, named)) : undefined;
  if (server === undefined && query === "") {
    return serverLines(gateway.listServers(caller), all, page);
  }
  const tools = server === undefined ? all : all.filter((tool) => tool.server === server.name);
  return query === "" && server !== undefined
    ? toolsOf(server, tools, page)
    : foundTools(tools, query, page);
}

interface PageOf {
  limit: number;
  from: number;
}

function startOf(cursor: unknown): number {
  if (cursor === undefined) return 0;
  if (typeof cursor === "string" && /^[1-9]\d{0,8}$/u.test(cursor)) return Number(cursor);
  throw badCursor();
}

function badCursor(): AppError {
  return new AppError("usage", "The cursor is not one of this list; leave it out to begin anew");
}

/** @throws AppError `not_found` with a hint for a model, which has no command line */
function inspected(inspect: () => ServerDetail): ServerDetail {
  try {
    return inspect();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "not_found") throw error;
    const suggests = error.hint?.startsWith("Did you mean") === true;
    throw new AppError("not_found", error.message, {
      hint: suggests ? error.hint : "tool_list without arguments lists the servers",
    });
  }
}

function serverLines(
  servers: readonly ServerSummary[],
  all: readonly ExposedTool[],
  page: PageOf,
): string {
  if (servers.length === 0) return "There are no servers.";
  const toolsOfServer = new Map<string, ExposedTool[]>(servers.map(({ name }) => [name, []]));
  for (const entry of all) toolsOfServer.get(entry.server)?.push(entry);
  const lineOf = ({ name, state, reason, tags }: ServerSummary): string => {
    const tools = toolsOfServer.get(name) ?? [];
    const tagged = tags.length === 0 ? "" : ` [${tags.map((tag) => foreign(tag, 60)).join(", ")}]`;
    const first = tools.slice(0, firstTools).map(({ tool }) => foreign(tool.name, longestName));
    const more = tools.length > first.length ? ", …" : "";
    const why =
      state === "ready"
        ? ""
        : `, ${state}${reason === undefined ? "" : `: ${foreign(reason, 200)}`}`;
    const named = first.length === 0 ? "" : `: ${first.join(", ")}${more}`;
    return `- ${foreign(name, 100)}${tagged}, ${counted(tools.length)}${why}${named}`;
  };
  return paged(
    `${servers.length} ${servers.length === 1 ? "server" : "servers"}, ${counted(all.length)}`,
    servers,
    lineOf,
    page,
  );
}

function toolsOf(server: ServerDetail, tools: readonly ExposedTool[], page: PageOf): string {
  const { name, state, reason, instructions } = server;
  const why =
    state === "ready"
      ? ""
      : ` (${state}${reason === undefined ? "" : `: ${foreign(reason, 200)}`})`;
  const head = `${foreign(name, 100)}: ${counted(tools.length)}${why}`;
  const said =
    instructions === undefined || page.from > 0 ? [] : saidBy(foreign(name, 100), instructions);
  return paged([head, ...said].join("\n"), tools, toolLine, page);
}

function foundTools(tools: readonly ExposedTool[], query: string, page: PageOf): string {
  const asked = JSON.stringify(foreign(query, 200));
  const { tools: found, instead } = findTools(tools, query);
  if (found.length === 0) {
    return `No tool fits ${asked}; try other words, or tool_list without arguments.`;
  }
  const fit = `${found.length} of ${counted(tools.length)} ${found.length === 1 ? "fits" : "fit"}`;
  const head =
    instead === undefined
      ? `${fit} ${asked}`
      : `Nothing fits ${asked}; ${fit} ${JSON.stringify(foreign(instead, 200))}`;
  return paged(head, found, toolLine, page);
}

/** @throws AppError `usage` for a page beyond the last */
function paged<Entry>(
  head: string,
  entries: readonly Entry[],
  lineOf: (entry: Entry) => string,
  { limit, from }: PageOf,
): string {
  if (from > 0 && from >= entries.length) throw badCursor();
  const end = from + limit;
  const left = entries.length - end;
  const more = left > 0 ? [`${left} more: cursor "${end}"`] : [];
  return [head, ...entries.slice(from, end).map(lineOf), ...more].join("\n");
}

function toolLine({ tool: { name, title, description } }: ExposedTool): string {
  const what = [description, title].find((text) => typeof text === "string" && text.trim() !== "");
  const said =
    typeof what === "string" ? `: ${foreign(what.slice(0, 2_000), longestDescription)}` : "";
  return `- ${foreign(name, longestName)}${said}`;
}

function counted(tools: number): string {
  return `${tools} ${tools === 1 ? "tool" : "tools"}`;
}

function foreign(text: string, limit: number): string {
  return escapeForTerminal(oneLine(text, limit));
}
