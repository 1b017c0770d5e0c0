import { AppError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { isInputRequired } from "../core/mcp.ts";
import type { Tool } from "../core/mcp.ts";
import { parameterHeaders } from "../core/parameter-headers.ts";
import { prepareArguments } from "../core/prepare-arguments.ts";
import { renderInstructions } from "../core/render-instructions.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { closest } from "../core/suggest.ts";
import { oneLine } from "../core/terminal-text.ts";
import { misspeltArguments } from "../core/tool-arguments.ts";
import { onceBegun } from "./credential-refused.ts";
import { openMcpConnection } from "./mcp-connection.ts";
import { shownAddress } from "./http-json.ts";
import { answerInputs, asksForever, maxRounds } from "./input-required.ts";
import type { Retry } from "./input-required.ts";
import type { AskPerson, ServerPage, ToolCall, ToolServer } from "./tool-server.ts";

// This file loads what speaks MCP and the schema compiler, so import it dynamically.

const mostDoubts = 5;

export interface McpOptions {
  endpoint: string;
  bearer?: string | undefined;
  clientName: string;
  signal: AbortSignal;
}

/**
 * Any MCP server, through MCP itself, in the era it speaks. It is its own only row: its tools are called
 * by their own names, or as `<its own name>/<tool>`.
 * @throws AppError as `openMcpConnection` does
 */
export async function connectMcpToolServer(options: McpOptions): Promise<ToolServer> {
  /** Of the last call: what a server asks on no call's own stream is taken to be about that one. */
  let ask: AskPerson = decline;
  const connection = await openMcpConnection({
    ...options,
    onElicitation: (params) => ask(params),
  });
  const name = connection.serverInfo.name || new URL(options.endpoint).host;
  let listed: Promise<Tool[]> | undefined;
  const tools = (): Promise<Tool[]> =>
    (listed ??= connection.hasTools
      ? connection.listTools(options.signal)
      : Promise.resolve<Tool[]>([]));

  const page = async (): Promise<ServerPage> => {
    const all = await tools();
    return {
      name,
      state: "ready",
      toolCount: all.length,
      tags: [],
      tools: all,
      instructions: connection.instructions,
      stderrTail: [],
      serverInfo: connection.serverInfo,
    };
  };

  const toolNamed = async (wanted: string): Promise<Tool> => {
    const all = await tools();
    const found = all.find((tool) => tool.name === wanted);
    if (found) return found;
    throw unknownTool(
      wanted,
      name,
      all.map((tool) => tool.name),
    );
  };

  return {
    kind: "mcp",
    only: name,
    async resolve(target) {
      if (target === "") throw new AppError("usage", "The tool's name is missing");
      const names = (await tools()).map((tool) => tool.name);
      if (names.includes(target)) return { server: name, tool: target };
      if (target === name) return { server: name };
      // The server's own name may hold a `/` itself, so it is compared, not split off.
      if (target.startsWith(`${name}/`)) {
        const tool = target.slice(name.length + 1);
        return tool === "" ? { server: name } : { server: name, tool };
      }
      return { server: name, tool: target };
    },
    async inventory() {
      const { state, toolCount, tags } = await page();
      return { servers: [{ name, state, toolCount, tags }], collisions: [] };
    },
    server: page,
    tool: (_server, tool) => toolNamed(tool),
    async call(_server, toolName, call) {
      const tool = await toolNamed(toolName);
      const params = { name: tool.name, arguments: prepareArguments(tool.name, tool, call) ?? {} };
      tellDoubts(tool, params.arguments, call);
      ask = call.onElicitation ?? decline;
      const requestOptions = {
        signal: call.signal,
        onElicitation: ask,
        // Headers of the modern era only: a legacy server would not know them.
        ...(connection.era === "modern" && {
          headers: parameterHeaders(tool.inputSchema, params.arguments),
        }),
        ...(call.onProgress && { onProgress: call.onProgress }),
      };
      let retry: Retry = {};
      for (let round = 0; round <= maxRounds; round += 1) {
        const sent = { ...params, ...retry };
        const asked = connection.request("tools/call", sent, requestOptions);
        const result = await asked.catch((error: unknown) => {
          throw round === 0 ? error : onceBegun(error);
        });
        if (!isInputRequired(result)) return result;
        retry = await answerInputs(result, call.onElicitation);
      }
      throw asksForever();
    },
    async instructions() {
      return renderInstructions([await page()], { address: shownAddress(options.endpoint) });
    },
    close: () => connection.close(),
  };
}

const decline: AskPerson = () => Promise.resolve({ action: "decline" });

function tellDoubts(tool: Tool, args: JsonObject, { onDoubt }: ToolCall): void {
  if (onDoubt === undefined) return;
  for (const doubt of misspeltArguments(tool.inputSchema, args).slice(0, mostDoubts)) {
    onDoubt(oneLine(doubt, 200));
  }
}

function unknownTool(wanted: string, server: string, names: readonly string[]): AppError {
  const bare = wanted.slice(wanted.lastIndexOf("/") + 1);
  const meant = names.includes(bare) ? bare : closest(wanted, names);
  return new AppError("not_found", `${oneLine(server, 100)} has no tool ${quoteForShell(wanted)}`, {
    hint:
      meant === undefined
        ? "agent inspect lists its tools"
        : `Did you mean ${quoteForShell(meant)}?`,
  });
}
