import type { ServerPage, ServerRow, ToolServer } from "../../client/tool-server.ts";
import { AppError } from "../../core/errors.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { oneLine } from "../../core/terminal-text.ts";
import { inProject, realSource, unavailableHint, withServer } from "../calling/open-server.ts";
import { sameSelection, sameServer } from "../same-server.ts";
import type { CallingOptions, ServerSource } from "../calling/open-server.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { givenFolder, withFolder } from "../same-folder.ts";
import { jsonText } from "../render/json-text.ts";
import { onePage } from "../render/one-page.ts";
import type { OnePage, PageOptions } from "../render/one-page.ts";
import { globalOptions, selectionOptions } from "../options.ts";
import { serverListFlat, serverListJson, serverTable } from "../render/server-list.ts";
import { serverPageJson, serverPageText } from "../render/server-page.ts";
import type { SelectionOptions } from "../selection/chosen-servers.ts";
import { toolPageJson, toolPageText } from "../render/tool-page.ts";

/** Of the names that collide, this many are told to people. */
const shownCollisions = 3;

/** Servers of which something is withheld, told one by one. */
const shownWithheld = 5;

interface InspectOptions extends PageOptions, SelectionOptions {
  cost?: boolean | undefined;
  target?: string | undefined;
}

export function createInspect(source: ServerSource): CommandModule<InspectOptions> {
  return {
    options: {
      format: {
        ...globalOptions.format,
        choices: ["text", "json", "toon", "ts"],
        describe: "Form of the result; ts is the tools as TypeScript signatures",
      },
      cost: {
        type: "boolean",
        describe: "Show how many tokens each description costs a language model (o200k_base)",
      },
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
      ...selectionOptions,
    },
    positionals: [{ name: "target", describe: "A server, or one of its tools: <server>/<tool>" }],
    talksToServer: true,
    examples: [
      ["agent inspect", "list the servers"],
      ["agent inspect --tags web,db", "those that have one of these tags"],
      ["agent inspect everything", "list a server's tools"],
      ["agent inspect everything/echo", "show what a tool does and takes"],
      ["agent inspect everything --format ts", "a server's tools as TypeScript"],
      ["agent inspect everything --cost", "what each tool costs a model that reads it"],
      ["agent inspect --json | jq -r '.servers[].name'", "names for a script"],
    ],
    about: [
      "--cost counts the JSON of each tool as its server lists it, and the server's instructions, with the tokenizer o200k_base; other models count differently.",
    ],
    async run(options, context) {
      if (options.cost === true && options.format === "ts") {
        throw new AppError("usage", "--cost goes with text, json and toon, not with ts");
      }
      const calling: Options = await inProject(options, context, source);
      await withServer(calling, context, source, (server) =>
        inspect(server, calling, context),
      ).catch(async (error: unknown) => {
        if (calling.selection === undefined || options.target === undefined) throw error;
        const { leftOut } = await import("../selection/left-out.ts");
        throw leftOut(error, options.target, calling.selection);
      });
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

async function showServers(server: ToolServer, options: Options, context: Context): Promise<void> {
  const { io } = context;
  const inventory = await server.inventory();
  const page = onePage(inventory.servers, options);
  if (options.cost === true) {
    const { showServerCosts } = await import("../tokens/show-costs.ts");
    await showServerCosts(server, inventory, page, options.format, context);
    if (options.format === "text") noteRest(page, "", options, io);
    return;
  }
  if (options.format === "ts") {
    throw new AppError("usage", "--format ts shows the tools of one server", {
      hint: `agent inspect <server>${sameServer(options)} --format ts`,
    });
  }
  if (options.format !== "text") {
    const flat = options.format === "toon";
    const list = (flat ? serverListFlat : serverListJson)(inventory, page);
    await io.out(await dataText(list, options, io));
    return;
  }
  if (inventory.servers.length === 0) {
    io.note(await saidNoServers(options), { always: true });
  } else {
    await io.out(serverTable(page.entries, io));
  }
  noteWithheld(page.entries, io);
  noteCollisions(inventory.collisions, options, io);
  noteRest(page, "", options, io);
}

async function saidNoServers(options: Options): Promise<string> {
  if (options.selection === undefined) return "No servers are configured";
  const { saidNothingLeft } = await import("../selection/chosen-servers.ts");
  return saidNothingLeft(options.selection, `agent inspect${sameServer(options)}`);
}

/** A server of which all is withheld looks as if it had no tools. */
function noteWithheld(rows: readonly ServerRow[], io: Context["io"]): void {
  const some = rows.filter(({ withheld = 0 }) => withheld > 0);
  for (const { name, withheld } of some.slice(0, shownWithheld)) {
    const of = quoteForShell(name);
    const tools = withheld === 1 ? "1 tool is" : `${withheld} tools are`;
    io.note(`${of}: ${tools} withheld: agent mcp approve ${of}`);
  }
  const more = some.length - shownWithheld;
  if (more > 0) io.note(`Of ${more} more servers tools are withheld: agent mcp approve`);
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
  context: Context,
): Promise<void> {
  const { io } = context;
  const page = onePage(found.tools, options);
  const prefix = prefixFor(server, found.name);
  if (options.cost === true) {
    const { showToolCosts } = await import("../tokens/show-costs.ts");
    await showToolCosts(found, page, prefix, options.format, context);
  } else if (options.format === "ts") {
    const { tsSignatures } = await import("../render/ts-signatures.ts");
    const tools = found.tools.length === 1 ? "1 tool" : `${found.tools.length} tools`;
    await io.out(tsSignatures(page.entries, `${found.name}: ${found.state}, ${tools}`, io));
  } else {
    await io.out(
      options.format === "text"
        ? serverPageText(found, page, prefix, io)
        : await dataText(serverPageJson(found, page, prefix), options, io),
    );
  }
  if (options.format === "text" && options.cost !== true) {
    await showWaiting(found, io);
  }
  if (options.format === "text" || options.format === "ts")
    noteRest(page, ` ${quoteForShell(found.name)}`, options, io);
  // An empty list must not pass for a server without tools.
  if (found.state !== "ready") {
    const name = quoteForShell(found.name);
    // On a page for people it stands already.
    const isSaid = found.reason === undefined || (options.format === "text" && !options.cost);
    const reason = isSaid ? "" : `: ${oneLine(found.reason ?? "")}`;
    throw new AppError("upstream_unavailable", `${name} is ${found.state}${reason}`, {
      hint:
        found.state === "starting"
          ? `agent wait ${name}${sameServer(options)}`
          : unavailableHint(options, found.reason),
    });
  }
}

async function showTool(
  serverName: string,
  toolName: string,
  server: ToolServer,
  options: Options,
  context: Context,
): Promise<void> {
  const { io, environment } = context;
  const tool = await server.tool(serverName, toolName).catch(async (error: unknown) => {
    if (options.format === "text" && error instanceof AppError && error.code === "forbidden") {
      await showWithheld(serverName, toolName, server, io);
    }
    throw error;
  });
  const change = server.changeOf?.(tool);
  const folder = givenFolder(options, environment);
  const runCommand = withFolder("agent run", folder) + sameServer(options);
  const prefix = prefixFor(server, serverName);
  if (options.cost === true) {
    const { showToolCost } = await import("../tokens/show-costs.ts");
    await showToolCost(toolPageJson(serverName, tool, prefix), tool, options.format, context);
  } else if (options.format === "ts") {
    const { tsSignatures } = await import("../render/ts-signatures.ts");
    await io.out(tsSignatures([tool], serverName, io));
  } else {
    await io.out(
      options.format === "text"
        ? toolPageText(tool, prefix, runCommand, io)
        : await dataText(
            { ...toolPageJson(serverName, tool, prefix), ...(change && { change }) },
            options,
            io,
          ),
    );
  }
  if (change !== undefined && options.format === "text" && options.cost !== true) {
    await showWaiting({ name: serverName, changes: [change] }, io);
  }
}

/** What is not what it was, where the gateway tells us; to others that something is kept from them. */
async function showWaiting(
  { name, withheld = 0, changes }: Pick<ServerPage, "name" | "withheld" | "changes">,
  io: Context["io"],
): Promise<void> {
  if (changes === undefined && withheld > 0) {
    io.note(`${withheld} of what it offers is withheld until who manages it approves it`);
  }
  if (changes === undefined || changes.length === 0) return;
  const { pendingChangesText } = await import("../render/pending-changes.ts");
  await io.out(
    `\nNot what it was (agent mcp approve ${quoteForShell(name)})\n\n${await pendingChangesText(name, changes)}`,
  );
}

/** A tool that is withheld is refused; who manages its server sees why. */
async function showWithheld(
  serverName: string,
  toolName: string,
  server: ToolServer,
  io: Context["io"],
): Promise<void> {
  const { name, changes } = await server.server(serverName);
  const own = changes?.filter(({ tool }) => tool === toolName);
  if (own !== undefined) await showWaiting({ name, changes: own }, io);
}

/** A result as it is for programs and models. */
async function dataText(value: object, { format }: Options, io: Context["io"]): Promise<string> {
  if (format !== "toon") return jsonText(value, io);
  const { toonText } = await import("../render/toon-text.ts");
  return io.foreign(toonText(value, io));
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
  const next = `agent inspect${target}${sameServer(options)}${sameSelection(options)} --cursor ${quoteForShell(page.nextCursor)}`;
  io.note(`${page.left} more: ${next} (or --all)`, { always: true });
}
