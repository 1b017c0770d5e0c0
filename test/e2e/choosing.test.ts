import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runAgent } from "./support/agent.ts";
import { rawServer, realServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

let home: Home;
let gateway: RunningGateway;
const clients: Client[] = [];
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await gateway.stop();
  home.remove();
});

const mcpServers = {
  raw: { ...rawServer(), tags: ["local"], tools: { deny: ["grandchild"] } },
  every: { ...realServer("everything"), tags: ["demo"], tools: { allow: ["echo"] } },
};

async function connect(query: string): Promise<Client> {
  const client = new Client({ name: "desk", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp${query}`)));
  clients.push(client);
  return client;
}

const get = async (path: string): Promise<[status: number, body: unknown]> => {
  const answer = await fetch(`${gateway.url}${path}`);
  return [answer.status, await answer.json()];
};

async function names(client: Client): Promise<string[]> {
  return (await client.listTools()).tools.map(({ name }) => name);
}

test("a client sees of the running gateway what its address chose, by the presets as they are now", async () => {
  const presets = { demo: { tags: ["demo"] } };
  gateway = await startGateway(home, { mcpServers, presets }, { args: ["--auth", "none"] });
  await runAgent(["wait"], { home });

  const client = await connect("?preset=demo");
  expect(await names(client)).toEqual(["every__echo"]);
  await expect(client.callTool({ name: "raw__grandchild", arguments: {} })).rejects.toThrow(
    'Chosen is preset "demo"',
  );
  await expect(connect("?preset=dmeo")).rejects.toThrow("Did you mean");
  expect(await get("/api/v1/inspect?filter=local+or")).toMatchObject([
    400,
    { error: { message: "The filter is wrong at character 9: a tag is missing here" } },
  ]);
  expect(await get("/api/v1/inspect?tags=local")).toMatchObject([
    200,
    { servers: [{ name: "raw" }] },
  ]);
  expect(await get("/api/v1/presets")).toEqual([
    200,
    {
      presets: [
        {
          name: "demo",
          definition: { tags: ["demo"] },
          servers: ["every"],
          missing: { servers: [], tags: [] },
        },
      ],
    },
  ]);
  const left = await connect("");
  await expect(left.callTool({ name: "raw__grandchild", arguments: {} })).rejects.toThrow(
    "is left out by the configuration",
  );

  home.writeConfiguration({ mcpServers, presets: { demo: { servers: ["raw"] } } });
  await expect
    .poll(async () => (await names(client)).some((name) => name.startsWith("raw__")))
    .toBe(true);
  expect(await names(client)).not.toContain("every__echo");
  home.writeConfiguration({ mcpServers });
  await expect.poll(async () => (await get("/api/v1/inspect?preset=demo"))[0]).toBe(404);
  await expect(names(client)).rejects.toThrow("Unknown preset");
});
