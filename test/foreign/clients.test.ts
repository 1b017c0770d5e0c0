import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startForeignGateway } from "./support/foreign-gateway.ts";
import type { ForeignGateway } from "./support/foreign-gateway.ts";
import { installed, node24 } from "./support/foreign-programs.ts";

const run = promisify(execFile);
const inspector = installed("@modelcontextprotocol/inspector/clients/launcher/build/index.js");
const mcpRemote = installed("mcp-remote/dist/proxy.js");
const mcporter = installed("mcporter/dist/cli.js");

let gateway: ForeignGateway;
beforeAll(async () => {
  gateway = await startForeignGateway();
});
afterAll(() => gateway?.stop());

const everyServer = [
  "everything__echo",
  "files__read_text_file",
  "memory__read_graph",
  "thinking__sequentialthinking",
  "fast__add",
  "asking__echo",
];
const named = (names: readonly string[]): unknown =>
  expect.arrayContaining(names.map((name) => expect.objectContaining({ name })));

describe.each(["http", "sse"] as const)("the official inspector's CLI over %s", (transport) => {
  /** Runs it and returns what it prints, parsed. */
  async function inspect(bearer: string, ...args: string[]): Promise<unknown> {
    const path = transport === "http" ? "/mcp" : "/sse";
    const server = [`${gateway.url}${path}`, "--transport", transport];
    const header = ["--header", `Authorization: Bearer ${bearer}`];
    const { stdout } = await run(node24, [inspector, "--cli", ...server, ...args, ...header], {
      env: { ...gateway.home.env },
      timeout: 50_000,
    });
    return JSON.parse(stdout);
  }

  test("lists the tools of every upstream server", async () => {
    expect(await inspect(gateway.token, "--method", "tools/list")).toMatchObject({
      tools: named(everyServer),
    });
  });

  test("calls a tool", async () => {
    const call = ["--method", "tools/call", "--tool-name", "everything__echo"];
    expect(await inspect(gateway.token, ...call, "--tool-arg", "message=hi")).toMatchObject({
      content: [{ type: "text", text: "Echo: hi" }],
    });
  });

  test("lists and reads resources", async () => {
    expect(await inspect(gateway.token, "--method", "resources/list")).toMatchObject({
      resources: expect.arrayContaining([expect.objectContaining({ uri: "fast://motd" })]),
    });
    expect(await inspect(gateway.token, "--method", "resources/templates/list")).toMatchObject({
      resourceTemplates: expect.arrayContaining([
        expect.objectContaining({ uriTemplate: "fast://user/{name}" }),
      ]),
    });
    expect(
      await inspect(gateway.token, "--method", "resources/read", "--uri", "fast://user/ann"),
    ).toMatchObject({
      contents: [{ uri: "fast://user/ann", text: "user ann" }],
    });
  });

  test("lists and gets prompts", async () => {
    expect(await inspect(gateway.token, "--method", "prompts/list")).toMatchObject({
      prompts: named(["everything__simple-prompt", "fast__commit"]),
    });
    const get = ["--method", "prompts/get", "--prompt-name", "fast__commit"];
    expect(await inspect(gateway.token, ...get, "--prompt-args", "changes=doors")).toMatchObject({
      messages: [{ role: "user", content: { text: "Write a commit message for doors" } }],
    });
  });

  test("is not let in with another token", async () => {
    await expect(inspect(`${gateway.token}x`, "--method", "tools/list")).rejects.toThrow(
      /401|auth/iu,
    );
  });
});

const throughMcpRemote = () =>
  new StdioClientTransport({
    command: node24,
    args: [mcpRemote, `${gateway.url}/mcp`, "--header", `Authorization: Bearer ${gateway.token}`],
    env: { ...gateway.home.env },
    stderr: "ignore",
  });

describe("mcp-remote, a stdio bridge for clients that speak nothing else", () => {
  test("lists, reads and calls", async () => {
    const client = new Client({ name: "foreign", version: "1.0.0" });
    await client.connect(throughMcpRemote());
    try {
      const { tools } = await client.listTools();
      expect(tools).toEqual(named(everyServer));
      const answer = await client.callTool({
        name: "everything__echo",
        arguments: { message: "through two bridges" },
      });
      expect(answer.content).toEqual([{ type: "text", text: "Echo: through two bridges" }]);
      const { contents } = await client.readResource({ uri: "fast://motd" });
      expect(contents).toMatchObject([{ text: "be quick" }]);
      const { prompts } = await client.listPrompts();
      expect(prompts).toEqual(named(["fast__commit"]));
    } finally {
      await client.close();
    }
  });

  test("carries a server's question to the client behind it", async () => {
    const capabilities = { elicitation: { form: {} } };
    const client = new Client({ name: "foreign", version: "1.0.0" }, { capabilities });
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({
      action: "accept",
      content: { answer: `${params.message} blue` },
    }));
    await client.connect(throughMcpRemote());
    try {
      const question = { question: "which colour?" };
      expect(await client.callTool({ name: "fasthttp__ask", arguments: question })).toMatchObject({
        content: [{ type: "text", text: "accept: which colour? blue" }],
      });
    } finally {
      await client.close();
    }
  });
});

/** Runs it with the gateway as the one server of its configuration. */
async function port(bearer: string, ...args: string[]): Promise<string> {
  const config = join(gateway.home.folder, "mcporter.json");
  const door = { baseUrl: `${gateway.url}/mcp`, headers: { Authorization: `Bearer ${bearer}` } };
  writeFileSync(config, JSON.stringify({ mcpServers: { door }, imports: [] }));
  const { stdout } = await run(node24, [mcporter, "--config", config, ...args, "--no-oauth"], {
    env: { ...gateway.home.env, NO_COLOR: "1" },
    cwd: gateway.home.folder,
    timeout: 50_000,
  });
  return stdout;
}

describe("mcporter", () => {
  test("lists the tools of every upstream server", async () => {
    const listed: unknown = JSON.parse(
      await port(gateway.token, "list", "door", "--schema", "--json"),
    );
    expect(listed).toMatchObject({ status: "ok", tools: named(everyServer) });
  });

  test("calls a tool", async () => {
    const call = ["call", "door.fast__add", "a=20", "b=22"];
    expect((await port(gateway.token, ...call, "--output", "text")).trim()).toBe("42");
  });

  test("lists and reads resources", async () => {
    expect(await port(gateway.token, "resource", "door", "--json")).toContain("fast://motd");
    expect(
      await port(gateway.token, "resource", "door", "fast://motd", "--output", "text"),
    ).toContain("be quick");
  });

  test("is not let in with another token", async () => {
    await expect(port(`${gateway.token}x`, "list", "door", "--json")).rejects.toMatchObject({
      stdout: expect.stringMatching(/401|auth/iu),
    });
  });
});
