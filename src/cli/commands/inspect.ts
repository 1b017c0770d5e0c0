import type { ServerPage, ToolServer } from "../../client/tool-server.ts";
import { AppError } from "../../core/errors.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { oneLine } from "../../core/terminal-text.ts";
import { realSource, unavailableHint, withServer } from "../calling/open-server.ts";
import { sameServer } from "../same-server.ts";
import type { CallingOptions, ServerSource } from "../calling/open-server.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { givenFolder, withFolder } from "../same-folder.ts";
import { jsonText } from "../render/json-text.ts";
import { onePage } from "../render/one-page.ts";
import type { OnePage, PageOptions } from "../render/one-page.ts";
import { serverListJson, serverTable } from "../render/server-list.ts";
import { serverPageJson, serverPageText } from "../render/server-page.ts";
import { toolPageJson, toolPageText } from "../render/tool-page.ts";

/** Of the names that collide, this many are told to people. */
const shownCollisions = 3;

interface InspectOptions extends PageOptions {
  target?: string | undefined;
}

export function createInspect(source: ServerSource): CommandModule<InspectOptions> {
  return {
    options: {
      limit: {
        type: "number",
        placeholder: "<n>",
        describe: "Show at most this many (default: 100)",
      },
      cursor: {
        type: "string",
        placeholder: "<cursor>",
        describe: "Go on where the page before ended",
      },
      all: { type: "boolean", describe: "Show everything, however much it is" },
    },
    positionals: [{ name: "target", describe: "A server, or one of its tools: <server>/<tool>" }],
    talksToServer: true,
    examples: [
      ["agent inspect", "list the servers"],
      ["agent inspect everything", "list a server's tools"],
      ["agent inspect everything/echo", "show what a tool does and takes"],
      ["agent inspect --json | jq -r '.servers[].name'", "names for a script"],
    ],
    async run(options, context) {
      await withServer(options, context, source, (server) => inspect(server, options, context));
    },
  };
}

export const command = createInspect(realSource);

type Options = InspectOptions & CallingOptions;

async function inspect(server: ToolServer, options: Options, context: Context): Promise<void> {
  if (options.target === undefined && server.only === undefined) {
    await showServers(server, options, context);
    return;
  }
  const target = await server.resolve(options.target ?? server.only ?? "");
  await (target.tool === undefined
    ? showServer(await server.server(target.server), server, options, context)
    : showTool(target.server, target.tool, server, options, context));
}

async function showServers(server: ToolServer, options: Options, { io }: Context): Promise<void> {
  const inventory = await server.inventory();
  const page = onePage(inventory.servers, options);
  if (options.format === "json") {
    await io.out(jsonText(serverListJson(inventory, page), io));
    return;
  }
  if (inventory.servers.length === 0) {
    io.note("No servers are configured", { always: true });
  } else {
    await io.out(serverTable(page.entries, io));
  }
  noteCollisions(inventory.collisions, options, io);
  noteRest(page, "", options, io);
}

/** With two alike servers there may be hundreds. */
function noteCollisions(collisions: readonly string[], options: Options, io: Context["io"]): void {
  for (const collision of collisions.slice(0, shownCollisions)) io.note(oneLine(collision));
  const more = collisions.length - shownCollisions;
  if (more <= 0) return;
  const all = `agent inspect${sameServer(options)} --json`;
  io.note(
    `${collisions.length} names or URIs collide; the ${more} others: ${all}, or GET /servers`,
  );
}

async function showServer(
  found: ServerPage,
  server: ToolServer,
  options: Options,
  { io }: Context,
): Promise<void> {
  const page = onePage(found.tools, options);
  const prefix = prefixFor(server, found.name);
  await io.out(
    options.format === "json"
      ? jsonText(serverPageJson(found, page, prefix), io)
      : serverPageText(found, page, prefix, io),
  );
  if (options.format === "text") noteRest(page, ` ${quoteForShell(found.name)}`, options, io);
  // An empty list must not pass for a server without tools.
  if (found.state !== "ready") {
    const name = quoteForShell(found.name);
    const reason = found.reason === undefined ? "" : `: ${oneLine(found.reason)}`;
    throw new AppError("upstream_unavailable", `${name} is ${found.state}${reason}`, {
      hint:
        found.state === "starting"
          ? `agent wait ${name}${sameServer(options)}`
          : unavailableHint(options),
    });
  }
}

async function showTool(
  serverName: string,
  toolName: string,
  server: ToolServer,
  options: Options,
  { io, environment }: Context,
): Promise<void> {
  const tool = await server.tool(serverName, toolName);
  const folder = givenFolder(options, environment);
  const runCommand = withFolder("agent run", folder) + sameServer(options);
  const prefix = prefixFor(server, serverName);
  await io.out(
    options.format === "json"
      ? jsonText(toolPageJson(serverName, tool, prefix), io)
      : toolPageText(tool, prefix, runCommand, io),
  );
}

/** What stands before a tool's name on the command line: over MCP there is only one server. */
function prefixFor(server: ToolServer, name: string): string | undefined {
  return server.kind === "onedoor" ? name : undefined;
}

function noteRest(
  page: OnePage<{ name: string }>,
  target: string,
  options: Options,
  io: Context["io"],
): void {
  if (page.nextCursor === undefined) return;
  const next = `agent inspect${target}${sameServer(options)} --cursor ${quoteForShell(page.nextCursor)}`;
  io.note(`${page.left} more: ${next} (or --all)`, { always: true });
}
