import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { AppError } from "../../src/core/errors.ts";
import { RpcFault } from "../../src/core/json-rpc.ts";
import {
  deferred,
  envelope,
  exchange,
  initializeMessage,
  modern,
  rpc,
  startEndpoint,
} from "./endpoint.ts";
import type { Post } from "./endpoint.ts";

// The modern era on the raw wire: envelope, headers, statuses.

const call = (more: Parameters<typeof modern>[2] = {}, args: JsonObject = {}): Post =>
  modern("tools/call", { name: "one__echo", arguments: args }, more);
const encoded = (text: string): string => `=?base64?${Buffer.from(text).toString("base64")}?=`;
const key = (name: string): string => `io.modelcontextprotocol/${name}`;

describe("the envelope", () => {
  it.each<[string, JsonObject, number, number]>([
    ["a version nobody speaks", { [key("protocolVersion")]: "2099-01-01" }, 400, -32022],
    ["a legacy version", { [key("protocolVersion")]: "2025-11-25" }, 400, -32022],
    ["a version that is no text", { [key("protocolVersion")]: 5 }, 400, -32602],
    ["capabilities that are none", { [key("clientCapabilities")]: [] }, 400, -32602],
    ["a client without a version", { [key("clientInfo")]: { name: "x" } }, 400, -32602],
    ["a log level that is none", { [key("logLevel")]: "loud" }, 400, -32602],
  ])("with %s is refused", async (_what, meta, status, code) => {
    const { port, gateway } = await startEndpoint();
    const version = meta[key("protocolVersion")];
    const headers = {
      "mcp-protocol-version": typeof version === "string" ? version : "2026-07-28",
    };
    const answer = await exchange(port, call({ meta, headers, id: "q" }));
    expect([answer.status, answer.last]).toMatchObject([status, { id: "q", error: { code } }]);
    expect(gateway.calls).toEqual([]);
    const data = { supported: ["2026-07-28"], requested: version };
    expect(answer.last["error"]).toMatchObject(code === -32022 ? { data } : {});
  });

  it.each([
    ["no _meta at all", {}],
    ["no version in it", { _meta: { [key("clientCapabilities")]: {} } }],
  ])("with %s under a modern header is refused", async (_what, params) => {
    const { port } = await startEndpoint();
    const { headers } = modern("tools/list");
    const answer = await exchange(port, { headers, body: rpc("tools/list", params) });
    expect([answer.status, answer.last]).toMatchObject([400, { id: 1, error: { code: -32602 } }]);
  });

  it("is looked at before anything in the headers", async () => {
    const { port } = await startEndpoint();
    const meta = { [key("clientCapabilities")]: [] };
    const answer = await exchange(port, call({ meta, headers: { "mcp-method": "tools/list" } }));
    expect(answer.last).toMatchObject({ error: { code: -32602 } });
  });

  it("must hold the capabilities, and need not name the client", async () => {
    const { port, gateway } = await startEndpoint();
    const { [key("clientCapabilities")]: _none, ...without } = envelope();
    const params = { name: "one__echo", _meta: without };
    const { headers = {} } = call();
    const answer = await exchange(port, { headers, body: rpc("tools/call", params) });
    expect([answer.status, answer.last]).toMatchObject([400, { error: { code: -32602 } }]);
    const { [key("clientInfo")]: _info, ...nameless } = envelope();
    const body = rpc("tools/call", { name: "one__echo", _meta: nameless });
    expect((await exchange(port, { headers, body })).status).toBe(200);
    expect(gateway.calls[0]?.caller).toMatchObject({ clientName: "unknown", sessionId: null });
  });

  it("says who calls and what it can, and goes no further", async () => {
    const { port, gateway } = await startEndpoint();
    const meta: JsonObject = {
      [key("clientCapabilities")]: { elicitation: { form: {} }, tasks: {}, "x-own": [1] },
      [key("logLevel")]: "warning",
      "vendor/key": { a: 1 },
      traceparent: "00-a",
      progressToken: 5,
    };
    const headers = { "mcp-session-id": "whatever" };
    expect((await exchange(port, call({ meta, headers }))).status).toBe(200);
    const [{ caller, call: made } = {}] = gateway.calls;
    expect(caller).toMatchObject({
      clientName: "raw-modern",
      sessionId: null,
      client: {
        era: "modern",
        owner: JSON.stringify(["token", null, "ada"]),
        logLevel: "warning",
        session: undefined,
      },
    });
    expect(caller?.client.capabilities).toEqual({ elicitation: { form: {} }, "x-own": [1] });
    expect(made?.params["_meta"]).toEqual({ "vendor/key": { a: 1 }, traceparent: "00-a" });
  });
});

