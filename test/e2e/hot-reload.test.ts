import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  PromptListChangedNotificationSchema,
  ResourceListChangedNotificationSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDeferred } from "../../src/upstream/deferred.ts";
import { runAgent } from "./support/agent.ts";
import { rawServer, realServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

let home: Home;
let gateway: RunningGateway;
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await gateway.stop();
  home.remove();
});

const clients: Client[] = [];

async function start(mcpServers: object): Promise<void> {
  gateway = await startGateway(home, { mcpServers }, { args: ["--auth", "none"] });
  await runAgent(["wait"], { home });
}

/** A client with a session, and the lists it was told about. */
async function connect(): Promise<{ client: Client; told: string[]; sessionId: () => unknown }> {
  const client = new Client({ name: "desk", version: "1" });
  const told: string[] = [];
  for (const schema of [
    ToolListChangedNotificationSchema,
    PromptListChangedNotificationSchema,
    ResourceListChangedNotificationSchema,
  ]) {
    client.setNotificationHandler(schema, ({ method }) => void told.push(method));
  }
  const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`));
  await client.connect(transport);
  clients.push(client);
  return { client, told, sessionId: () => transport.sessionId };
}

/** The process of a raw server, as its own call tells it. */
async function pidOf(client: Client, server: string): Promise<unknown> {
  const { pids } = await client.callTool({ name: `${server}__grandchild`, arguments: {} });
  return Array.isArray(pids) ? pids[0] : undefined;
}

async function names(client: Client): Promise<string[]> {
  const { tools } = await client.listTools();
  return tools.map(({ name }) => name);
}

test("restarts what changed, keeps sessions and calls, and tells clients", async () => {
  const stays = rawServer();
  await start({ stays, changes: rawServer(), goes: rawServer() });
  const { client, told, sessionId } = await connect();
  const session = sessionId();
  const before = { stays: await pidOf(client, "stays"), changes: await pidOf(client, "changes") };
  const begun = createDeferred<unknown>();
  const underWay = client.callTool(
    { name: "changes__slow", arguments: { steps: 30, everyMs: 100 } },
    undefined,
    { onprogress: begun.resolve },
  );
  await begun.promise;

  home.writeConfiguration({
    mcpServers: {
      stays: { ...stays, tags: ["new"] },
      changes: { ...rawServer(), env: { CHANGED: "yes" } },
      comes: realServer("everything"),
    },
  });
  await expect.poll(() => told).toContain("notifications/tools/list_changed");
  await expect.poll(() => names(client), { timeout: 10_000 }).toContain("comes__echo");
  await expect.poll(() => told).toContain("notifications/resources/list_changed");
  await expect.poll(() => told).toContain("notifications/prompts/list_changed");
  const listed = await names(client);
  expect(listed.filter((name) => name.startsWith("goes__"))).toEqual([]);

  expect(await underWay).toMatchObject({ content: [{ type: "text", text: "done" }] });
  expect(await pidOf(client, "stays")).toBe(before.stays);
  expect(await pidOf(client, "changes")).not.toBe(before.changes);
  expect(sessionId()).toBe(session);
});

test.each([
  ["broken", '{"mcpServers": {'],
  ["with an unknown key", { mcpServers: { raw: { ...rawServer(), conection: "session" } } }],
  [
    "that names an idle time of a URL",
    { mcpServers: { raw: { url: "http://x", idleTimeout: 1 } } },
  ],
])("a file %s changes nothing, and the next good one counts", async (_what, wrong) => {
  await start({ raw: rawServer() });
  const { client, told } = await connect();
  const pid = await pidOf(client, "raw");
  home.writeConfiguration(wrong);
  await gateway.agent.waitFor(
    "stderr",
    /The changed configuration is wrong, the one before stays/u,
  );
  expect(await pidOf(client, "raw")).toBe(pid);
  expect(await names(client)).toContain("raw__rpc-error");
  expect(told).toEqual([]);

  home.writeConfiguration({ mcpServers: { raw: rawServer(), second: rawServer("pages") } });
  await expect.poll(() => told).toContain("notifications/tools/list_changed");
  await expect.poll(() => names(client)).toContain("second__page-0-a");
  expect(await pidOf(client, "raw")).toBe(pid);
});

test("a client's own connection is ended with the server it belongs to, and made anew", async () => {
  const everything = { ...realServer("everything"), connection: "session" };
  await start({ everything });
  const client = new Client({ name: "desk", version: "1" }, { capabilities: { roots: {} } });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`)));
  clients.push(client);
  expect(await names(client)).toContain("everything__get-roots-list");
  home.writeConfiguration({
    mcpServers: { everything: { ...everything, env: { CHANGED: "yes" } } },
  });
  await gateway.agent.waitFor("stderr", /is in effect/u);
  await expect
    .poll(
      async () => {
        const answer = await client.callTool({ name: "everything__get-env", arguments: {} });
        return JSON.stringify(answer);
      },
      { timeout: 10_000 },
    )
    .toContain("CHANGED");
  expect(await names(client)).toContain("everything__get-roots-list");
});
