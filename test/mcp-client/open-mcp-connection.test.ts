import { describe, expect, test, vi } from "vitest";
import { RpcFault } from "../../src/core/json-rpc.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { HttpStatusError } from "../../src/mcp-client/transport.ts";
import { sentAfter, settle } from "./support/fake-transport.ts";
import { openLegacy, openModern, signal } from "./support/open.ts";

const errorBody = (id: unknown): string =>
  JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32_602, message: "bad", data: [1] } });

describe("a request", () => {
  test("comes back as the server sent it", async () => {
    const { connection, transport } = await openLegacy();
    const params = { name: "x", arguments: { deep: [{ a: null }] }, "x-unknown": true };
    const answer = connection.request("tools/call", params, { signal: signal() });
    const request = await transport.next("tools/call");
    expect(request.params).toBe(params);
    const result = { content: [{ type: "hologram" }], _meta: { a: 1 }, "x-unknown": [1] };
    transport.answer(request, result);
    expect(await answer).toBe(result);
  });

  test("fails with the server's own error", async () => {
    const { connection, transport } = await openLegacy();
    const answer = connection.request("tools/call", {}, { signal: signal() });
    const { id } = await transport.next("tools/call");
    const error = { code: -32_042, message: "sign in", data: { url: "https://x.example" } };
    transport.receiver.onMessage({ jsonrpc: "2.0", id, error }, id);
    await expect(answer).rejects.toMatchObject({ name: "RpcFault", ...error });
  });

  test("answers with a wrong or unknown id, without one, or for another stream are nobody's", async () => {
    const { connection, transport } = await openLegacy();
    const one = connection.request("tools/call", { n: 1 }, { signal: signal() });
    const two = connection.request("tools/call", { n: 2 }, { signal: signal() });
    const first = await transport.next("tools/call");
    const second = await transport.next("tools/call");
    const { receiver } = transport;
    transport.answer({ id: 99 }, { wrong: true }, undefined);
    transport.answer({ id: "nobody" }, { wrong: true }, undefined);
    // An answer to the one on the stream of the other.
    transport.answer(first, { wrong: true }, second.id);
    receiver.onMessage({ jsonrpc: "2.0", id: null, error: { code: 1, message: "" } }, undefined);
    transport.answer(second, { n: 2 });
    transport.answer(first, { n: 1 });
    transport.answer(first, { twice: true });
    expect(await one).toEqual({ n: 1 });
    expect(await two).toEqual({ n: 2 });
  });

  test("is answered under its id as text too, and by an error without one on its own stream", async () => {
    const { connection, transport } = await openLegacy();
    const one = connection.request("ping", {}, { signal: signal() });
    const { id } = await transport.next("ping");
    transport.answer({ id: String(id) }, { ok: true }, id);
    expect(await one).toEqual({ ok: true });
    const two = connection.request("ping", {}, { signal: signal() });
    const second = await transport.next("ping");
    const error = { code: -32_600, message: "no" };
    transport.receiver.onMessage({ jsonrpc: "2.0", id: null, error }, second.id);
    await expect(two).rejects.toMatchObject(error);
  });

  test("whose stream ends, or brings what cannot be taken, says which", async () => {
    const { connection, transport } = await openLegacy();
    const ended = connection.request("a", {}, { signal: signal() });
    transport.receiver.onStreamEnd((await transport.next("a")).id, "cut");
    await expect(ended).rejects.toMatchObject({ name: "AnswerFault", kind: "ended" });
    const unusable = connection.request("b", {}, { signal: signal() });
    transport.receiver.onFault((await transport.next("b")).id, "rubbish");
    await expect(unusable).rejects.toMatchObject({ kind: "unusable", message: "rubbish" });
  });

  test("asks for its progress without losing a member, whatever it is called", async () => {
    const { connection, transport } = await openLegacy();
    const text = '{"__proto__":{"a":1},"_meta":{"__proto__":{"b":2}}}';
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is one
    const asked = JSON.parse(text) as JsonObject;
    void connection.request("tools/call", asked, { signal: signal(), onProgress: () => undefined });
    const { id, params } = await transport.next("tools/call");
    expect(JSON.stringify(params)).toBe(
      `{"__proto__":{"a":1},"_meta":{"__proto__":{"b":2},"progressToken":${id}}}`,
    );
  });

  test("gets its own progress, by its token, and nobody else's", async () => {
    const { connection, transport } = await openLegacy();
    const heard: JsonObject[] = [];
    const answer = connection.request(
      "tools/call",
      { _meta: { traceparent: "00-1" } },
      { signal: signal(), onProgress: (params) => heard.push(params) },
    );
    const quiet = connection.request("quiet", {}, { signal: signal() });
    const { id, params } = await transport.next("tools/call");
    const other = await transport.next("quiet");
    expect(other.params).toEqual({});
    expect(params).toEqual({ _meta: { traceparent: "00-1", progressToken: id } });
    const tell = (progress: JsonObject, on: string | number | undefined): void =>
      transport.receiver.onMessage(
        { jsonrpc: "2.0", method: "notifications/progress", params: progress },
        on,
      );
    tell({ progressToken: id, progress: 1, "x-kept": true }, id);
    tell({ progressToken: String(id), progress: 2 }, undefined);
    tell({ progressToken: id, progress: 3 }, other.id);
    tell({ progressToken: 99, progress: 4 }, undefined);
    tell({ progress: 5 }, undefined);
    transport.answer({ id }, {});
    tell({ progressToken: id, progress: 6 }, undefined);
    transport.answer(other, {});
    await Promise.all([answer, quiet]);
    expect(heard).toEqual([{ progress: 1, "x-kept": true }, { progress: 2 }]);
  });

  test("what comes on its own stream goes to its own listener, the rest to the connection's", async () => {
    const { connection, transport, heard } = await openLegacy();
    const own: unknown[] = [];
    const answer = connection.request(
      "tools/call",
      {},
      { signal: signal(), onNotification: (method, params) => own.push([method, params]) },
    );
    const { id } = await transport.next("tools/call");
    const tell = (data: string, on: string | number | undefined): void =>
      transport.receiver.onMessage(
        { jsonrpc: "2.0", method: "notifications/message", params: { data } },
        on,
      );
    tell("own", id);
    tell("common", undefined);
    tell("nobody's", 99);
    transport.answer({ id }, {});
    await answer;
    tell("too late", id);
    expect(own).toEqual([["notifications/message", { data: "own" }]]);
    expect(heard).toEqual([["notifications/message", { data: "common" }]]);
  });

  test.each([
    ["legacy HTTP", () => openLegacy("http"), true],
    ["a legacy pipe", () => openLegacy("pipe"), true],
    ["a modern pipe", () => openModern("pipe"), true],
    ["modern HTTP, where closing the stream says it", () => openModern("http"), false],
  ])("aborted over %s is cancelled at the server", async (_what, open, told) => {
    const { connection, transport } = await open();
    const before = transport.sent.length;
    const controller = new AbortController();
    const reason = new Error("the user pressed Ctrl-C");
    const answer = connection.request("tools/call", {}, { signal: controller.signal });
    const { id } = await transport.next("tools/call");
    const stream = transport.sent.at(-1)?.options.signal;
    expect(stream?.aborted).toBe(false);
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
    expect(stream?.aborted).toBe(true);
    const cancelled = {
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: id, reason: reason.message },
    };
    expect(sentAfter(transport, before + 1)).toEqual(told ? [cancelled] : []);
    // Late, twice.
    transport.answer({ id }, {});
    transport.answer({ id }, {});
  });

  test("is not sent when it is aborted already, or the connection is over", async () => {
    const { connection, transport } = await openLegacy();
    const count = transport.sent.length;
    const reason = new Error("no");
    const aborted = AbortSignal.abort(reason);
    await expect(connection.request("a", {}, { signal: aborted })).rejects.toBe(reason);
    await connection.close();
    await expect(connection.request("a", {}, { signal: signal() })).rejects.toMatchObject({
      name: "AnswerFault",
    });
    await expect(connection.notify("a", {})).rejects.toMatchObject({ name: "AnswerFault" });
    expect(transport.sent).toHaveLength(count);
  });

  test("fails with what the transport throws", async () => {
    const { connection, transport } = await openLegacy();
    const gone = new Error("ECONNREFUSED");
    transport.onSend = () => Promise.reject(gone);
    await expect(connection.request("a", {}, { signal: signal() })).rejects.toBe(gone);
  });
});