describe("headers", () => {
  it.each<[string, Record<string, string | undefined>]>([
    ["another version", { "mcp-protocol-version": "2025-11-25" }],
    ["no version", { "mcp-protocol-version": undefined }],
    ["another method", { "mcp-method": "tools/list" }],
    ["no method", { "mcp-method": undefined }],
    ["another name", { "mcp-name": "two__echo" }],
    ["no name", { "mcp-name": undefined }],
    ["a name in broken base64", { "mcp-name": "=?base64?b25l?echo?=" }],
    ["another name in base64", { "mcp-name": encoded("two__echo") }],
    ["the name in base64 that is not canonical", { "mcp-name": "=?base64?b25l X19lY2hv?=" }],
  ])("with %s contradict the body", async (_what, headers) => {
    const { port, gateway } = await startEndpoint();
    const answer = await exchange(port, call({ headers }));
    expect([answer.status, answer.last]).toMatchObject([400, { id: 1, error: { code: -32020 } }]);
    expect(gateway.calls).toEqual([]);
  });

  it("may name the tool in base64, and a resource and a prompt as well", async () => {
    const { port } = await startEndpoint();
    const name = { "mcp-name": encoded("one__echo") };
    expect((await exchange(port, call({ headers: name }))).status).toBe(200);
    const uri = "x://ü";
    const headers = { "mcp-name": encoded(uri) };
    expect((await exchange(port, modern("resources/read", { uri }, { headers }))).status).toBe(200);
    const wrong = { "mcp-name": "x" };
    const prompt = await exchange(port, modern("prompts/get", { name: "p" }, { headers: wrong }));
    expect(prompt.last).toMatchObject({ error: { code: -32020 } });
  });

  it("must repeat the arguments that the tool wants there", async () => {
    const { port, gateway } = await startEndpoint();
    const inputSchema = {
      type: "object",
      properties: {
        region: { type: "string", "x-mcp-header": "Region" },
        inner: {
          type: "object",
          properties: {
            count: { type: "integer", "x-mcp-header": "Count" },
            on: { type: "boolean", "x-mcp-header": "On" },
          },
        },
        list: { type: "array", "x-mcp-header": "List" },
      },
    };
    gateway.listing = { ...gateway.listing, tools: [{ name: "one__echo", inputSchema }] };
    const args = { region: "eu ü", inner: { count: 42, on: true }, list: [1] };
    const good = {
      "mcp-param-region": encoded("eu ü"),
      "mcp-param-count": "42.0",
      "mcp-param-on": "true",
      "mcp-param-unheard-of": "x",
    };
    expect((await exchange(port, call({ headers: good }, args))).status).toBe(200);
    expect((await exchange(port, call())).status).toBe(200);
    for (const bad of [
      { "mcp-param-region": undefined },
      { "mcp-param-region": "eu" },
      { "mcp-param-region": "=?base64?/w==?=" },
      { "mcp-param-count": "43" },
      { "mcp-param-on": "TRUE" },
    ]) {
      const answer = await exchange(port, call({ headers: { ...good, ...bad } }, args));
      expect([answer.status, answer.last]).toMatchObject([400, { error: { code: -32020 } }]);
    }
  });
});

describe("methods", () => {
  it.each([
    "initialize",
    "ping",
    "logging/setLevel",
    "resources/subscribe",
    "vendor/odd",
    "__proto__",
    "constructor",
  ])("%s is none: 404", async (method) => {
    const { port } = await startEndpoint();
    const answer = await exchange(port, modern(method));
    expect([answer.status, answer.last]).toMatchObject([404, { id: 1, error: { code: -32601 } }]);
  });

  it("discovers who we are", async () => {
    const { port } = await startEndpoint();
    const { last } = await exchange(port, modern("server/discover"));
    expect(last["result"]).toEqual({
      supportedVersions: ["2026-07-28"],
      capabilities: expect.objectContaining({ resources: { listChanged: true, subscribe: true } }),
      instructions: "for ada over mcp",
      _meta: { [key("serverInfo")]: { name: "onedoor", title: "OneDoor", version: "1.2.3" } },
      resultType: "complete",
      ttlMs: 0,
      cacheScope: "private",
    });
  });

  it("get what the era wants in a result where the server gave none, and keep what it gave", async () => {
    const { port, gateway } = await startEndpoint();
    const odd = { contents: [], "x-own": [1], _meta: { a: 1 } };
    gateway.read = () => odd;
    const uri = { uri: "x://a" };
    const bare = await exchange(port, modern("resources/read", uri));
    expect(bare.last["result"]).toEqual({
      ...odd,
      resultType: "complete",
      ttlMs: 0,
      cacheScope: "private",
    });
    const given = { ...odd, resultType: "complete", ttlMs: 5, cacheScope: "public" };
    gateway.read = () => given;
    expect((await exchange(port, modern("resources/read", uri))).last["result"]).toEqual(given);
    const asking = { resultType: "input_required", inputRequests: {}, requestState: "s" };
    gateway.read = () => asking;
    expect((await exchange(port, modern("resources/read", uri))).last["result"]).toEqual(asking);
    gateway.call = () => ({ content: [] });
    expect((await exchange(port, call())).last["result"]).toEqual({
      content: [],
      resultType: "complete",
    });
  });

  it("pass on answers to questions, and the state that belongs to them", async () => {
    const { port, gateway } = await startEndpoint();
    const params = {
      inputResponses: { a: { action: "accept" } },
      requestState: "s",
      "x-own": null,
    };
    await exchange(port, modern("tools/call", { name: "one__echo", ...params }));
    expect(gateway.calls[0]?.call.params).toMatchObject(params);
  });
});

