import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { metaKeys, metaOf } from "../../src/core/mcp.ts";
import { mainFile, runAgent } from "./support/agent.ts";
import { rawServer, realServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { startProxy } from "./support/mcp-lines.ts";
import type { McpLines, Message } from "./support/mcp-lines.ts";

const token = "static-token-of-the-tests-0001";
const auth = [{ type: "local" }, { type: "token", options: { tokens: [{ name: "ci", token }] } }];

let home: Home;
let gateway: RunningGateway | undefined;
const proxies: McpLines[] = [];
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  for (const { agent } of [...proxies.splice(0), ...(gateway === undefined ? [] : [gateway])]) {
    agent.process.kill("SIGTERM");
    await agent.ended;
  }
  gateway = undefined;
  home.remove();
});

async function serve(mcpServers: object, args: readonly string[] = []): Promise<RunningGateway> {
  gateway = await startGateway(home, { auth, mcpServers }, { args });
  await runAgent(["wait"], { home });
  return gateway;
}

const login = (): Promise<unknown> => runAgent(["auth", "login", "--local"], { home });

function proxy(args: readonly string[] = [], env: Record<string, string> = {}): McpLines {
  const started = startProxy(home, args, env);
  proxies.push(started);
  return started;
}

const modern = (params: JsonObject = {}, capabilities: JsonObject = {}): JsonObject => ({
  ...params,
  _meta: { [metaKeys.protocolVersion]: "2026-07-28", [metaKeys.clientCapabilities]: capabilities },
});
const withProgress = (params: JsonObject): JsonObject => ({
  ...params,
  _meta: { ...metaOf(params), progressToken: "p" },
});
const echo = { name: "everything__echo", arguments: { message: "through two doors" } };
const textOf = ({ result }: Message): unknown => result?.content?.[0]?.text;

describe("with the saved profile", () => {
  test("a client of the SDK sees the gateway's servers through it", async () => {
    await serve({ everything: realServer("everything"), memory: realServer("memory") });
    await login();
    const client = new Client({ name: "desk", version: "1" });
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [mainFile, "proxy"],
      env: { ...home.env },
      stderr: "pipe",
    });
    await client.connect(transport);
    expect(client.getServerVersion()).toMatchObject({ name: "onedoor" });
    expect(client.getInstructions()).toContain("everything");
    expect(client.getServerCapabilities()).toMatchObject({
      tools: { listChanged: true },
      resources: { subscribe: true },
      completions: {},
    });
    const { tools } = await client.listTools();
    const names = tools.map(({ name }) => name);
    expect(names).toContain("everything__echo");
    expect(names).toContain("memory__read_graph");
    const { content } = await client.callTool(echo);
    expect(content).toEqual([{ type: "text", text: "Echo: through two doors" }]);
    const { resources } = await client.listResources();
    const [first] = resources;
    const read = await client.readResource({ uri: first?.uri ?? "" });
    expect(read.contents).toHaveLength(1);
    const pid = transport.pid;
    await client.close();
    expect(() => process.kill(pid ?? 0, 0)).toThrow("ESRCH");
  });

  test("both eras are spoken on one line, with cancellation and subscriptions", async () => {
    await serve({ everything: realServer("everything"), raw: rawServer() });
    await login();
    const { ask, begin, send, waitFor, messages } = proxy();
    const discovered = await ask("server/discover", modern());
    expect(discovered.result).toMatchObject({
      supportedVersions: ["2026-07-28"],
      _meta: { [metaKeys.serverInfo]: { name: "onedoor" } },
    });
    expect(textOf(await ask("tools/call", modern(echo)))).toBe("Echo: through two doors");
    expect((await begin()).result.protocolVersion).toBe("2025-11-25");
    expect(textOf(await ask("tools/call", echo))).toBe("Echo: through two doors");

    send({
      id: "l",
      method: "subscriptions/listen",
      params: modern({ notifications: { toolsListChanged: true } }),
    });
    await waitFor(({ method }) => method === "notifications/subscriptions/acknowledged");
    await ask("tools/call", { name: "raw__add-tool", arguments: {} });
    await waitFor(
      ({ method, params }) =>
        method === "notifications/tools/list_changed" &&
        params?._meta?.[metaKeys.subscriptionId] === "l",
    );

    const slow = {
      name: "raw__slow",
      arguments: { steps: 10_000, everyMs: 5 },
    };
    const params = modern(slow);
    send({ id: "h", method: "tools/call", params: withProgress(params) });
    await waitFor(({ method }) => method === "notifications/progress");
    send({ method: "notifications/cancelled", params: { requestId: "h" } });
    await expect
      .poll(
        async () =>
          (await ask("tools/call", { name: "raw__cancelled", arguments: {} })).result?.cancelled,
      )
      .toHaveLength(1);
    expect(messages().filter(({ id }) => id === "h")).toEqual([]);
  });

  test("an upstream behind the gateway asks the person at the proxy's client", async () => {
    await serve({ everything: { ...realServer("everything"), connection: "session" } });
    await login();
    const { ask, begin, send, waitFor } = proxy();
    await begin({ sampling: {} });
    const answer = ask("tools/call", {
      name: "everything__trigger-sampling-request",
      arguments: { prompt: "Say hello", maxTokens: 10 },
    });
    const asked = await waitFor(({ method }) => method === "sampling/createMessage");
    expect(JSON.stringify(asked.params)).toContain("Say hello");
    const content = { type: "text", text: "hello from the desk" };
    send({ id: asked.id, result: { role: "assistant", model: "person", content } });
    expect(JSON.stringify(await answer)).toContain("hello from the desk");
  });

  test("over the gateway's event stream", async () => {
    const { url } = await serve({ everything: realServer("everything") });
    const { begin, ask } = proxy(["--url", `${url}/sse`], { ONEDOOR_TOKEN: token });
    expect((await begin()).result.serverInfo.name).toBe("onedoor");
    expect(textOf(await ask("tools/call", echo))).toBe("Echo: through two doors");
  });
});