describe("an HTTP error", () => {
  test.each([
    ["modern, its id", openModern, 400, 2],
    ["modern, no id", openModern, 404, null],
    ["modern, an id of the server's own", openModern, 500, "server-error"],
    ["legacy with a session, its id", openLegacy, 400, 2],
  ])("that carries a JSON-RPC error is that error: %s", async (_what, open, status, id) => {
    const { connection, transport } = await open();
    const error = new HttpStatusError("HTTP", { status, headers: {}, body: errorBody(id) });
    transport.onSend = () => Promise.reject(error);
    const failure = await connection.request("a", {}, { signal: signal() }).catch((fault) => fault);
    expect(failure).toBeInstanceOf(RpcFault);
    expect(failure).toMatchObject({ code: -32_602, message: "bad", data: [1], cause: error });
  });

  test.each([
    ["it is about the caller", openModern, 401, errorBody(2)],
    ["it is about the caller", openModern, 403, errorBody(2)],
    ["it is about the caller", openModern, 429, errorBody(2)],
    ["the session is unknown", openLegacy, 404, errorBody(2)],
    ["with a session, another id", openLegacy, 400, errorBody(null)],
    ["no JSON", openModern, 400, "<html>"],
    ["no error", openModern, 400, "{}"],
    ["nested too deeply", openModern, 400, "[".repeat(60_000)],
  ])("stays one when %s", async (_what, open, status, text) => {
    const { connection, transport } = await open();
    const error = new HttpStatusError("HTTP", { status, headers: {}, body: text });
    transport.onSend = () => Promise.reject(error);
    await expect(connection.request("a", {}, { signal: signal() })).rejects.toBe(error);
  });
});

