import { request } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { RpcFault } from "../../src/core/json-rpc.ts";
import type { UpstreamRequest } from "../../src/upstream/upstream.ts";
import { fakeUpstream, gatewayOf, starting, type GatewayFixture } from "../gateway/fakes.ts";
import { ask, good, startTestServer } from "./support.ts";

const path = "/api/v1/tools/call";
const call = { server: "one", tool: "echo", arguments: { message: "hi" } };
const events = { ...good, accept: "text/event-stream" };

let server: HttpServer;
afterEach(() => server.close(0));

async function start(one = fakeUpstream("one")): Promise<
  GatewayFixture & {
    one: typeof one;
    post: (body: object, headers?: object) => ReturnType<typeof ask>;
  }
> {
  const fixture = gatewayOf([one]);
  server = await startTestServer({ gateway: fixture.gateway });
  const { port } = server;
  return {
    ...fixture,
    one,
    post: (body, headers = good) => ask(port, path, { body, headers: { ...headers } }),
  };
}

describe("POST /api/v1/tools/call", () => {
  it("answers the MCP result as it is", async () => {
    const { one, post } = await start();
    const result = {
      content: [{ type: "hologram", "x-y": [null] }],
      structuredContent: 5,
      odd: {},
    };
    one.answer = () => result;
    const answer = await post(call);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual(result);
    one.answer = () => ({ content: [], isError: true });
    expect((await post(call)).status).toBe(200);
  });

  it("hands on typed text", async () => {
    const { one, post } = await start();
    await post({
      server: "one",
      tool: "echo",
      untyped: { times: "2" },
      text: "piped",
      timeoutMs: 100.5,
    });
    expect(one.requests[0]?.params).toEqual({
      name: "echo",
      arguments: { times: 2, message: "piped" },
    });
    expect(one.requests[0]?.timeoutMs).toBe(100.5);
  });

  it("takes no state that the gateway did not give out", async () => {
    const { one, post } = await start();
    const inputResponses = { q: { action: "accept", content: {} } };
    const answer = await post({ ...call, inputResponses, requestState: "forged" });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(one.requests).toEqual([]);
  });

  it("writes into the audit what the caller says of itself, cleaned", async () => {
    const { audit, post } = await start();
    await post(call, {
      ...good,
      "x-onedoor-client": "  agent\t0.1  ",
      "x-onedoor-session": "s".repeat(500),
      "x-onedoor-project": "p",
    });
    await post(call);
    expect(audit.events[0]).toMatchObject({
      userId: "ada",
      clientName: "agent?0.1",
      sessionId: `${"s".repeat(199)}…`,
      projectId: "p",
    });
    expect(audit.events[1]).toMatchObject({
      clientName: "unknown",
      sessionId: null,
      projectId: null,
    });
  });

  it.each<[string, object, string]>([
    ["no server", { tool: "echo" }, "server: "],
    ["an unknown field", { ...call, sever: 1 }, "body: "],
    ["arguments that are no object", { ...call, arguments: [] }, "arguments: expected an object"],
    ["untyped that is no text", { ...call, untyped: { a: 1 } }, "untyped.a: "],
    ["a negative limit", { ...call, timeoutMs: -1 }, "timeoutMs: "],
    ["wrong arguments", { ...call, arguments: {} }, 'one/echo: Argument "message" is missing'],
  ])("answers %s with 400, naming it", async (_name, body, message) => {
    const { one, post } = await start();
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      error: { code: "usage", message: expect.stringContaining(message) },
    });
    expect(one.requests).toEqual([]);
  });

  it.each<[string, string, Record<string, string>, number]>([
    ["broken JSON", "{", { "content-type": "application/json" }, 400],
    ["a forged prototype", '{"__proto__":{}}', { "content-type": "application/json" }, 400],
    ["no JSON", "a=1", { "content-type": "application/x-www-form-urlencoded" }, 415],
    ["no type", "{}", {}, 415],
    [
      "more than 4 MiB",
      `"${"x".repeat(4 * 1024 * 1024)}"`,
      { "content-type": "application/json" },
      413,
    ],
  ])("answers %s with its own status", async (_name, body, headers, status) => {
    await start();
    const answer = await ask(server.port, path, { body, headers: { ...good, ...headers } });
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ error: { code: "usage" } });
  });

  it.each<[Error, number, string]>([
    [
      new RpcFault({ code: -32000, message: "Upstream says no", data: { a: 1 } }),
      502,
      "tool_error",
    ],
    [new AppError("timeout", "Late"), 504, "timeout"],
    [new AppError("upstream_unavailable", "Died"), 503, "upstream_unavailable"],
    [new AppError("forbidden", "No"), 403, "forbidden"],
    [new AppError("rate_limited", "Slow down", { retryAfterSeconds: 9 }), 429, "rate_limited"],
    [new Error("a bug with a secret"), 500, "internal"],
  ])("answers %s with %i", async (error, status, code) => {
    const { one, post } = await start();
    one.answer = () => {
      throw error;
    };
    for (const headers of [good, events]) {
      const answer = await post(call, headers);
      expect(answer.status).toBe(status);
      expect(answer.json).toMatchObject({ error: { code } });
      expect(answer.text).not.toContain("a secret");
      expect(answer.headers["retry-after"]).toBe(status === 429 ? "9" : undefined);
    }
  });

  it("does not call a tool unknown while its server starts", async () => {
    const { one, post } = await start(fakeUpstream("one", {}));
    one.state = starting;
    expect((await post(call)).status).toBe(503);
    one.state = { kind: "ready", era: "modern" };
    expect((await post(call)).status).toBe(404);
  });

  it("streams progress, then the result", async () => {
    const { one, post } = await start();
    one.answer = ({ onProgress }) => {
      onProgress?.({ progress: 1, total: 2 });
      onProgress?.({ progress: 2, total: 2, message: "line\nbreak" });
      return { content: [] };
    };
    const answer = await post(call, events);
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/event-stream");
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(answer.text).toBe(
      'event: progress\ndata: {"progress":1,"total":2}\n\n' +
        'event: progress\ndata: {"progress":2,"total":2,"message":"line\\nbreak"}\n\n' +
        'event: result\ndata: {"content":[]}\n\n',
    );
    // Who also takes JSON gets that, and no progress.
    const plain = await post(call, { ...good, accept: "application/json, text/event-stream" });
    expect(plain.json).toEqual({ content: [] });
  });

  it("ends a stream that has begun with an error event", async () => {
    const { one, post } = await start();
    one.answer = ({ onProgress }) => {
      onProgress?.({ progress: 1 });
      throw new RpcFault({ code: 1, message: "Broken" });
    };
    const answer = await post(call, events);
    expect(answer.text).toBe(
      'event: progress\ndata: {"progress":1}\n\n' +
        'event: error\ndata: {"error":{"code":"tool_error","message":"Broken"}}\n\n',
    );
  });

  it.each([
    ["a stream", events],
    ["JSON", good],
  ])("cancels the call when a caller that waits for %s goes away", async (_name, headers) => {
    const { one, audit } = await start();
    let begun: ((options: UpstreamRequest) => void) | undefined;
    const called = new Promise<UpstreamRequest>((resolve) => (begun = resolve));
    one.answer = (options) =>
      new Promise<never>((_resolve, reject) => {
        options.onProgress?.({ progress: 1 });
        begun?.(options);
        options.signal.addEventListener("abort", () => reject(new Error("cancelled")));
      });
    const outgoing = request({
      host: "127.0.0.1",
      port: server.port,
      path,
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
    });
    outgoing.on("error", () => undefined);
    outgoing.end(JSON.stringify(call));
    const { signal } = await called;
    expect(signal.aborted).toBe(false);
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve()),
    );
    outgoing.destroy();
    await aborted;
    await server.close(1000);
    expect(audit.events).toMatchObject([{ status: "error", toolName: "one__echo" }]);
  });
});
