import { describe, expect, it } from "vitest";
import type { CallerContext } from "../../src/gateway/gateway.ts";
import {
  deferred,
  echo,
  exchange,
  initializeMessage,
  open,
  openSession,
  rpc,
  startEndpoint,
} from "./endpoint.ts";

// Legacy sessions over Streamable HTTP, on the raw wire.

describe("initialize", () => {
  it.each(["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])(
    "settles %s",
    async (version) => {
      const { port } = await startEndpoint();
      const { last, headers } = await exchange(port, { body: initializeMessage({}, version) });
      expect(last["result"]).toEqual({
        protocolVersion: version,
        capabilities: {
          tools: { listChanged: true },
          prompts: { listChanged: true },
          resources: { listChanged: true, subscribe: true },
          completions: {},
          logging: {},
        },
        serverInfo: { name: "onedoor", title: "OneDoor", version: "1.2.3" },
        instructions: "for ada over mcp",
      });
      expect(headers["mcp-session-id"]).toMatch(/^[\x21-\x7e]{36}$/u);
    },
  );

  it("answers a version nobody knows, the modern one too, with the newest legacy one", async () => {
    const { port } = await startEndpoint();
    for (const version of ["1999-01-01", "2026-07-28"]) {
      const { last } = await exchange(port, { body: initializeMessage({}, version) });
      expect(last).toMatchObject({ result: { protocolVersion: "2025-11-25" } });
    }
  });

  it("is refused without a version", async () => {
    const { port } = await startEndpoint();
    const bad = await exchange(port, { body: rpc("initialize", {}) });
    expect([bad.status, bad.last]).toMatchObject([400, { id: 1, error: { code: -32602 } }]);
    expect(bad.headers["mcp-session-id"]).toBeUndefined();
  });
});

describe("a session", () => {
  it("is its own principal's only, and ends with DELETE", async () => {
    const { port } = await startEndpoint();
    const session = await openSession(port);
    const foreign = { ...session.headers, authorization: "Bearer bob-token" };
    for (const method of ["GET", "DELETE"]) {
      expect((await exchange(port, { method, headers: foreign })).status).toBe(404);
    }
    const posted = await exchange(port, { headers: foreign, body: echo() });
    expect([posted.status, posted.last]).toMatchObject([404, { error: { code: -32001 } }]);
    expect((await session.post(echo())).status).toBe(200);
    const end = await exchange(port, { method: "DELETE", headers: session.headers });
    expect(end.status).toBe(204);
    for (const method of ["GET", "DELETE"]) {
      expect((await exchange(port, { method, headers: session.headers })).status).toBe(404);
    }
    expect((await session.post(echo())).status).toBe(404);
  });

  it("cannot be listened to or ended without its name", async () => {
    const { port } = await startEndpoint();
    for (const method of ["GET", "DELETE", "HEAD", "PUT"]) {
      const answer = await exchange(port, { method });
      expect(answer.status).toBe(405);
      expect(answer.headers.allow).toBe("POST, GET, DELETE");
    }
  });

  it("is refused a version in the header that is none, and batches from 2025-06-18 on", async () => {
    const { port } = await startEndpoint();
    for (const [version, status] of [
      ["2025-11-25", 400],
      ["2025-06-18", 400],
      ["2025-03-26", 200],
    ] as const) {
      const session = await openSession(port, {}, { version });
      const batch = [echo({}, "a"), echo({}, "b")];
      expect((await session.post(batch)).status).toBe(status);
      const { "mcp-protocol-version": _version, ...unnamed } = session.headers;
      expect((await exchange(port, { headers: unnamed, body: batch })).status).toBe(status);
      const headers = { ...session.headers, "mcp-protocol-version": "1999-01-01" };
      expect((await exchange(port, { headers, body: echo() })).status).toBe(400);
    }
  });

  it("ends when nobody used it for long, but not while a stream is open", async () => {
    let time = 0;
    const { port, gateway } = await startEndpoint({
      now: () => time,
      sessionLimits: { perPrincipal: 3 },
    });
    const first = await openSession(port);
    const listening = await openSession(port);
    await listening.openGet();
    const third = await openSession(port);
    time += 1;
    const fourth = await openSession(port);
    expect((await first.post(echo())).status).toBe(404);
    for (const kept of [listening, third, fourth]) {
      expect((await kept.post(echo())).status).toBe(200);
    }
    await openSession(port, {}, { token: "bob-token" });
    expect((await third.post(echo())).status).toBe(200);
    expect(gateway.listeners).toBe(4);
  });

  it("takes what is said in it under the name the client gave itself", async () => {
    const { port, gateway } = await startEndpoint();
    const session = await openSession(port);
    await session.post(echo());
    expect(gateway.calls[0]?.caller).toMatchObject({
      clientName: "raw",
      sessionId: session.id,
      principal: { userId: "ada" },
      client: {
        era: "legacy",
        owner: JSON.stringify(["token", null, "ada"]),
        capabilities: {},
        session: { id: session.id },
      },
    });
  });

  it("works on a bounded number of requests at a time", async () => {
    const { port, gateway } = await startEndpoint();
    const session = await openSession(port);
    const finish = deferred<Record<string, never>>();
    gateway.call = () => finish.promise;
    const many = Array.from({ length: 257 }, (_none, id) => session.post(echo({}, id)));
    const first = await Promise.race(many);
    expect(first.last).toMatchObject({ error: { code: -32007 } });
    finish.resolve({});
    const answers = await Promise.all(many);
    expect(answers.filter(({ last }) => "error" in last)).toHaveLength(1);
  });
});

describe("without a session", () => {
  it("single requests and batches are answered", async () => {
    const { port, gateway } = await startEndpoint();
    const one = await exchange(port, { body: echo() });
    expect(one.last).toMatchObject({ result: { content: [{ type: "text" }] } });
    const batch = await exchange(port, {
      body: [echo({}, "a"), { jsonrpc: "2.0", method: "notifications/x" }, rpc("nope", {}, "b")],
    });
    expect(batch.messages[0]).toMatchObject([
      { id: "b", error: { code: -32601 } },
      { id: "a", result: {} },
    ]);
    const only = await exchange(port, { body: [{ jsonrpc: "2.0", method: "notifications/x" }] });
    expect([only.status, only.text]).toEqual([202, ""]);
    expect(gateway.calls[0]?.caller.client.session).toBeUndefined();
    await expect(
      gateway.calls[0]?.caller.client.request("roots/list", {}, new AbortController().signal),
    ).rejects.toMatchObject({ code: -32601 });
  });

  it("what needs one is refused", async () => {
    const { port } = await startEndpoint();
    const level = await exchange(port, { body: rpc("logging/setLevel", { level: "info" }) });
    expect(level.last).toMatchObject({ error: { code: -32600 } });
    const reply = await exchange(port, { body: { jsonrpc: "2.0", id: 1, result: {} } });
    expect([reply.status, reply.last]).toMatchObject([400, { id: null, error: { code: -32600 } }]);
  });
});

describe("an answer", () => {
  it("is JSON when nothing comes before it, and an event stream when something does", async () => {
    const { port, gateway } = await startEndpoint();
    const session = await openSession(port);
    const plain = await session.post(echo());
    expect(plain.headers["content-type"]).toBe("application/json");
    gateway.call = (call) => {
      call.onProgress?.({ progress: 1, "x-own": true });
      return { content: [] };
    };
    const unasked = await session.post(echo());
    expect(unasked.headers["content-type"]).toBe("application/json");
    const asked = await session.post(echo({ _meta: { progressToken: "t" } }));
    expect(asked.headers["content-type"]).toBe("text/event-stream");
    expect(asked.messages).toEqual([
      {
        jsonrpc: "2.0",
        method: "notifications/progress",
        params: { progress: 1, "x-own": true, progressToken: "t" },
      },
      { jsonrpc: "2.0", id: 1, result: { content: [] } },
    ]);
  });

  it("turns into a stream that shows a sign of life after some silence", async () => {
    const { port, gateway } = await startEndpoint({ timings: { silenceMs: 1, keepAliveMs: 1 } });
    const finish = deferred<{ content: [] }>();
    gateway.call = () => finish.promise;
    const session = await openSession(port);
    const answer = await session.openPost(echo());
    expect(answer.headers["content-type"]).toBe("text/event-stream");
    await expect.poll(() => answer.text).toContain(": still here");
    finish.resolve({ content: [] });
    expect(await answer.nextMessage()).toMatchObject({ id: 1, result: { content: [] } });
    await answer.ended;
  });

  it("to a batch is an array, or a stream of all answers", async () => {
    const { port, gateway } = await startEndpoint();
    const session = await openSession(port, {}, { version: "2025-03-26" });
    const batch = [
      echo({}, "a"),
      rpc("ping", {}, "b"),
      { jsonrpc: "2.0", method: "notifications/initialized" },
      echo({ _meta: { progressToken: 1 } }, "c"),
    ];
    const whole = await session.post(batch);
    expect(whole.messages[0]).toHaveLength(3);
    gateway.call = (call) => {
      call.onProgress?.({ progress: 1 });
      return {};
    };
    const streamed = await session.post(batch);
    expect(streamed.messages).toHaveLength(4);
    expect(streamed.messages).toContainEqual({ jsonrpc: "2.0", id: "b", result: {} });
  });

  it("of a cancelled request does not come, and its work hears of it", async () => {
    const { port, gateway } = await startEndpoint();
    const [session, other] = [await openSession(port), await openSession(port)];
    const begun = deferred<CallerContext>();
    let reason: unknown;
    gateway.call = ({ signal }, caller) => {
      begun.resolve(caller);
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          reason = signal.reason;
          reject(new Error("aborted"));
        });
      });
    };
    const pending = session.post(echo({}, 7));
    await begun.promise;
    const cancel = {
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: 7, reason: "enough" },
    };
    expect((await other.post(cancel)).status).toBe(202);
    expect((await exchange(port, { body: cancel })).status).toBe(202);
    expect(reason).toBeUndefined();
    expect((await session.post(cancel)).status).toBe(202);
    const answer = await pending;
    expect([answer.status, answer.text]).toEqual([202, ""]);
    expect(reason).toMatchObject({ code: "unreachable" });
  });

  it("that nobody waits for any more is cancelled, with and without a session", async () => {
    const { port, gateway } = await startEndpoint();
    const session = await openSession(port);
    for (const headers of [{}, session.headers]) {
      const begun = deferred();
      const gone = deferred();
      gateway.call = ({ signal }) => {
        signal.addEventListener("abort", () => gone.resolve());
        begun.resolve();
        return new Promise(() => undefined);
      };
      const abort = new AbortController();
      const pending = fetch(`http://127.0.0.1:${port}/mcp`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(echo()),
        signal: abort.signal,
      }).catch(() => undefined);
      await begun.promise;
      abort.abort();
      await expect(gone.promise).resolves.toBeUndefined();
      await pending;
    }
  });

  it("tells why when the gateway stops", async () => {
    const { port, gateway, endpoint } = await startEndpoint();
    const begun = deferred();
    gateway.call = ({ signal }) => {
      begun.resolve();
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("stopped")));
      });
    };
    const session = await openSession(port);
    const stream = await session.openGet();
    const pending = session.post(echo());
    await begun.promise;
    endpoint.endStreams();
    await stream.ended;
    endpoint.cancelAll(new Error("stopping"));
    expect((await pending).last).toMatchObject({ id: 1, error: { code: -32603 } });
    expect((await session.openGet()).status).toBe(503);
  });
});

it("404, 400 and the like leave no half-open answers", async () => {
  const { port, errors } = await startEndpoint();
  const answer = await open(port, { headers: { "mcp-session-id": "nope" }, body: echo() });
  expect(answer.headers["content-type"]).toBe("application/json");
  await answer.ended;
  expect(errors).toEqual([]);
});