describe("a modern request", () => {
  test("declares who asks, with its own capabilities and log level, under the caller's _meta", async () => {
    const { connection, transport } = await openModern("http", {
      capabilities: { elicitation: {} },
    });
    const ask = async (more: object): Promise<JsonObject | undefined> => {
      void connection.request(
        "tools/call",
        { name: "t", _meta: { traceparent: "00-1", "io.modelcontextprotocol/logLevel": "debug" } },
        { signal: signal(), ...more },
      );
      return (await transport.next("tools/call")).params;
    };
    const envelope = {
      traceparent: "00-1",
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "test", version: "9" },
      "io.modelcontextprotocol/logLevel": "debug",
    };
    expect(await ask({})).toEqual({
      name: "t",
      _meta: { ...envelope, "io.modelcontextprotocol/clientCapabilities": { elicitation: {} } },
    });
    expect(await ask({ capabilities: { sampling: {} }, logLevel: "error" })).toEqual({
      name: "t",
      _meta: {
        ...envelope,
        "io.modelcontextprotocol/clientCapabilities": { sampling: {} },
        "io.modelcontextprotocol/logLevel": "error",
      },
    });
  });
});

describe("the end", () => {
  test("by itself fails what is under way and is told", async () => {
    const { connection, transport } = await openLegacy();
    const answer = connection.request("a", {}, { signal: signal() });
    transport.receiver.onLost("it exited");
    transport.receiver.onLost("again");
    await expect(answer).rejects.toMatchObject({ name: "AnswerFault", message: "it exited" });
    expect(await connection.lost).toBe("it exited");
  });

  test("by us closes the transport, fails what is under way, and is not told", async () => {
    const { connection, transport } = await openLegacy();
    const lost = vi.fn<(reason: string) => void>();
    void connection.lost.then(lost);
    const answer = connection.request("a", {}, { signal: signal() });
    await connection.close();
    await expect(answer).rejects.toMatchObject({ name: "AnswerFault" });
    transport.receiver.onLost("late");
    await settle();
    expect(lost).not.toHaveBeenCalled();
    expect(transport.closed).toBe(true);
  });
});
