import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RpcMessage } from "../../src/core/json-rpc.ts";
import { createSseTransport } from "../../src/mcp-client/sse-transport.ts";
import { createStreamableHttpTransport } from "../../src/mcp-client/streamable-http-transport.ts";
import type { StopSignal } from "../../src/core/stop-signal.ts";
import { HttpStatusError } from "../../src/mcp-client/transport.ts";
import type { HttpAnswer, SendHttp, Transport } from "../../src/mcp-client/transport.ts";
import { createRecorder } from "./support/http-client.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const aborted = (signal: StopSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const end = (): void => reject(signal.reason);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
  });

/** A body that goes on until its request is aborted. */
async function* trickle(signal: StopSignal): AsyncGenerator<Uint8Array> {
  for (;;) {
    yield Buffer.from("x");
    await Promise.race([pause(1000, undefined, { ref: false }), aborted(signal)]);
  }
}

/** The stream of an SSE server, which names its address and then says nothing. */
async function* sseStream(signal: StopSignal): AsyncGenerator<Uint8Array> {
  yield Buffer.from("event: endpoint\ndata: /messages\n\n");
  await aborted(signal);
}

type Post = (signal: StopSignal) => Promise<HttpAnswer>;

const silent: Post = aborted;
const refusing: Post = (signal) =>
  Promise.resolve({ status: 500, headers: {}, body: trickle(signal) });

/** A started transport to a server that treats POSTs so, and their signals. */
async function connect(
  kind: "http" | "sse",
  post: Post,
): Promise<{ transport: Transport; signals: StopSignal[] }> {
  const signals: StopSignal[] = [];
  const sendHttp: SendHttp = ({ method, signal }) => {
    if (method !== "POST") {
      const headers = { "content-type": "text/event-stream" };
      return Promise.resolve({ status: 200, headers, body: sseStream(signal) });
    }
    signals.push(signal);
    return post(signal);
  };
  const create = kind === "http" ? createStreamableHttpTransport : createSseTransport;
  const transport = create({ url: "http://server.test/mcp", headers: {}, sendHttp });
  await transport.start(createRecorder().receiver);
  return { transport, signals };
}

const request: RpcMessage = { jsonrpc: "2.0", id: 1, method: "tools/call", params: {} };
const notification: RpcMessage = { jsonrpc: "2.0", method: "notifications/initialized" };
const answer: RpcMessage = { jsonrpc: "2.0", id: 7, result: {} };

describe.each(["http", "sse"] as const)("over %s", (kind) => {
  test.each([
    ["a notification", notification],
    ["an answer", answer],
  ])("%s that is not taken is given up after 10 s", async (_what, message) => {
    const { transport, signals } = await connect(kind, silent);
    const sent = transport.send(message).catch(String);
    await vi.advanceTimersByTimeAsync(9999);
    expect(signals.map((signal) => signal.aborted)).toEqual([false]);
    await vi.advanceTimersByTimeAsync(1);
    await expect(sent).resolves.toBe("Error: it did not take a message within 10 s");
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  });

  test("a request waits for as long as its caller does", async () => {
    const { transport, signals } = await connect(kind, silent);
    const caller = new AbortController();
    const sent = transport.send(request, { signal: caller.signal }).catch(String);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(signals.map((signal) => signal.aborted)).toEqual([false]);
    caller.abort(new Error("enough"));
    await expect(sent).resolves.toBe("Error: enough");
  });

  test("a refusal counts though it does not end", async () => {
    const { transport, signals } = await connect(kind, refusing);
    const sent = transport.send(request).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    await expect(sent).resolves.toBeInstanceOf(HttpStatusError);
  });
});