describe("a refused credential", () => {
  test("ends the start with exit code 4 and the command to sign in; stdout is silent", async () => {
    const { url } = await serve({});
    const { agent } = proxy(["--url", url]);
    const { code, stdout, stderr } = await agent.ended;
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toContain("Not signed in to");
    expect(stderr).toContain("agent auth login");
    const wrong = proxy(["--url", url], { ONEDOOR_TOKEN: "wrong-token-of-the-tests" });
    const second = await wrong.agent.ended;
    expect(second).toMatchObject({ code: 4, stdout: "" });
    expect(second.stderr).not.toContain("wrong-token");
  });

  test("that was minted for this user is minted again without a word", async () => {
    const { url } = await serve({ everything: realServer("everything") });
    await login();
    const { begin, ask, agent } = proxy();
    await begin();
    const { stdout } = await runAgent(["auth", "token"], { home });
    const headers = { authorization: `Bearer ${stdout.trim()}` };
    const revoked = await fetch(`${url}/auth/logout`, { method: "POST", headers });
    expect(revoked.ok).toBe(true);
    expect(textOf(await ask("tools/call", echo))).toBe("Echo: through two doors");
    expect(agent.stderr).not.toContain("sign-in");
    const renewed = await runAgent(["auth", "token"], { home });
    expect(renewed.stdout).not.toBe(stdout);
  });
});

describe("a server that goes", () => {
  test("and comes back is connected again, and the client told", async () => {
    const first = await serve({ everything: realServer("everything") });
    await login();
    const { begin, ask, waitFor, messages } = proxy();
    await begin();
    expect(textOf(await ask("tools/call", echo))).toBe("Echo: through two doors");
    await first.stop();
    const failed = await ask("tools/call", echo);
    expect(failed.error?.message).toMatch(/not (?:connected|running)|closed|refused|reach/u);

    const before = messages().length;
    const port = new URL(first.url).port;
    const mcpServers = { everything: realServer("everything"), raw: rawServer() };
    gateway = await startGateway(home, { auth, mcpServers }, { args: ["--port", port] });
    await waitFor(({ method }) => method === "notifications/tools/list_changed", before);
    await expect
      .poll(async () => textOf(await ask("tools/call", echo)), { timeout: 10_000 })
      .toBe("Echo: through two doors");
    await expect
      .poll(async () => JSON.stringify(await ask("tools/list")), { timeout: 10_000 })
      .toContain("raw__strange");
  });

  test("and comes back at another port is found there, with what is saved for that address", async () => {
    const mcpServers = { everything: realServer("everything") };
    const first = await serve(mcpServers);
    await login();
    const named = proxy(["--url", first.url], { ONEDOOR_TOKEN: token });
    await named.begin();
    const { begin, ask, agent } = proxy();
    await begin();
    await first.stop();
    gateway = await startGateway(home, { auth, mcpServers });
    expect(gateway.url).not.toBe(first.url);
    await agent.waitFor("stderr", /Not signed in to/u);
    expect(agent.stderr).toContain(`Your gateway is at ${gateway.url} now`);
    await login();
    await expect
      .poll(async () => textOf(await ask("tools/call", echo)), { timeout: 10_000 })
      .toBe("Echo: through two doors");
    // The one that was told where to go does not look for another.
    expect((await named.ask("tools/call", echo)).error?.message).toContain(first.url);
  });

  test("before the first message gets a client that is served when it is there", async () => {
    const first = await serve({ everything: realServer("everything") });
    await login();
    const port = new URL(first.url).port;
    await first.stop();
    const { begin, ask, waitFor } = proxy();
    const { result } = await begin();
    expect(result.capabilities).toMatchObject({ tools: { listChanged: true } });
    const missing = await ask("tools/list");
    expect(missing.error?.message).toContain("not connected");
    gateway = await startGateway(
      home,
      { auth, mcpServers: { everything: realServer("everything") } },
      { args: ["--port", port] },
    );
    await waitFor(({ method }) => method === "notifications/tools/list_changed");
    await expect
      .poll(async () => textOf(await ask("tools/call", echo)), { timeout: 10_000 })
      .toBe("Echo: through two doors");
  });
});

describe("the end", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("by %s is clean", async (signal) => {
    await serve({ raw: rawServer() });
    await login();
    const { begin, send, agent } = proxy();
    await begin();
    send({ id: "h", method: "tools/call", params: { name: "raw__hang", arguments: {} } });
    agent.process.kill(signal);
    expect(await agent.ended).toMatchObject({ code: 0, signal: null });
  });

  test("of stdin is the end, once what was asked is answered", async () => {
    await serve({ everything: realServer("everything") });
    await login();
    const lines = [
      { id: 1, method: "server/discover", params: modern() },
      { id: 2, method: "tools/call", params: modern(echo) },
    ].map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    const { code, stdout } = await runAgent(["proxy"], { home, stdin: { text: lines.join("") } });
    expect(code).toBe(0);
    const ids: number[] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).id);
    expect(ids.toSorted((a, b) => a - b)).toEqual([1, 2]);
  });
});
