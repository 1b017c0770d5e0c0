import { discoverTools } from "../../mcp/discover-tools.ts";
import type { ResultFormat } from "../command.ts";
import type { Context } from "../context.ts";
import { textTable } from "../render/text-table.ts";
import type { ServerCost } from "./costs.ts";
import { tokensOf } from "./costs.ts";
import { createTokenCounter, tokenizer } from "./count-tokens.ts";
import { sayTokenizer, serverCostTable, showData, tokensJson } from "./show-costs.ts";

/**
 * What all servers cost, the most costly first.
 * @param instructions what `agent instructions` prints; absent of a server that is no gateway of ours
 */
export async function showAllCosts(
  costs: readonly ServerCost[],
  instructions: string | undefined,
  format: ResultFormat,
  { io, deadline: { signal } }: Pick<Context, "io" | "deadline">,
): Promise<void> {
  const count = createTokenCounter(signal);
  const servers = costs.toSorted((one, other) => other.total - one.total);
  const total = servers.reduce((sum, cost) => sum + cost.total, 0);
  let discover: number | null = null;
  if (instructions !== undefined) {
    discover = 0;
    for (const tool of discoverTools) discover += await tokensOf(tool, count);
  }
  const instructionTokens = instructions === undefined ? null : await count(instructions);
  if (format !== "text") {
    const rows = servers.map((cost) => ({
      name: cost.name,
      state: cost.state,
      tokens: tokensJson(cost),
      tools: cost.tools,
    }));
    const all = { tokenizer, total, discover, instructions: instructionTokens, servers: rows };
    await showData(all, format, io);
    return;
  }
  if (servers.length === 0) io.note("No servers are configured", { always: true });
  else await io.out(serverCostTable(servers, io));
  if (discover !== null && instructionTokens !== null) {
    const ways = [
      ["The whole list", String(total)],
      ["/mcp?mode=discover", String(discover)],
      ["agent instructions", String(instructionTokens)],
    ];
    await io.out(`\n${textTable(ways)}`);
  }
  sayTokenizer(io);
}
