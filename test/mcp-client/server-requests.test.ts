import { describe, expect, test, vi } from "vitest";
import { RpcFault } from "../../src/core/json-rpc.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { RequestListener } from "../../src/mcp-client/mcp-connection.ts";
import { sentAfter, settle } from "./support/fake-transport.ts";
import type { FakeTransport } from "./support/fake-transport.ts";
import { openLegacy, openModern, signal } from "./support/open.ts";

const never = (): Promise<JsonObject> => new Promise(() => undefined);

/** The server asks us. */
const asks = (
  transport: FakeTransport,
  method: string,
  options: { id?: string | number; on?: string | number; params?: JsonObject } = {},
): void => {
  const { id = "q", on, params } = options;
  const request = params === undefined ? { id, method } : { id, method, params };
  transport.receiver.onMessage({ jsonrpc: "2.0", ...request }, on);
};

describe("a request of the server", () => {
  test("ping is answered, what nobody listens for is unknown, in the connection's life and in no other", async () => {
    const { connection, transport } = await openLegacy();
    const before = transport.sent.length;
    asks(transport, "ping", { id: 1 });
    await settle();
    asks(transport, "roots/list", { id: "1" });
    asks(transport, "ping", { on: 99 });
    await settle();
    expect(sentAfter(transport, before)).toEqual([
      { jsonrpc: "2.0", id: 1, result: {} },
      { jsonrpc: "2.0", id: "1", error: { code: -32_601, message: "Method not found" } },
    ]);
    await connection.close();
    asks(transport, "ping");
    await settle();
    expect(transport.sent).toHaveLength(before + 2);
  });

  test("on a request's own stream goes to that request's listener", async () => {
    const common = vi.fn<RequestListener>().mockResolvedValue({ by: "common" });
    const { connection, transport } = await openLegacy("http", { onRequest: common });
    const own = vi.fn<RequestListener>().mockResolvedValue({ by: "own" });
    const answer = connection.request("tools/call", {}, { signal: signal(), onRequest: own });
    const { id } = await transport.next("tools/call");
    const before = transport.sent.length;
    asks(transport, "elicitation/create", {
      id: 1,
      on: id,
      params: { a: 1, _meta: { progressToken: 0, kept: 1 } },
    });
    asks(transport, "elicitation/create", { id: 2 });
    await settle();
    expect(sentAfter(transport, before)).toEqual([
      { jsonrpc: "2.0", id: 1, result: { by: "own" } },
      { jsonrpc: "2.0", id: 2, result: { by: "common" } },
    ]);
    expect(own).toHaveBeenCalledWith(
      "elicitation/create",
      { a: 1, _meta: { kept: 1 } },
      expect.any(AbortSignal),
    );
    transport.answer({ id }, {});
    await answer;
    asks(transport, "elicitation/create", { id: 3, on: id });
    await settle();
    expect(transport.sent).toHaveLength(before + 2);
    expect(common).toHaveBeenCalledTimes(1);
  });

  test("a listener's RpcFault is its answer, another error says nothing of itself", async () => {
    const faults = [
      new RpcFault({ code: -1, message: "declined", data: { by: "user" } }),
      new Error("secret path"),
    ];
    const { transport } = await openLegacy("http", {
      onRequest: () => Promise.reject(faults.shift() ?? new Error("no more")),
    });
    const before = transport.sent.length;
    asks(transport, "roots/list", { id: 1 });
    asks(transport, "roots/list", { id: 2 });
    await settle();
    expect(sentAfter(transport, before)).toEqual([
      { jsonrpc: "2.0", id: 1, error: { code: -1, message: "declined", data: { by: "user" } } },
      { jsonrpc: "2.0", id: 2, error: { code: -32_603, message: "Internal error" } },
    ]);
  });

  test("is withdrawn when the server cancels it, when our request is over, and at the end", async () => {
    const signals: AbortSignal[] = [];
    const onRequest: RequestListener = (_method, _params, asked) => {
      signals.push(asked);
      return never();
    };
    const { connection, transport } = await openLegacy("http", { onRequest });
    asks(transport, "roots/list", { id: 1 });
    transport.receiver.onMessage(
      { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } },
      undefined,
    );
    const answer = connection.request("tools/call", {}, { signal: signal() });
    const { id } = await transport.next("tools/call");
    asks(transport, "roots/list", { id: 2, on: id });
    asks(transport, "roots/list", { id: 3 });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false, false]);
    transport.answer({ id }, {});
    await answer;
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false]);
    await connection.close();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
  });

  test("the same id twice is asked once; of a flood, a hundred are under way", async () => {
    const onRequest = vi.fn<RequestListener>(never);
    const { transport } = await openLegacy("http", { onRequest });
    asks(transport, "roots/list", { id: 0 });
    asks(transport, "roots/list", { id: 0 });
    expect(onRequest).toHaveBeenCalledTimes(1);
    for (let n = 0; n < 1000; n++) asks(transport, "roots/list", { id: n % 500 });
    expect(onRequest).toHaveBeenCalledTimes(100);
  });

  test("is unknown in the modern era, where servers ask within results", async () => {
    const onRequest = vi.fn<RequestListener>();
    const { connection, transport } = await openModern("pipe", { onRequest });
    void connection.request("tools/call", {}, { signal: signal(), onRequest });
    const before = transport.sent.length;
    asks(transport, "elicitation/create", { id: 7 });
    await settle();
    expect(sentAfter(transport, before)).toMatchObject([{ id: 7, error: { code: -32_601 } }]);
    expect(onRequest).not.toHaveBeenCalled();
  });
});
