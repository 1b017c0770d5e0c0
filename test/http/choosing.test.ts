import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { metaKeys } from "../../src/core/mcp.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { shop } from "../gateway/choice-world.ts";
import { ask, good, startTestServer } from "./support.ts";
import type { Answer, Question } from "./support.ts";

let server: HttpServer;
let world: ReturnType<typeof shop>;
const clients: Client[] = [];

beforeEach(async () => {
  world = shop();
  server = await startTestServer({ gateway: world.gateway });
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await server.close(0);
});

const get = (path: string): Promise<Answer> => ask(server.port, path, { headers: good });
const modern = (method: string, params: object): Question => ({
  headers: {
    ...good,
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": method,
    ...("name" in params ? { "mcp-name": String(params.name) } : {}),
  },
  body: {
    jsonrpc: "2.0",
    id: 1,
    method,
    params: {
      ...params,
      _meta: { [metaKeys.protocolVersion]: "2026-07-28", [metaKeys.clientCapabilities]: {} },
    },
  },
});
const call = (path: string, body: object): Promise<Answer> =>
  ask(server.port, path, { headers: good, body });
const callOf = (of: string) => ({ server: of, tool: "echo", arguments: { message: "x" } });

/** What is wrong with a query, how it is refused, and in which words. */
const refusals: [query: string, status: number, code: string, message: string][] = [
  ["preset=dve", 404, "not_found", 'Unknown preset "dve"'],
  ["filter=web+and", 400, "usage", "The filter is wrong at character 8: a tag is missing here"],
  ["filter=", 400, "usage", "The filter is wrong at character 1: a tag is missing here"],
  ["preset=", 400, "usage", "The name of a preset must not be empty"],
  ["tags=", 400, "usage", "A tag must not be empty"],
  ["tags=a,,b", 400, "usage", "A tag must not be empty"],
  ["preset=dev&preset=web", 400, "usage", "preset stands in the query more than once"],
  ["filter=a&filter=b", 400, "usage", "filter stands in the query more than once"],
];

describe("a choice in the query", () => {
  it.each([
    ["preset=dev", ["files"]],
    ["tags=web,slow", ["git", "shop"]],
    ["tags=web&tags=slow", ["git", "shop"]],
    ["filter=local%20and%20not%20slow", ["files"]],
    ["preset=web&tags=local", []],
  ])("of /api/v1/inspect: %s", async (query, names) => {
    expect((await get(`/api/v1/inspect?${query}`)).json).toMatchObject({
      servers: names.map((name) => ({ name })),
    });
  });

  it("of /api/v1/instructions and of calls", async () => {
    expect((await get("/api/v1/instructions?preset=web")).text).not.toContain("git");
    expect((await call("/api/v1/tools/call?preset=web", callOf("shop"))).status).toBe(200);
    const outside = await call("/api/v1/tools/call?preset=web", callOf("files"));
    expect([outside.status, outside.json]).toEqual([
      404,
      {
        error: {
          code: "not_found",
          message: 'Tool "files__echo" is not among what was chosen',
          hint: 'Chosen is preset "web"; ask without that',
        },
      },
    ]);
    const byName = { tool: "files__echo", arguments: { message: "x" } };
    expect((await call("/api/mcp/tools/call?preset=web", byName)).status).toBe(404);
    expect((await call("/api/mcp/tools/call?preset=dev", byName)).status).toBe(200);
    expect(world.upstreams.map(({ requests }) => requests.length)).toEqual([1, 0, 1]);
  });

  it.each(refusals)("%s is %i", async (query, status, code, message) => {
    for (const path of ["/api/v1/inspect", "/api/v1/instructions", "/sse"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const answer = await get(`${path}?${query}`);
      expect([path, answer.status, answer.json]).toMatchObject([
        path,
        status,
        { error: { code, message } },
      ]);
    }
    const rpc = await ask(server.port, `/mcp?${query}`, modern("tools/list", {}));
    expect([rpc.status, rpc.json]).toMatchObject([
      status,
      { jsonrpc: "2.0", id: null, error: { code: -32_600, data: { code } } },
    ]);
    expect(JSON.stringify(rpc.json)).toContain(JSON.stringify(message).slice(1, -1));
  });

  it("misspelt is refused where queries are strict", async () => {
    for (const path of ["/api/v1/inspect", "/api/v1/instructions", "/api/v1/presets"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await get(`${path}?tag=web`)).status).toBe(400);
    }
  });

  it("is of a request of the modern era alone", async () => {
    const list = async (query: string): Promise<unknown> =>
      (await ask(server.port, `/mcp${query}`, modern("tools/list", {}))).json;
    expect(await list("?preset=web")).toMatchObject({
      result: { tools: [{ name: "s__echo" }, { name: "s__look" }] },
    });
    const params = { name: "files__echo", arguments: { message: "x" } };
    expect(
      (await ask(server.port, "/mcp?filter=web", modern("tools/call", params))).json,
    ).toMatchObject({ error: { data: { code: "not_found" } } });
    expect((await ask(server.port, "/mcp", modern("tools/call", params))).json).toMatchObject({
      result: { content: [{ type: "text" }] },
    });
  });
});

