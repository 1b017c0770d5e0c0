import { afterEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { isJsonObject, parseJson, type Json, type JsonObject } from "../../src/core/json.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { methodOf } from "../../src/mcp/mcp-message.ts";
import { UpstreamRpcError, type CallOptions } from "../../src/upstream/upstream.ts";
import { echoTool, fakeUpstream, gatewayOf, starting } from "../gateway/fakes.ts";
import { ask, good, startTestServer, type Answer } from "../http/support.ts";

// What goes over the wire at /mcp, written by hand in both eras, before fake upstream servers.

type Era = "legacy" | "modern";
const eras: Era[] = ["legacy", "modern"];
const accept = "application/json, text/event-stream";
const envelope = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "modern-client", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

let server: HttpServer;
afterEach(() => server.close(0));

async function start(one = fakeUpstream("one"), startWindowMs?: number) {
  const fixture = gatewayOf([one], startWindowMs === undefined ? {} : { startWindowMs });
  server = await startTestServer({ gateway: fixture.gateway });
  return { ...fixture, one };
}

function send(
  era: Era,
  message: JsonObject,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const params = isJsonObject(message["params"]) ? message["params"] : {};
  const meta = isJsonObject(params["_meta"]) ? params["_meta"] : {};
  const name = params["name"];
  const modern = {
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": methodOf(message) ?? "",
    ...(typeof name === "string" ? { "mcp-name": name } : {}),
  };
  const body =
    era === "legacy"
      ? message
      : { ...message, params: { ...params, _meta: { ...envelope, ...meta } } };
  return ask(server.port, "/mcp", {
    body: { jsonrpc: "2.0", ...body },
    headers: { ...good, accept, ...(era === "modern" ? modern : {}), ...headers },
  });
}

/** The messages of an answer, whether it came as JSON or as a stream. */
function messagesOf({ text, headers }: Answer): Json[] {
  if (headers["content-type"]?.startsWith("text/event-stream") !== true) return [parseJson(text)];
  return text
    .split("\n")
    .flatMap((line) => (line.startsWith("data: ") ? [parseJson(line.slice(6))] : []));
}

const lastOf = (answer: Answer): JsonObject => {
  const last = messagesOf(answer).at(-1);
  return isJsonObject(last) ? last : {};
};

const call = (params: JsonObject = {}): JsonObject => ({
  id: 7,
  method: "tools/call",
  params: { name: "one__echo", arguments: { message: "hi" }, ...params },
});

const initialize = {
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "legacy-client", version: "1" },
  },
};

const openSession = async (): Promise<string> => {
  const { headers } = await send("legacy", initialize);
  return String(headers["mcp-session-id"]);
};

