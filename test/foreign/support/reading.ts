import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { runAgent } from "../../e2e/support/agent.ts";
import type { HundredTools } from "./hundred-tools.ts";

/** A step of what a model is to do: one tool, found and called. */
export interface Step {
  server: string;
  tool: string;
  args: Record<string, unknown>;
  /** What a model would look for that knows what it wants, and no name. */
  query: string;
}

/** How many tokens (o200k_base) a model reads until it has the result of the last step. */
export interface Reading {
  /** Before the first step, whatever is to be done. */
  before: number;
  /** For the steps: what was looked up, and the results. */
  steps: number;
}

const tokensOf = (...texts: readonly string[]): number => encode(texts.join("\n")).length;
/** As it stands in a request to a model: without white space. */
const asJson = (value: unknown): string => JSON.stringify(value);

/** Every tool in `tools/list`. */
export async function byWholeList(gateway: HundredTools, steps: readonly Step[]): Promise<Reading> {
  return overMcp(gateway, "", async (client) => {
    const read: string[] = [];
    for (const { server, tool, args } of steps) {
      const { content } = await client.callTool({ name: `${server}__${tool}`, arguments: args });
      read.push(asJson(content));
    }
    return read;
  });
}

/** Three tools, with which the others are found. */
export async function byDiscoverMode(
  gateway: HundredTools,
  steps: readonly Step[],
): Promise<Reading> {
  return overMcp(gateway, "?mode=discover", async (client) => {
    const read: string[] = [];
    const call = async (name: string, args: Record<string, unknown>): Promise<void> => {
      const { content, isError } = await client.callTool({ name, arguments: args });
      if (isError === true) throw new Error(asJson(content));
      read.push(asJson(content));
    };
    for (const { server, tool, args, query } of steps) {
      const name = `${server}__${tool}`;
      await call("tool_list", { query });
      if (!read.at(-1)?.includes(name)) throw new Error(`${query} does not find ${name}`);
      await call("tool_schema", { name });
      await call("tool_call", { name, arguments: args });
    }
    return read;
  });
}

/** `agent instructions`, `agent inspect`, `agent run`. */
export async function byCommandLine(
  gateway: HundredTools,
  steps: readonly Step[],
): Promise<Reading> {
  const agent = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runAgent(args, { home: gateway.home });
    if (code !== 0) throw new Error(`agent ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout + stderr;
  };
  const before = tokensOf(await agent("instructions"));
  const read: string[] = [];
  for (const { server, tool, args } of steps) {
    const target = `${server}/${tool}`;
    read.push(
      await agent("inspect", server),
      await agent("inspect", target),
      await agent("run", target, "--args", asJson(args)),
    );
  }
  return { before, steps: tokensOf(...read) };
}

/** Instructions and tools, and then what the steps read. */
async function overMcp(
  { url, token }: HundredTools,
  query: string,
  take: (client: Client) => Promise<string[]>,
): Promise<Reading> {
  const client = new Client({ name: "reader", version: "1.0.0" });
  const headers = { authorization: `Bearer ${token}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${url}/mcp${query}`), { requestInit: { headers } }),
  );
  try {
    const { tools } = await client.listTools();
    const before = tokensOf(client.getInstructions() ?? "", asJson(tools));
    return { before, steps: tokensOf(...(await take(client))) };
  } finally {
    await client.close();
  }
}
