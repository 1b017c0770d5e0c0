import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runAgent } from "../e2e/support/agent.ts";
import { realServer, startGateway } from "../e2e/support/gateway.ts";
import type { RunningGateway } from "../e2e/support/gateway.ts";
import { createHome } from "../e2e/support/home.ts";

const run = promisify(execFile);
const installed = (path: string): string =>
  fileURLToPath(new URL(`./node_modules/${path}`, import.meta.url));
/** The inspector needs a newer Node than the project does. */
const node24 = installed("node/bin/node");
const inspector = installed("@modelcontextprotocol/inspector/clients/launcher/build/index.js");
const mcpRemote = installed("mcp-remote/dist/proxy.js");

const home = createHome();
let gateway: RunningGateway;
let token: string;

/** What a person types first; a failure says what the program said. */
async function agent(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runAgent(args, { home });
  if (code !== 0) throw new Error(`agent ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

beforeAll(async () => {
  gateway = await startGateway(home, {
    mcpServers: { everything: realServer("everything"), memory: realServer("memory") },
  });
  await agent("auth", "login", "--store", "file");
  await agent("wait");
  token = (await agent("auth", "token")).trim();
});

afterAll(async () => {
  await gateway?.stop();
  home.remove();
});

/** Runs the inspector's CLI and returns what it prints, parsed. */
async function inspect(bearer: string, ...args: string[]): Promise<unknown> {
  const server = [`${gateway.url}/mcp`, "--transport", "http"];
  const header = ["--header", `Authorization: Bearer ${bearer}`];
  const { stdout } = await run(node24, [inspector, "--cli", ...server, ...args, ...header], {
    env: { ...home.env },
    timeout: 50_000,
  });
  return JSON.parse(stdout);
}

describe("the official inspector's CLI", () => {
  test("lists the tools of both upstream servers", async () => {
    const names = ["everything__echo", "memory__read_graph"];
    expect(await inspect(token, "--method", "tools/list")).toMatchObject({
      tools: expect.arrayContaining(names.map((name) => expect.objectContaining({ name }))),
    });
  });

  test("calls a tool", async () => {
    const call = ["--method", "tools/call", "--tool-name", "everything__echo"];
    expect(await inspect(token, ...call, "--tool-arg", "message=hi")).toMatchObject({
      content: [{ type: "text", text: "Echo: hi" }],
    });
  });

  test("is not let in with another token", async () => {
    await expect(inspect(`${token}x`, "--method", "tools/list")).rejects.toThrow(/401|auth/i);
  });
});

describe("mcp-remote, a stdio bridge for clients that speak nothing else", () => {
  test("lists and calls", async () => {
    const client = new Client({ name: "foreign", version: "1.0.0" });
    const transport = new StdioClientTransport({
      command: node24,
      args: [mcpRemote, `${gateway.url}/mcp`, "--header", `Authorization: Bearer ${token}`],
      env: { ...home.env },
      stderr: "ignore",
    });
    await client.connect(transport);
    try {
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toContain("everything__echo");
      const answer = await client.callTool({
        name: "everything__echo",
        arguments: { message: "through two bridges" },
      });
      expect(answer.content).toEqual([{ type: "text", text: "Echo: through two bridges" }]);
    } finally {
      await client.close();
    }
  });
});