describe.each(eras)("%s era", (era) => {
  it("lists every tool under its exposed name, every field kept", async () => {
    const strange = {
      ...echoTool,
      title: "T",
      "x-vendor": { deep: [1, null] },
      icons: [{ src: "x" }],
    };
    await start(fakeUpstream("one", [strange]));
    const { result } = lastOf(await send(era, { id: 1, method: "tools/list" }));
    expect(result).toMatchObject({ tools: [{ ...strange, name: "one__echo" }] });
    expect(isJsonObject(result) && result["tools"]).toEqual([{ ...strange, name: "one__echo" }]);
    // The modern era must say how long a list is good and for whom.
    expect(isJsonObject(result) && [result["ttlMs"], result["cacheScope"]]).toEqual(
      era === "modern" ? [0, "private"] : [undefined, undefined],
    );
  });

  it("hands a result back with everything in it", async () => {
    const { one } = await start();
    const result: JsonObject = {
      content: [
        { type: "hologram", frames: [1, 2], "x-y": null },
        { type: "text", text: "t", annotations: { "x-z": {} }, extra: 1 },
      ],
      structuredContent: { three: null },
      _meta: { "vendor/key": { a: 1 }, "io.modelcontextprotocol/serverInfo": { name: "u" } },
      isError: true,
      resultType: "complete",
      unknown: { deep: [[]] },
    };
    one.answer = () => result;
    expect(lastOf(await send(era, call()))).toEqual({ jsonrpc: "2.0", id: 7, result });
  });

  it("hands the params on with everything but this hop's own _meta", async () => {
    const { one } = await start();
    const params = {
      arguments: { message: "hi" },
      _meta: { "vendor/key": [1], traceparent: "00-a", progressToken: 5 },
      inputResponses: { a: { action: "accept" }, odd: { method: "x", result: {} } },
      requestState: "opaque",
      task: { ttl: 1 },
      "x-unknown": null,
    };
    await send(era, call(params));
    expect(one.calls[0]?.params).toEqual({
      ...params,
      name: "echo",
      _meta: { "vendor/key": [1], traceparent: "00-a" },
    });
  });

  it("sends progress under the client's token, all of it before the result", async () => {
    const { one } = await start();
    one.answer = (_params, { onProgress }) => {
      onProgress?.({ progress: 1, total: 2 });
      onProgress?.({ progress: 2, total: 2, message: "done" });
      return { content: [] };
    };
    const messages = messagesOf(await send(era, call({ _meta: { progressToken: "tok" } })));
    expect(messages).toMatchObject([
      { method: "notifications/progress", params: { progressToken: "tok", progress: 1, total: 2 } },
      { method: "notifications/progress", params: { progressToken: "tok", message: "done" } },
      { id: 7, result: { content: [] } },
    ]);
    expect(messagesOf(await send(era, call()))).toHaveLength(1);
  });

  it("hands an upstream's JSON-RPC error on unchanged", async () => {
    const { one } = await start();
    one.answer = () => {
      throw new UpstreamRpcError(-32042, "line one\nline two", { url: "x", list: [1] });
    };
    expect(lastOf(await send(era, call()))).toEqual({
      jsonrpc: "2.0",
      id: 7,
      error: { code: -32042, message: "line one\nline two", data: { url: "x", list: [1] } },
    });
  });

  it("answers our own failures with a code, the hint and the closed code", async () => {
    const { one } = await start();
    one.answer = () => {
      throw new AppError("timeout", "Late", { hint: "Wait" });
    };
    expect(lastOf(await send(era, call()))["error"]).toEqual({
      code: -32001,
      message: "Late (Wait)",
      data: { code: "timeout", message: "Late", hint: "Wait" },
    });
    one.answer = () => {
      throw new Error("a secret");
    };
    const bug = await send(era, call());
    expect(lastOf(bug)["error"]).toMatchObject({ code: -32603, message: "Unexpected failure" });
    expect(bug.text).not.toContain("a secret");
  });

  it("answers an unknown tool with -32602 and what may have been meant", async () => {
    await start();
    const { error } = lastOf(await send(era, call({ name: "one__ehco" })));
    expect(error).toMatchObject({
      code: -32602,
      message: 'Unknown tool "one__ehco" (Did you mean one__echo?)',
    });
    const nameless = lastOf(await send("legacy", { id: 1, method: "tools/call", params: {} }));
    expect(nameless["error"]).toMatchObject({ code: -32602 });
  });

  it("lets the model see what is wrong with its arguments", async () => {
    const { one, audit } = await start();
    const { result } = lastOf(await send(era, call({ arguments: { mesage: "x" } })));
    expect(result).toMatchObject({
      isError: true,
      content: [{ type: "text", text: expect.stringContaining('"message" is missing') }],
    });
    expect(one.calls).toEqual([]);
    expect(audit.events).toMatchObject([{ status: "error" }]);
  });

  it.each(["resources/list", "prompts/get", "logging/setLevel", "vendor/odd", "__proto__"])(
    "does not know %s: -32601, in the modern era as HTTP 404",
    async (method) => {
      await start();
      const answer = await send(era, { id: 3, method });
      expect(lastOf(answer)).toMatchObject({ id: 3, error: { code: -32601 } });
      expect(answer.status).toBe(era === "modern" ? 404 : 200);
    },
  );

  it("lists only when the servers had their chance to start", async () => {
    const one = fakeUpstream("one", []);
    one.state = starting;
    const { pool } = await start(one, 60_000);
    const listed = send(era, { id: 1, method: "tools/list" });
    expect((await send(era, { id: 2, method: "vendor/odd" })).status).toBeGreaterThan(0);
    one.tools = [echoTool];
    one.state = { kind: "ready", sinceMs: 0, era: "legacy" };
    pool.changed();
    expect(lastOf(await listed)).toMatchObject({ result: { tools: [{ name: "one__echo" }] } });
  });

  it("cancels the call when its stream is closed", async () => {
    const { one } = await start();
    let begun: ((options: CallOptions) => void) | undefined;
    const called = new Promise<CallOptions>((resolve) => (begun = resolve));
    one.answer = (_params, options) => {
      begun?.(options);
      return new Promise(() => undefined);
    };
    const client = new AbortController();
    const modern = {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": "one__echo",
    };
    const params = { name: "one__echo", arguments: { message: "" } };
    const body = {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: era === "legacy" ? params : { ...params, _meta: envelope },
    };
    const pending = fetch(`http://127.0.0.1:${server.port}/mcp`, {
      method: "POST",
      signal: client.signal,
      headers: {
        ...good,
        accept,
        "content-type": "application/json",
        ...(era === "modern" ? modern : {}),
      },
      body: JSON.stringify(body),
    }).catch(() => undefined);
    const { signal } = await called;
    const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
    client.abort();
    await aborted;
    await pending;
    expect(signal.aborted).toBe(true);
  });
});

