import { request } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { metaKeys } from "../../src/core/mcp.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { fakeUpstream, gatewayOf, goodToken, silentLogger } from "../gateway/fakes.ts";
import type { FakeUpstream } from "../gateway/fakes.ts";
import { ask, good, startTestServer } from "./support.ts";
import type { Answer } from "./support.ts";

let server: HttpServer;
let upstream: FakeUpstream;
const logged: string[] = [];
const open: ClientRequest[] = [];

beforeEach(async () => {
  logged.length = 0;
  upstream = fakeUpstream("one");
  const log = (...entry: unknown[]): void => void logged.push(JSON.stringify(entry));
  const logger = { ...silentLogger, debug: log, info: log, warn: log, error: log };
  server = await startTestServer({ gateway: gatewayOf([upstream]).gateway, logger });
});
afterEach(async () => {
  for (const each of open.splice(0)) each.destroy();
  await server.close(0);
});

interface Stream {
  status: number;
  headers: IncomingMessage["headers"];
  /** What was received so far. */
  readonly text: string;
  /** Resolves with the first match. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  readonly closed: Promise<void>;
  close(): void;
}

/** Opens `/sse` and keeps reading. */
function openStream(
  path = "/sse",
  headers: Readonly<Record<string, string>> = good,
): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port: server.port, path, headers, agent: false },
      (incoming) => {
        let text = "";
        const lookers = new Set<() => void>();
        incoming.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
          for (const look of lookers) look();
        });
        incoming.on("error", () => undefined);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          get text() {
            return text;
          },
          waitFor: (pattern) =>
            new Promise((found, lost) => {
              const look = (): void => {
                const match = pattern.exec(text);
                if (match !== null) found(match);
              };
              lookers.add(look);
              look();
              incoming.once("close", () => lost(new Error(`closed without ${pattern}: ${text}`)));
            }),
          closed: new Promise((done) => incoming.once("close", () => done())),
          close: () => void outgoing.destroy(),
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
    open.push(outgoing);
  });
}

async function addressOf(stream: Stream): Promise<string> {
  const [, path = ""] = await stream.waitFor(/^event: endpoint\ndata: (.*)\n\n/u);
  return path;
}

function post(path: string, body: object | string, headers: object = good): Promise<Answer> {
  return ask(server.port, path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2024-11-05",
    capabilities: {},
    clientInfo: { name: "old", version: "1" },
  },
};
const call = (id: number): JsonObject => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name: "one__echo", arguments: { message: "hi" } },
});

it("serves a client of the SDK of that time", async () => {
  const headers = { headers: good };
  const transport = new SSEClientTransport(new URL(`http://127.0.0.1:${server.port}/sse`), {
    requestInit: headers,
    eventSourceInit: {
      fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...good } }),
    },
  });
  const client = new Client({ name: "old", version: "1" });
  await client.connect(transport);
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(["one__echo"]);
  const { content } = await client.callTool({ name: "one__echo", arguments: { message: "hi" } });
  expect(content).toEqual([{ type: "text", text: '{"message":"hi"}' }]);
  await client.close();
});

describe("the stream", () => {
  it("tells the address, acknowledges what is posted there, and carries the answers", async () => {
    const stream = await openStream();
    expect(stream).toMatchObject({
      status: 200,
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      },
    });
    const address = await addressOf(stream);
    expect(address).toMatch(/^\/message\?sessionId=[0-9a-f-]{36}$/u);
    expect(await post(address, initialize)).toMatchObject({ status: 202, text: "Accepted" });
    const [, answer = ""] = await stream.waitFor(/^event: message\ndata: (.*"id":1,.*)$/mu);
    expect(JSON.parse(answer)).toMatchObject({
      id: 1,
      result: { protocolVersion: "2024-11-05", serverInfo: { name: "onedoor" } },
    });
  });

  it("carries modern requests too", async () => {
    const stream = await openStream();
    const _meta = { [metaKeys.protocolVersion]: "2026-07-28", [metaKeys.clientCapabilities]: {} };
    const address = await addressOf(stream);
    await post(address, { jsonrpc: "2.0", id: "m", method: "tools/list", params: { _meta } });
    expect(await stream.waitFor(/"id":"m","result":.*one__echo/u)).toBeTruthy();
  });

  it("that is closed ends the session and cancels its calls", async () => {
    const stream = await openStream();
    const address = await addressOf(stream);
    await post(address, initialize);
    const cancelled = new Promise<void>((resolve) => {
      upstream.answer = ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            resolve();
            reject(signal.reason);
          });
          stream.close();
        });
    });
    await post(address, call(2));
    await cancelled;
    await expect.poll(async () => (await post(address, call(3))).status).toBe(404);
  });

  it("is closed by the gateway that stops, when its calls are answered", async () => {
    const stream = await openStream();
    const idle = await openStream();
    const address = await addressOf(stream);
    await addressOf(idle);
    await post(address, initialize);
    let closing: Promise<void> | undefined;
    upstream.answer = async () => {
      closing = server.close(10_000);
      await idle.closed;
      return { content: [{ type: "text", text: "in time" }] };
    };
    await post(address, call(2));
    expect(await stream.waitFor(/in time/u)).toBeTruthy();
    await stream.closed;
    await closing;
    server = await startTestServer();
  });
});

