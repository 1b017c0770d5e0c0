import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { metaKeys } from "../../src/core/mcp.ts";
import { gatewayIdentity } from "../../src/mcp/mcp-identity.ts";
import { serveStdio } from "../../src/mcp/stdio-server.ts";
import type { StdioServerOptions } from "../../src/mcp/stdio-server.ts";
import { createDeferred } from "../../src/upstream/deferred.ts";
import { ada, fakeUpstream, gatewayOf } from "../gateway/fakes.ts";

function serve(more: Partial<StdioServerOptions> = {}) {
  const upstream = fakeUpstream("up");
  const { gateway } = gatewayOf([upstream]);
  const input = new PassThrough();
  const lines: string[] = [];
  const abort = new AbortController();
  const ended = serveStdio({
    gateway,
    identity: gatewayIdentity(gateway, "1"),
    caller: { principal: ada, clientName: "unknown", sessionId: null, projectId: null },
    newId: () => "id",
    input,
    write: (line) => {
      lines.push(line);
      return Promise.resolve();
    },
    ready: Promise.resolve(),
    signal: abort.signal,
    graceMs: 10_000,
    maxLineBytes: 4096,
    ...more,
  });
  return { input, lines, ended, abort, upstream };
}

const ping = (id: number): string => JSON.stringify({ jsonrpc: "2.0", id, method: "ping" });
const pong = (id: number): string => `{"jsonrpc":"2.0","id":${id},"result":{}}\n`;
const codes = (lines: readonly string[]): unknown[] =>
  lines.map((line) => {
    const message: { id: unknown; error?: { code: number } } = JSON.parse(line);
    return message.error === undefined ? message.id : message.error.code;
  });

describe("lines", () => {
  it("come in pieces, several at once, with CRLF, and the last without its end", async () => {
    const { input, lines, ended } = serve();
    const first = ping(1);
    input.write(first.slice(0, 10));
    input.write(`${first.slice(10)}\r\n\n  \r\n${ping(2)}\n`);
    input.end(ping(3));
    await ended;
    expect(lines).toEqual([pong(1), pong(2), pong(3)]);
  });

  it("that are no JSON, no UTF-8 or too long are refused, and the next is served", async () => {
    const { input, lines, ended } = serve();
    input.write("{not json}\n");
    input.write(Buffer.from([0x22, 0xff, 0x22, 0x0a]));
    input.write("x".repeat(3000));
    input.write(`${"x".repeat(3000)}\n`);
    input.end(`${ping(4)}\n`);
    await ended;
    expect(codes(lines)).toEqual([-32_700, -32_700, -32_600, 4]);
  });
});

describe("the end", () => {
  const call = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: {
      name: "up__echo",
      arguments: { message: "hi" },
      _meta: { [metaKeys.protocolVersion]: "2026-07-28", [metaKeys.clientCapabilities]: {} },
    },
  });

  it("of the input lets requests be answered", async () => {
    const { input, lines, ended, upstream } = serve();
    const asked = createDeferred<void>();
    const answered = createDeferred<JsonObject>();
    upstream.answer = () => {
      asked.resolve();
      return answered.promise;
    };
    input.end(`${call}\n`);
    await asked.promise;
    expect(lines).toEqual([]);
    answered.resolve({ content: [{ type: "text", text: "late" }] });
    await ended;
    expect(lines.join("")).toContain("late");
  });

  it("by a signal cancels them", async () => {
    const { input, lines, ended, abort, upstream } = serve();
    const cancelled = new Promise<void>((resolve) => {
      upstream.answer = ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            resolve();
            reject(signal.reason);
          });
          abort.abort();
        });
    });
    input.write(`${call}\n`);
    await cancelled;
    await ended;
    expect(lines).toEqual([]);
  });

  it("by a reader who has gone is an error", async () => {
    const { input, ended } = serve({ write: () => Promise.reject(new Error("EPIPE")) });
    input.write(`${ping(1)}\n`);
    await expect(ended).rejects.toThrow("EPIPE");
  });

  it("comes at once, with its reason, when there is no beginning", async () => {
    const { lines, ended } = serve({ ready: Promise.reject(new Error("refused")) });
    await expect(ended).rejects.toThrow("refused");
    expect(lines).toEqual([]);
  });

  it("of an input that never said anything needs no beginning", async () => {
    const { input, lines, ended } = serve({ ready: new Promise(() => undefined) });
    input.end("\n");
    await ended;
    expect(lines).toEqual([]);
  });
});

describe("a client that does not read", () => {
  it("is not read from either, until it does", async () => {
    const handedOver: (() => void)[] = [];
    const big = "x".repeat(1024 * 1024);
    const { input, ended, upstream } = serve({
      maxLineBytes: 8 * 1024 * 1024,
      write: () => new Promise((resolve) => handedOver.push(resolve)),
    });
    upstream.answer = () => ({ content: [{ type: "text", text: big }] });
    const initialize = {
      jsonrpc: "2.0",
      id: 0,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "a" } },
    };
    input.write(`${JSON.stringify(initialize)}\n`);
    const ask = (id: number): void => {
      const params = { name: "up__echo", arguments: { message: "hi" } };
      input.write(`${JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params })}\n`);
    };
    for (let id = 1; id <= 5; id += 1) ask(id);
    await expect.poll(() => handedOver.length).toBe(6);
    for (let id = 6; id <= 100; id += 1) ask(id);
    // Time enough to take them all, were they taken.
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
    expect(upstream.requests.length).toBeLessThan(10);
    for (let done = 0; done < 101; done += 1) {
      await expect.poll(() => handedOver.length).toBeGreaterThan(done);
      handedOver[done]?.();
    }
    input.end();
    await ended;
    expect(upstream.requests).toHaveLength(100);
  });
});