const post = (body: string, type = "application/json") =>
  ask(server.port, "/mcp", { body, headers: { ...good, accept, "content-type": type } });

describe("a body", () => {
  it("that is no JSON is a JSON-RPC parse error; another type is 415; too much is 413", async () => {
    await start();
    const broken = await post("{");
    expect(broken.status).toBe(400);
    expect(broken.json).toMatchObject({ jsonrpc: "2.0", id: null, error: { code: -32700 } });
    expect((await post("{}", "text/plain")).status).toBe(415);
    expect((await post(`"${"x".repeat(4 * 1024 * 1024)}"`)).status).toBe(413);
    for (const odd of ["null", "5", "[]", "{}", '{"jsonrpc":"2.0"}', '"x"']) {
      expect((await post(odd)).status).toBe(400);
    }
  });

  it("may hold a batch in the legacy era", async () => {
    const { one } = await start();
    const batch = [
      { jsonrpc: "2.0", ...call(), id: "a" },
      { jsonrpc: "2.0", id: "b", method: "resources/list" },
      { jsonrpc: "2.0", ...call({ arguments: { message: "two" }, requestState: "s" }), id: "c" },
    ];
    const answer = await ask(server.port, "/mcp", { body: batch, headers: { ...good, accept } });
    const byId = new Map(
      messagesOf(answer).flatMap((m) => (isJsonObject(m) ? [[m["id"], m]] : [])),
    );
    expect(byId.get("b")).toMatchObject({ error: { code: -32601 } });
    expect(byId.get("c")).toMatchObject({ result: { content: [{ type: "text" }] } });
    expect(one.calls.map(({ params }) => params)).toEqual([
      { name: "echo", arguments: { message: "hi" } },
      { name: "echo", arguments: { message: "two" }, requestState: "s" },
    ]);
  });
});

