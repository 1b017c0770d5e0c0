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

beforeAll(async () => {
  gateway = await startGateway(home, {
    mcpServers: { everything: realServer("everything"), memory: realServer("memory") },
  });
  for (const args of [["auth", "login", "--store", "file"], ["wait"]]) {
    const { code, stderr } = await runAgent(args, { home });
    expect(code, stderr).toBe(0);
  }
  token = (await runAgent(["auth", "token"], { home })).stdout.trim();
  expect(token).toMatch(/^od_/);
});

afterAll(async () => {
  await gateway?.stop();
  home.remove();
});

describe("the official inspector's CLI", () => {
  const inspect = async (bearer: string, ...args: string[]): Promise<unknown> => {
    const { stdout } = await run(
      node24,
      [inspector, "--cli", `${gateway.url}/mcp`, "--transport", "http", ...args].concat(
        "--header",
        `Authorization: Bearer ${bearer}`,
      ),
      { env: { ...home.env }, timeout: 50_000 },
    );
    return JSON.parse(stdout);
  };

  test("lists the tools of both upstream servers", async () => {
    const { tools } = (await inspect(token, "--method", "tools/list")) as {
      tools: { name: string }[];
    };
    const names = tools.map(({ name }) => name);
    expect(names).toContain("everything__echo");
    expect(names).toContain("memory__read_graph");
  });

  test("calls a tool", async () => {
    const answer = await inspect(
      token,
      ...["--method", "tools/call", "--tool-name", "everything__echo", "--tool-arg", "message=hi"],
    );
    expect(answer).toMatchObject({ content: [{ type: "text", text: "Echo: hi" }] });
  });

  test("is not let in with another token", async () => {
    await expect(inspect(`${token}x`, "--method", "tools/list")).rejects.toThrow();
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