const toolsOf = async (client: Client): Promise<string[]> =>
  (await client.listTools()).tools.map(({ name }) => name);

describe.each(["/mcp", "/sse"])("a session of the legacy era at %s", (path) => {
  async function connect(query: string): Promise<Client> {
    const client = new Client({ name: "test", version: "1" });
    const url = new URL(`http://127.0.0.1:${server.port}${path}${query}`);
    const options = { requestInit: { headers: good } };
    await client.connect(
      path === "/mcp"
        ? new StreamableHTTPClientTransport(url, options)
        : new SSEClientTransport(url, options),
    );
    clients.push(client);
    return client;
  }

  it("is told of what was chosen in its address, and reaches nothing else", async () => {
    const client = await connect("?preset=dev");
    expect(await toolsOf(client)).toEqual(["files__echo", "files__look"]);
    expect(client.getInstructions()).not.toContain("shop");
    const wanted = { name: "s__echo", arguments: { message: "x" } };
    await expect(client.callTool(wanted)).rejects.toThrow("is not among what was chosen");
    await client.callTool({ ...wanted, name: "files__echo" });
    expect(world.upstreams.map(({ requests }) => requests.length)).toEqual([1, 0, 0]);
    expect(await toolsOf(await connect(""))).toHaveLength(6);
  });

  it("hears of changes of what it chose only", async () => {
    const heard: string[] = [];
    const listen = async (query: string): Promise<void> => {
      const client = await connect(query);
      client.fallbackNotificationHandler = ({ method }) => {
        heard.push(`${query} ${method}`);
        return Promise.resolve();
      };
      await toolsOf(client);
    };
    await listen("?tags=local");
    await listen("?tags=web");
    const [files, , web] = world.upstreams;
    for (const upstream of [files, web]) {
      if (upstream === undefined) continue;
      upstream.listing = { ...upstream.listing, tools: upstream.listing.tools.slice(1) };
      world.pool.changed();
      // oxlint-disable-next-line no-await-in-loop -- one change after the other
      await expect.poll(() => heard.length).toBeGreaterThan(upstream === files ? 0 : 1);
    }
    expect(heard).toEqual([
      "?tags=local notifications/tools/list_changed",
      "?tags=web notifications/tools/list_changed",
    ]);
  });
});

it("/api/v1/presets lists what there is to choose from", async () => {
  const { status, json } = await get("/api/v1/presets");
  expect([status, json]).toEqual([
    200,
    {
      presets: [
        {
          name: "dev",
          definition: { filter: "local and not slow" },
          servers: ["files"],
          missing: { servers: [], tags: [] },
        },
        {
          name: "web",
          definition: { tags: ["web"] },
          servers: ["shop"],
          missing: { servers: [], tags: [] },
        },
      ],
    },
  ]);
  expect((await ask(server.port, "/api/v1/presets")).status).toBe(401);
});
