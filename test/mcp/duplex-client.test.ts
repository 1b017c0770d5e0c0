import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import type { RpcMessage } from "../../src/core/json-rpc.ts";
import { metaKeys } from "../../src/core/mcp.ts";
import { createDuplexClient } from "../../src/mcp/duplex-client.ts";
import type { DuplexClient } from "../../src/mcp/duplex-client.ts";
import { gatewayIdentity } from "../../src/mcp/mcp-identity.ts";
import { createDeferred } from "../../src/upstream/deferred.ts";
import { ada, fakeUpstream, gatewayOf } from "../gateway/fakes.ts";
import type { FakeUpstream } from "../gateway/fakes.ts";

interface Line {
  client: DuplexClient;
  upstream: FakeUpstream;
  sent: RpcMessage[];
  /** The answers so far, by id. */
  answers: () => Record<string, string | number>;
}

function openLine(): Line {
  const upstream = fakeUpstream("up");
  const { gateway } = gatewayOf([upstream]);
  const sent: RpcMessage[] = [];
  let ids = 0;
  const client = createDuplexClient({
    gateway,
    identity: gatewayIdentity(gateway, "1"),
    caller: { principal: ada, clientName: "unknown", sessionId: null, projectId: null },
    stream: { send: (message) => void sent.push(message), keepsUp: () => true },
    newId: () => `id-${(ids += 1)}`,
  });
  return {
    client,
    upstream,
    sent,
    answers: () =>
      Object.fromEntries(
        sent.flatMap((message): [string, string | number][] => {
          if ("result" in message) return [[String(message.id), "result"]];
          return "error" in message ? [[String(message.id), message.error.code]] : [];
        }),
      ),
  };
}

function initialize(id: number, protocolVersion = "2025-11-25"): JsonObject {
  const clientInfo = { name: "old", version: "1" };
  return {
    jsonrpc: "2.0",
    id,
    method: "initialize",
    params: { protocolVersion, capabilities: {}, clientInfo },
  };
}

function modern(id: number | string, method: string, params: JsonObject = {}): JsonObject {
  const _meta = {
    [metaKeys.protocolVersion]: "2026-07-28",
    [metaKeys.clientCapabilities]: {},
    [metaKeys.clientInfo]: { name: "new", version: "1" },
  };
  return { jsonrpc: "2.0", id, method, params: { ...params, _meta } };
}

const callEcho = { name: "up__echo", arguments: { message: "hi" } };
const legacyCall = (id: number): JsonObject => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: callEcho,
});

/** An upstream that answers when it is told, and hears when it is cancelled. */
function holdCalls(upstream: FakeUpstream): {
  release: () => void;
  begun: Promise<void>;
  cancelled: Promise<void>;
} {
  const begun = createDeferred<void>();
  const cancelled = createDeferred<void>();
  const released = createDeferred<JsonObject>();
  upstream.answer = ({ signal }) => {
    begun.resolve();
    signal.addEventListener("abort", () => cancelled.resolve());
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
    return Promise.race([released.promise, aborted]);
  };
  return {
    release: () => released.resolve({ content: [] }),
    begun: begun.promise,
    cancelled: cancelled.promise,
  };
}

describe("the legacy session of a line", () => {
  it("begins with initialize, once", async () => {
    const { client, answers } = openLine();
    client.receive({ jsonrpc: "2.0", id: 1, method: "tools/list" });
    client.receive({ jsonrpc: "2.0", id: 2, method: "ping" });
    client.receive(initialize(3));
    client.receive({ jsonrpc: "2.0", method: "notifications/initialized" });
    client.receive(initialize(4));
    client.receive({ jsonrpc: "2.0", id: 5, method: "tools/list" });
    await client.idle();
    expect(answers()).toEqual({ 1: -32_600, 2: "result", 3: "result", 4: -32_600, 5: "result" });
  });

  it("and modern requests go beside each other", async () => {
    const { client, answers, sent } = openLine();
    client.receive(modern("d", "server/discover"));
    client.receive(initialize(1));
    client.receive(legacyCall(2));
    client.receive(modern("m", "tools/call", callEcho));
    await client.idle();
    expect(answers()).toEqual({ d: "result", 1: "result", 2: "result", m: "result" });
    const discovered = sent.find((message) => "id" in message && message.id === "d");
    expect(discovered).toMatchObject({ result: { supportedVersions: ["2026-07-28"] } });
  });
});