describe("errors", () => {
  it.each<[Error, number, JsonObject]>([
    [new RpcFault({ code: -32601, message: "inner", data: [1] }), 200, { code: -32601, data: [1] }],
    [new RpcFault({ code: -32020, message: "inner" }), 200, { code: -32020 }],
    [new RpcFault({ code: -32021, message: "elicitation" }), 400, { code: -32021 }],
    [
      new AppError("timeout", "Late", { hint: "Wait" }),
      200,
      { code: -32001, message: "Late (Wait)" },
    ],
    [new Error("a secret"), 200, { code: -32603, message: "Unexpected failure" }],
  ])("%s of a call", async (thrown, status, error) => {
    const { port, gateway } = await startEndpoint();
    gateway.call = () => {
      throw thrown;
    };
    const answer = await exchange(port, call());
    expect([answer.status, answer.last]).toMatchObject([status, { id: 1, error }]);
    expect(answer.text).not.toContain("a secret");
  });

  it("of resources that are not there have each era's own code", async () => {
    const { port, gateway } = await startEndpoint();
    const uri = "x://none";
    for (const thrown of [
      new AppError("not_found", "No resource"),
      new RpcFault({ code: -32002, message: "No resource", data: { uri } }),
    ]) {
      gateway.read = () => Promise.reject(thrown);
      const { last } = await exchange(port, modern("resources/read", { uri }));
      expect(last).toMatchObject({
        error: { code: -32602, message: "No resource", data: { uri } },
      });
      const old = await exchange(port, { body: rpc("resources/read", { uri }) });
      expect(old.last).toMatchObject({ error: { code: -32002, data: { uri } } });
    }
  });
});

describe("what has no place here", () => {
  it("is refused: batches, answers, initialize under a modern header", async () => {
    const { port } = await startEndpoint();
    const { headers = {}, body = null } = call();
    const batch = await exchange(port, { body: [body] });
    expect([batch.status, batch.last]).toMatchObject([400, { id: null, error: { code: -32600 } }]);
    const reply = await exchange(port, { headers, body: { jsonrpc: "2.0", id: 1, result: {} } });
    expect([reply.status, reply.last]).toMatchObject([400, { error: { code: -32600 } }]);
    const begin = await exchange(port, {
      headers: { "mcp-protocol-version": "2026-07-28" },
      body: initializeMessage(),
    });
    expect([begin.status, begin.last]).toMatchObject([
      400,
      { id: "init", error: { code: -32020 } },
    ]);
  });

  it("but a notification is taken, if its headers say the same", async () => {
    const { port } = await startEndpoint();
    const { headers = {} } = modern("notifications/x");
    const body = { jsonrpc: "2.0", method: "notifications/x" };
    const taken = await exchange(port, { headers, body });
    expect([taken.status, taken.text]).toEqual([202, ""]);
    const other = { ...headers, "mcp-method": "notifications/y" };
    expect((await exchange(port, { headers: other, body })).status).toBe(400);
  });
});

describe("while a call runs", () => {
  it("progress and the log messages that were asked for come on its stream", async () => {
    const { port, gateway } = await startEndpoint();
    gateway.call = (made, { client }) => {
      made.onProgress?.({ progress: 1, total: 2 });
      client.notify("notifications/message", { level: "info", data: "no" });
      client.notify("notifications/message", { level: "error", data: "yes", "x-own": 1 });
      client.notify("notifications/vendor", { a: 1 });
      return { content: [] };
    };
    const meta = { progressToken: 0, [key("logLevel")]: "warning" };
    const { messages } = await exchange(port, call({ meta }));
    expect(messages).toEqual([
      {
        jsonrpc: "2.0",
        method: "notifications/progress",
        params: { progress: 1, total: 2, progressToken: 0 },
      },
      {
        jsonrpc: "2.0",
        method: "notifications/message",
        params: { level: "error", data: "yes", "x-own": 1 },
      },
      { jsonrpc: "2.0", method: "notifications/vendor", params: { a: 1 } },
      { jsonrpc: "2.0", id: 1, result: { content: [], resultType: "complete" } },
    ]);
    const silent = await exchange(port, call({ meta: { progressToken: 1 } }));
    expect(silent.text).not.toContain("notifications/message");
  });

  it("closing its stream cancels it, before and after it began", async () => {
    const { port, gateway } = await startEndpoint();
    for (const streamed of [false, true]) {
      const begun = deferred();
      const gone = deferred();
      gateway.call = ({ signal, onProgress }) => {
        if (streamed) onProgress?.({ progress: 1 });
        signal.addEventListener("abort", () => gone.resolve());
        begun.resolve();
        return new Promise(() => undefined);
      };
      const { headers = {}, body } = call({ meta: { progressToken: 1 } });
      const abort = new AbortController();
      const pending = fetch(`http://127.0.0.1:${port}/mcp`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: abort.signal,
      }).catch(() => undefined);
      await begun.promise;
      if (streamed) await pending;
      abort.abort();
      await expect(gone.promise).resolves.toBeUndefined();
      await pending;
    }
  });
});
