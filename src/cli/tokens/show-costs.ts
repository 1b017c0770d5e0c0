import type { Inventory, ServerPage, ServerRow, ToolServer } from "../../client/tool-server.ts";
import type { Tool } from "../../core/mcp.ts";
import type { ResultFormat } from "../command.ts";
import type { Context, Io } from "../context.ts";
import { fittingTable } from "../render/fitting-table.ts";
import { inLine } from "../render/foreign-text.ts";
import { jsonText } from "../render/json-text.ts";
import type { OnePage } from "../render/one-page.ts";
import { serverListJson, serverRowJson } from "../render/server-list.ts";
import { serverPageJson } from "../render/server-page.ts";
import { toonText } from "../render/toon-text.ts";
import { askCosts, costOf, tokensOf } from "./costs.ts";
import type { ServerCost } from "./costs.ts";
import { createTokenCounter, tokenizer } from "./count-tokens.ts";

type Costing = Pick<Context, "io" | "deadline">;

/** `inspect --cost --json`: as without it, with `tokenizer`, and `tokens: {tools, instructions, total}` for each server. */
export async function showServerCosts(
  server: ToolServer,
  inventory: Inventory,
  page: OnePage<ServerRow>,
  format: ResultFormat,
  { io, deadline }: Costing,
): Promise<void> {
  const costs = await askCosts(
    server,
    page.entries.map(({ name }) => name),
    deadline.signal,
  );
  if (format === "text") {
    const sorted = costs.toSorted((one, other) => other.total - one.total);
    await io.out(serverCostTable(sorted, io));
    sayTokenizer(io);
    return;
  }
  const servers = page.entries.map((row, index) =>
    Object.assign(serverRowJson(row), { tokens: tokensJson(costs[index]) }),
  );
  await showData({ tokenizer, ...serverListJson(inventory, page), servers }, format, io);
}

/** `inspect <server> --cost --json`: as without it, with `tokenizer`, `tokens` as above, and `tokens` for each tool. */
export async function showToolCosts(
  server: ServerPage,
  page: OnePage<Tool>,
  prefix: string | undefined,
  format: ResultFormat,
  { io, deadline }: Costing,
): Promise<void> {
  const count = createTokenCounter(deadline.signal);
  const cost = await costOf(server, count);
  if (format === "text") {
    const shown = new Set(page.entries.map(({ name }) => name));
    const tools = cost.tools.filter(({ name }) => shown.has(name));
    await io.out(
      fittingTable(
        [
          ["TOOL", "TOKENS"],
          ...tools.map(({ name, tokens }) => [inLine(name, io, 100), String(tokens)]),
          ["(instructions)", String(cost.instructionTokens)],
          ["(all of this server)", String(cost.total)],
        ],
        io,
        [1],
      ),
    );
    sayTokenizer(io);
    return;
  }
  const tools: object[] = [];
  for (const tool of page.entries) {
    tools.push(Object.assign({ tokens: await tokensOf(tool, count) }, tool));
  }
  const json = serverPageJson(server, page, prefix);
  await showData({ tokenizer, tokens: tokensJson(cost), ...json, tools }, format, io);
}

/** `inspect <server>/<tool> --cost --json`: as without it, with `tokenizer` and `tokens`. */
export async function showToolCost(
  json: object,
  tool: Tool,
  format: ResultFormat,
  { io, deadline }: Costing,
): Promise<void> {
  const tokens = await tokensOf(tool, createTokenCounter(deadline.signal));
  if (format === "text") {
    await io.out(`${inLine(tool.name, io, 100)}: ${tokens} tokens\n`);
    sayTokenizer(io);
    return;
  }
  await showData({ tokenizer, tokens, ...json }, format, io);
}

/** Servers as a table for people, in the order given; of one that is not ready it says so. */
export function serverCostTable(
  costs: readonly ServerCost[],
  io: Pick<Io, "foreign" | "stdoutIsTerminal" | "columns">,
): string {
  const sum = (of: (cost: ServerCost) => number): string =>
    String(costs.reduce((all, cost) => all + of(cost), 0));
  return fittingTable(
    [
      ["NAME", "TOOLS", "TOOL TOKENS", "INSTRUCTIONS", "TOKENS", "STATE"],
      ...costs.map(({ name, state, tools, toolTokens, instructionTokens, total }) => [
        inLine(name, io, 100),
        ...[tools.length, toolTokens, instructionTokens, total].map(String),
        state,
      ]),
      [
        "(all)",
        sum(({ tools }) => tools.length),
        sum(({ toolTokens }) => toolTokens),
        sum(({ instructionTokens }) => instructionTokens),
        sum(({ total }) => total),
        "",
      ],
    ],
    io,
    [1, 2, 3, 4],
  );
}

export function tokensJson(cost: ServerCost | undefined): object | null {
  return cost === undefined
    ? null
    : { tools: cost.toolTokens, instructions: cost.instructionTokens, total: cost.total };
}

export function sayTokenizer(io: Pick<Io, "note">): void {
  io.note(`Counted with the tokenizer ${tokenizer}; other models count differently`);
}

/** A result as it is for programs and models. */
export async function showData(value: object, format: ResultFormat, io: Io): Promise<void> {
  await io.out(format === "toon" ? io.foreign(toonText(value, io)) : jsonText(value, io));
}