describe.each([
  ["legacy", legacyCall(7)],
  ["modern", modern(7, "tools/call", callEcho)],
])("a call of the %s era", (_era, call) => {
  it("is cancelled by its id, and then gets no answer", async () => {
    const { client, upstream, answers } = openLine();
    const held = holdCalls(upstream);
    client.receive(initialize(1));
    client.receive(call);
    await held.begun;
    client.receive({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: 7 },
    });
    await held.cancelled;
    await client.idle();
    expect(answers()).toEqual({ 1: "result" });
  });

  it("is not disturbed by another one with its id", async () => {
    const { client, upstream, sent } = openLine();
    const held = holdCalls(upstream);
    client.receive(initialize(1));
    client.receive(call);
    await held.begun;
    expect(client.receive(call)).toMatchObject({ id: 7, error: { code: -32_600 } });
    held.release();
    await client.idle();
    expect(sent.filter((message) => "result" in message && message.id === 7)).toHaveLength(1);
    expect(upstream.requests).toHaveLength(1);
  });

  it("is cancelled when the line ends", async () => {
    const { client, upstream, answers } = openLine();
    const held = holdCalls(upstream);
    client.receive(initialize(1));
    client.receive(call);
    await held.begun;
    client.end();
    await held.cancelled;
    expect(answers()).toEqual({ 1: "result" });
    expect(client.receive(modern(8, "server/discover"))).toBeUndefined();
  });
});

describe("what is no message", () => {
  it.each<[string, Parameters<DuplexClient["receive"]>[0], unknown]>([
    ["a word", "hello", null],
    ["another protocol", { jsonrpc: "1.0", id: 4, method: "ping" }, 4],
    ["params as a list", { jsonrpc: "2.0", id: "a", method: "ping", params: [] }, "a"],
    ["an id that is none", { jsonrpc: "2.0", id: {}, method: "ping" }, null],
    ["an empty batch", [], null],
  ])("%s is refused and changes nothing", (_what, value, id) => {
    const { client, sent } = openLine();
    expect(client.receive(value)).toMatchObject({ id, error: { code: -32_600 } });
    expect(sent).toEqual([]);
  });

  it.each([
    ["2025-11-25", { 1: "result" }, -32_600],
    ["2025-03-26", { 1: "result", 2: "result", 3: "result", null: -32_600 }, undefined],
  ])("a batch in a session of %s", async (version, expected, code) => {
    const { client, answers } = openLine();
    client.receive(initialize(1, version));
    await client.idle();
    const fault = client.receive([
      { jsonrpc: "2.0", id: 2, method: "ping" },
      { jsonrpc: "2.0", id: 3, method: "tools/list" },
      "no message",
    ]);
    await client.idle();
    expect(answers()).toEqual(expected);
    expect(fault?.error.code).toBe(code);
  });

  it("a batch of more than a hundred is not even begun", async () => {
    const { client, answers } = openLine();
    client.receive(initialize(1, "2025-03-26"));
    await client.idle();
    const ping = { jsonrpc: "2.0", id: 2, method: "ping" };
    expect(client.receive(Array.from({ length: 101 }, () => ping))?.error.code).toBe(-32_600);
    expect(answers()).toEqual({ 1: "result" });
  });

  it("capabilities beyond 16 KiB begin no session; the next may do better", async () => {
    const { client, answers } = openLine();
    const oversized = initialize(1);
    const capabilities = { experimental: { text: "x".repeat(17 * 1024) } };
    client.receive({ ...oversized, params: { protocolVersion: "2025-11-25", capabilities } });
    await client.idle();
    client.receive(initialize(2));
    await client.idle();
    expect(answers()).toEqual({ 1: -32_602, 2: "result" });
  });

  it("an answer that nobody asked for is ignored", () => {
    const { client, sent } = openLine();
    client.receive(initialize(1));
    expect(client.receive({ jsonrpc: "2.0", id: 99, result: {} })).toBeUndefined();
    expect(client.receive({ jsonrpc: "2.0", id: null, error: { code: 1, message: "" } })).toBe(
      undefined,
    );
    expect(sent.filter((message) => "error" in message)).toEqual([]);
  });
});
