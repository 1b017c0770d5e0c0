import { AppError } from "../../../core/errors.ts";
import { isJsonObject } from "../../../core/json.ts";
import type { Json, JsonObject } from "../../../core/json.ts";
import { withSecretsOf } from "../../../core/secret-reference.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import type { FoundServer } from "../../../hosts/host.ts";
import { forms } from "./given-server.ts";
import type { GivenServer } from "./given-server.ts";
import { parseSnippet } from "./parse-snippet.ts";

/**
 * The entries for what was given, as it stands there.
 * @param cwd the folder that relative paths of a command line mean; undefined where `--cwd` says another
 * @throws AppError `usage`: nothing is recognised, or something of it cannot be taken
 */
export async function findServers(
  given: Exclude<GivenServer, { kind: "nothing" }>,
  { cwd, type }: { cwd: string | undefined; type: string | undefined },
): Promise<readonly FoundServer[]> {
  if (given.kind === "command") return [ofCommand(given, cwd)];
  if (given.kind === "url") return [ofUrl(given, type)];
  const value = parseSnippet(given.text);
  // Only a snippet needs it.
  const { serversIn } = await import("../../../hosts/servers-in.ts");
  const { servers, skipped } = serversIn(value, { name: given.name });
  const [fault] = skipped;
  if (fault !== undefined) {
    if (fault.name === "") {
      throw new AppError("usage", "The snippet does not say what the server is called", {
        hint: "agent mcp add <name> '<snippet>'",
      });
    }
    throw new AppError(
      "usage",
      `${quoteForShell(fault.name)} in the snippet cannot be added: ${fault.reason}`,
      {
        hint: bothIn(value) ? "leave command or url out: a server has one of them" : forms,
      },
    );
  }
  const [server, ...more] = servers;
  if (server === undefined) {
    throw new AppError("usage", "There is no MCP server in the snippet", { hint: forms });
  }
  if (given.name === undefined || (more.length === 0 && server.name === given.name)) return servers;
  if (more.length === 0) return [renamed(server, given.name)];
  throw new AppError("usage", `The snippet has ${servers.length} servers, and one name is given`, {
    hint: "leave the name out: each keeps its own",
  });
}

/** A command line means the folder in which it was written. */
function ofCommand(
  { name, command, args }: Extract<GivenServer, { kind: "command" }>,
  cwd: string | undefined,
): FoundServer {
  const relative = [command, ...args].find((word) => /^\.{1,2}(?:[/\\]|$)/u.test(word));
  const entry: JsonObject = { command, ...(args.length > 0 && { args: [...args] }) };
  if (relative === undefined || cwd === undefined) return { name, entry, notes: [] };
  const note = `it starts in this folder, which ${quoteForShell(relative)} is relative to (--cwd says another)`;
  return { name, entry: { ...entry, cwd }, notes: [note] };
}

function ofUrl(
  { name, url }: Extract<GivenServer, { kind: "url" }>,
  type: string | undefined,
): FoundServer {
  const isStream = URL.canParse(url) && /\/sse\/?$/u.test(new URL(url).pathname);
  if (!isStream || type !== undefined) return { name, entry: { url }, notes: [] };
  const note =
    "its URL ends in /sse, so it is taken for a server that speaks HTTP+SSE (--type http if it does not)";
  return { name, entry: { type: "sse", url }, notes: [note] };
}

/** With the secrets it refers to under the new name. */
function renamed({ name, entry, notes }: FoundServer, to: string): FoundServer {
  return { name: to, entry: withSecretsOf(entry, name, to), notes };
}

function bothIn(value: Json): boolean {
  if (Array.isArray(value)) return value.some(bothIn);
  if (!isJsonObject(value)) return false;
  if (value["command"] !== undefined && value["url"] !== undefined) return true;
  return Object.values(value).some(bothIn);
}