describe("a modern request", () => {
  it("must say in its headers what it says in its body", async () => {
    await start();
    const answer = await send("modern", call(), { "mcp-name": "other" });
    expect(answer.status).toBe(400);
    expect(lastOf(answer)).toMatchObject({ error: { code: -32020 } });
  });

  it("finds out the gateway with server/discover, instructions included", async () => {
    const one = fakeUpstream("one");
    one.instructions = "Be careful";
    await start(one);
    const { result } = lastOf(await send("modern", { id: 1, method: "server/discover" }));
    expect(result).toMatchObject({
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: { listChanged: true } },
      instructions: expect.stringContaining("| Be careful"),
    });
  });

  it("may listen for changes of the tools, and is let go when the gateway stops", async () => {
    const { one, pool } = await start();
    const method = "subscriptions/listen";
    const params = { notifications: { toolsListChanged: true }, _meta: envelope };
    const { body } = await fetch(`http://127.0.0.1:${server.port}/mcp`, {
      method: "POST",
      headers: {
        ...good,
        accept,
        "content-type": "application/json",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": method,
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 9, method, params }),
    });
    let heard = "";
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    const hear = async (wanted: string): Promise<void> => {
      while (!heard.includes(wanted)) {
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
        if (done) throw new Error(`The stream ended without ${wanted}: ${heard}`);
        heard += value;
      }
    };
    await hear("notifications/subscriptions/acknowledged");
    one.tools = [];
    pool.changed();
    await hear("notifications/tools/list_changed");
    // A grace of a minute: what stays open would outlast the test.
    await server.close(60_000);
    expect(heard).toContain('"io.modelcontextprotocol/subscriptionId":9');
    await reader?.cancel().catch(() => undefined);
  });

  it("is known in the audit by its own client's name, and has no session", async () => {
    const { audit } = await start();
    await send("modern", call(), { "mcp-session-id": "whatever" });
    expect(audit.events).toMatchObject([{ clientName: "modern-client", sessionId: null }]);
  });
});

describe("a legacy session", () => {
  it("begins with initialize, which says who we are and what to know", async () => {
    await start();
    const answer = await send("legacy", initialize);
    expect(lastOf(answer)["result"]).toMatchObject({
      protocolVersion: "2025-11-25",
      serverInfo: { name: "onedoor", version: "1.2.3" },
      capabilities: { tools: { listChanged: false } },
      instructions: expect.stringContaining("=== PLAYBOOK ==="),
    });
    expect(answer.headers["mcp-session-id"]).toMatch(/^[\x21-\x7e]{20,}$/u);
  });

  it("names the client and the session in the audit", async () => {
    const { audit } = await start();
    const id = await openSession();
    await send("legacy", call(), { "mcp-session-id": id });
    await send("legacy", call());
    expect(audit.events).toMatchObject([
      { clientName: "legacy-client", sessionId: id },
      { clientName: "unknown", sessionId: null },
    ]);
  });

  it("ends with DELETE, and is then 404 like one that never was", async () => {
    await start();
    const id = await openSession();
    const headers = { ...good, "mcp-session-id": id };
    expect((await ask(server.port, "/mcp", { method: "DELETE", headers })).status).toBe(204);
    expect((await ask(server.port, "/mcp", { method: "DELETE", headers })).status).toBe(404);
    const answer = await send("legacy", call(), { "mcp-session-id": id });
    expect(answer.status).toBe(404);
    expect(answer.json).toMatchObject({ jsonrpc: "2.0", error: { code: -32001 } });
  });

  it("takes notifications/cancelled for its own calls only", async () => {
    const { one } = await start();
    const signals: AbortSignal[] = [];
    let begun: (() => void) | undefined;
    one.answer = (_params, { signal }) => {
      signals.push(signal);
      begun?.();
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("cancelled")));
      });
    };
    const [mine, other] = [await openSession(), await openSession()];
    const calls = [];
    for (const session of [mine, other]) {
      const called = new Promise<void>((resolve) => (begun = resolve));
      calls.push(send("legacy", call(), { "mcp-session-id": session }));
      await called;
    }
    const cancel = { method: "notifications/cancelled", params: { requestId: 7 } };
    expect((await send("legacy", cancel)).status).toBe(202);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    expect((await send("legacy", cancel, { "mcp-session-id": mine })).status).toBe(202);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await calls[0];
    await send("legacy", cancel, { "mcp-session-id": other });
    await calls[1];
  });
});
