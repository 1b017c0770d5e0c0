import type { ServerPage, ToolServer } from "../../client/tool-server.ts";
import type { Tool } from "../../core/mcp.ts";
import { createTokenCounter } from "./count-tokens.ts";
import type { TokenCounter } from "./count-tokens.ts";

/** What a model reads of one server, in tokens. */
export interface ServerCost {
  name: string;
  state: ServerPage["state"];
  /** The most costly first. */
  tools: readonly ToolCost[];
  /** All tools together. */
  toolTokens: number;
  instructionTokens: number;
  total: number;
}

export interface ToolCost {
  name: string;
  tokens: number;
}

/** So many servers are asked at once. */
const atOnce = 8;

/** The tool's JSON as its server lists it, without white space: name, description, schemas, annotations. */
export function tokensOf(tool: Tool, count: TokenCounter): Promise<number> {
  return count(JSON.stringify(tool));
}

/** @throws what counting throws */
export async function costOf(
  { name, state, tools: listed, instructions = "" }: ServerPage,
  count: TokenCounter,
): Promise<ServerCost> {
  const unsorted: ToolCost[] = [];
  for (const tool of listed) {
    unsorted.push({ name: tool.name, tokens: await tokensOf(tool, count) });
  }
  const tools = unsorted.toSorted((one, other) => other.tokens - one.tokens);
  const toolTokens = tools.reduce((sum, { tokens }) => sum + tokens, 0);
  const instructionTokens = await count(instructions);
  return {
    name,
    state,
    tools,
    toolTokens,
    instructionTokens,
    total: toolTokens + instructionTokens,
  };
}

/**
 * The costs of the servers of these names, in their order.
 * @throws what asking a server throws; the reason of the signal
 */
export async function askCosts(
  server: ToolServer,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ServerCost[]> {
  const count = createTokenCounter(signal);
  const costs: ServerCost[] = [];
  for (let from = 0; from < names.length; from += atOnce) {
    const some = names.slice(from, from + atOnce);
    const pages = await Promise.all(some.map((name) => server.server(name)));
    for (const page of pages) costs.push(await costOf(page, count));
  }
  return costs;
}