describe("who may", () => {
  it.each([
    ["nobody", "/sse", {}, 401],
    ["a wrong bearer", "/sse", { authorization: "Bearer nonsense" }, 401],
    ["a wrong token", "/sse?token=nonsense", {}, 401],
    ["what is no token", "/sse?token=%00%0a", {}, 401],
    ["two tokens", `/sse?token=${goodToken}&token=${goodToken}`, {}, 400],
    ["a token and another bearer", "/sse?token=bob-token", good, 400],
    ["a bearer and another token", `/sse?token=${goodToken}`, { authorization: "Bearer x" }, 400],
    ["a foreign origin", `/sse?token=${goodToken}`, { origin: "https://evil.example" }, 403],
  ])("%s is not let in", async (_who, path, headers: Record<string, string>, status) => {
    const answer = await ask(server.port, path, { headers });
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain(goodToken);
  });

  it("a bearer opens the stream, and is nowhere to be read", async () => {
    const stream = await openStream("/sse", good);
    const address = await addressOf(stream);
    expect(await post(address, initialize)).toMatchObject({ status: 202 });
    await stream.waitFor(/"id":1,"result"/u);
    expect(`${stream.text}${JSON.stringify(stream.headers)}${logged.join("")}`).not.toContain(
      goodToken,
    );
  });

  it.each([
    ["a token in the query", {}],
    ["both, where they agree", good],
  ])("%s opens the stream, and is given back in the address alone", async (_who, headers) => {
    const stream = await openStream(`/sse?token=${goodToken}`, { ...headers });
    const address = await addressOf(stream);
    expect(await post(address, initialize, {})).toMatchObject({ status: 202 });
    await stream.waitFor(/"id":1,"result"/u);
    expect(stream.text.split(goodToken)).toHaveLength(2);
    expect(`${JSON.stringify(stream.headers)}${logged.join("")}`).not.toContain(goodToken);
  });

  it("a client of the SDK that knows nothing but an address with a token in it is served", async () => {
    const address = new URL(`http://127.0.0.1:${server.port}/sse?token=${goodToken}`);
    const client = new Client({ name: "old", version: "1" });
    await client.connect(new SSEClientTransport(address));
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["one__echo"]);
    await client.close();
  });

  it("a token in the query is none anywhere else", async () => {
    for (const path of ["/mcp", "/servers", "/api/v1/inspect"]) {
      expect(await ask(server.port, `${path}?token=${goodToken}`)).toMatchObject({ status: 401 });
    }
  });

  it("only its own user reaches a session", async () => {
    const stream = await openStream();
    const address = await addressOf(stream);
    const bob = { authorization: "Bearer bob-token" };
    expect(await post(address, initialize, bob)).toMatchObject({ status: 404 });
    expect(await post(address, initialize, {})).toMatchObject({ status: 401 });
    const made = "/message?sessionId=00000000-0000-4000-8000-000000000000";
    const unknown = await post(made, initialize);
    expect(unknown).toMatchObject({ status: 404 });
    // Somebody else's and none at all look the same.
    expect((await post(address, initialize, bob)).text).toBe(unknown.text);
    expect(await post("/message", initialize)).toMatchObject({ status: 404 });
    expect(stream.text).not.toContain("result");
  });

  it("another method is none, and told only to who is signed in", async () => {
    expect(await post("/sse", initialize, {})).toMatchObject({ status: 401 });
    expect(await post("/sse", initialize)).toMatchObject({
      status: 405,
      headers: { allow: expect.stringContaining("GET") },
    });
    expect(await post(`/sse?token=${goodToken}`, initialize, {})).toMatchObject({ status: 405 });
  });
});

describe("what is posted", () => {
  it.each([
    ["no JSON", "{oops", {}, 400, -32_700],
    ["no message", '{"jsonrpc":"1.0"}', {}, 400, -32_600],
    ["what is nested too deeply", `${"[".repeat(600)}${"]".repeat(600)}`, {}, 400, -32_600],
    ["a batch", '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', {}, 400, -32_600],
  ])("%s is refused, and the session lives on", async (_what, body, headers, status, code) => {
    const stream = await openStream();
    const address = await addressOf(stream);
    const answer = await post(address, body, { ...good, ...headers });
    expect(answer).toMatchObject({ status, json: { jsonrpc: "2.0", error: { code } } });
    await post(address, { jsonrpc: "2.0", id: 9, method: "ping" });
    await stream.waitFor(/"id":9,"result":\{\}/u);
  });

  it("of another type or size is refused", async () => {
    const address = await addressOf(await openStream());
    const plain = { ...good, "content-type": "text/plain" };
    expect(await post(address, initialize, plain)).toMatchObject({ status: 415 });
    expect(await post(address, `"${"x".repeat(5 * 1024 * 1024)}"`)).toMatchObject({ status: 413 });
  });
});

it("one user has at most a hundred streams", async () => {
  const streams = await Promise.all(Array.from({ length: 100 }, () => openStream()));
  await Promise.all(streams.map(addressOf));
  expect(await ask(server.port, "/sse", { headers: good })).toMatchObject({
    status: 503,
    headers: { "retry-after": "60" },
  });
  const bob = await openStream("/sse", { authorization: "Bearer bob-token" });
  expect(bob.status).toBe(200);
  streams[0]?.close();
  await expect
    .poll(async () => {
      const next = await openStream();
      if (next.status !== 200) next.close();
      return next.status;
    })
    .toBe(200);
});
