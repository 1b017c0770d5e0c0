import { describe, expect, it } from "vitest";
import { isJsonObject } from "../../src/core/json.ts";
import type { JsonObject } from "../../src/core/json.ts";
import {
  deferred,
  echo,
  exchange,
  modern,
  open,
  openSession,
  rpc,
  startEndpoint,
} from "./endpoint.ts";

// What nobody who means well would send; and what must not pile up.

const listOf = (count: number): JsonObject => echo({ arguments: { list: Array(count).fill(1) } });

describe("a body", () => {
  it.each<[string, string, number, number]>([
    ["nothing", "", 400, -32700],
    ["no JSON", "{", 400, -32700],
    ["half a surrogate too many", '{"jsonrpc":"2.0","id":1,"method":"\\ud800"', 400, -32700],
    ["null", "null", 400, -32600],
    ["a number", "5", 400, -32600],
    ["an empty batch", "[]", 400, -32600],
    ["an empty object", "{}", 400, -32600],
    ["another JSON-RPC", '{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, -32600],
    [
      "params that are a list",
      '{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}',
      400,
      -32600,
    ],
    ["an id that is an object", '{"jsonrpc":"2.0","id":{},"method":"ping"}', 400, -32600],
    ["an id that is null", '{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, -32600],
    [
      "a batch with something else in it",
      '[{"jsonrpc":"2.0","id":1,"method":"ping"},5]',
      400,
      -32600,
    ],
    ["a batch in a batch", '[[{"jsonrpc":"2.0","id":1,"method":"ping"}]]', 400, -32600],
    ["initialize in a batch", '[{"jsonrpc":"2.0","id":1,"method":"initialize"}]', 400, -32600],
  ])("with %s", async (_what, body, status, code) => {
    const { port, errors } = await startEndpoint();
    const answer = await exchange(port, { method: "POST", headers: {}, body });
    expect([answer.status, answer.last]).toMatchObject([
      status,
      { jsonrpc: "2.0", error: { code } },
    ]);
    expect(errors).toEqual([]);
  });

  it("that is wrong is answered under its id where that can be read", async () => {
    const { port } = await startEndpoint();
    const wrong = await exchange(port, { body: { id: 5, method: "ping" } });
    expect(wrong.last).toMatchObject({ id: 5, error: { code: -32600 } });
    const reply = await exchange(port, { body: { id: 5, result: 1 } });
    expect(reply.last).toMatchObject({ id: null, error: { code: -32600 } });
  });

  it.each(["[", '{"a":'])(
    "nested 100,000 times by %s is refused, and nothing falls over",
    async (level) => {
      const { port, errors, gateway } = await startEndpoint();
      const close = level === "[" ? "]" : "}";
      const deep = `${level.repeat(100_000)}1${close.repeat(100_000)}`;
      const call = `{"jsonrpc":"2.0","id":"d","method":"tools/call","params":{"name":"one__echo","arguments":${deep}}}`;
      for (const body of [deep, call, `[${call}]`]) {
        const answer = await exchange(port, { body });
        expect([answer.status, answer.last]).toMatchObject([400, { error: { code: -32600 } }]);
      }
      expect((await exchange(port, { body: echo() })).status).toBe(200);
      expect([errors, gateway.calls.length]).toEqual([[], 1]);
    },
  );

  it("of more values than are worth making is refused; brackets in strings are none", async () => {
    const { port, gateway } = await startEndpoint();
    const refused = await exchange(port, { body: listOf(200_010) });
    expect([refused.status, refused.last]).toMatchObject([400, { error: { code: -32600 } }]);
    expect((await exchange(port, { body: listOf(150_000) })).status).toBe(200);
    const text = '[{"\\\\" ,[\\'.repeat(100_000);
    expect((await exchange(port, { body: echo({ arguments: { text } }) })).status).toBe(200);
    expect(gateway.calls.at(-1)?.call.params["arguments"]).toEqual({ text });
  });

  it("with more than a hundred messages is refused", async () => {
    const { port } = await startEndpoint();
    const batch = Array.from({ length: 101 }, (_none, id) => rpc("ping", {}, id));
    expect((await exchange(port, { body: batch })).status).toBe(400);
    expect((await exchange(port, { body: batch.slice(1) })).messages[0]).toHaveLength(100);
  });

  it("may name what objects have by themselves", async () => {
    const { port, gateway } = await startEndpoint();
    const body =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"one__echo","__proto__":{"a":1},"arguments":{"constructor":1}}}';
    expect((await exchange(port, { body })).status).toBe(200);
    expect(Object.hasOwn(gateway.calls[0]?.call.params ?? {}, "__proto__")).toBe(true);
    for (const method of ["__proto__", "constructor", "toString", ""]) {
      const answer = await exchange(port, { body: rpc(method) });
      expect([answer.status, answer.last]).toMatchObject([200, { error: { code: -32601 } }]);
    }
  });
});

describe("Accept", () => {
  it.each<[string, number]>([
    ["application/json, text/event-stream", 200],
    ["text/event-stream;q=0.5 , APPLICATION/JSON", 200],
    ["*/*", 200],
    ["application/*, text/*", 200],
    ["application/json", 406],
    ["text/event-stream", 406],
    ["text/html", 406],
  ])("%s", async (accept, status) => {
    const { port } = await startEndpoint();
    for (const post of [{ body: echo() }, modern("tools/list")]) {
      const answer = await exchange(port, { ...post, headers: { ...post.headers, accept } });
      expect(answer.status).toBe(status);
    }
  });
});

describe("a flood", () => {
  it("of calls takes a principal its own share, and nobody else any", async () => {
    const { port, gateway } = await startEndpoint();
    const finish = deferred();
    const begun = deferred();
    let running = 0;
    gateway.call = async ({ params }) => {
      if (isJsonObject(params["arguments"]) && params["arguments"]["wait"] === true) {
        running += 1;
        if (running === 500) begun.resolve();
        await finish.promise;
      }
      return { content: [] };
    };
    const waiting = Array.from({ length: 500 }, () =>
      exchange(port, { body: echo({ arguments: { wait: true } }) }),
    );
    await begun.promise;
    const statusOf = async (token: string): Promise<number> =>
      (await exchange(port, { headers: { authorization: `Bearer ${token}` }, body: echo() }))
        .status;
    expect([await statusOf("ada-token"), await statusOf("bob-token")]).toEqual([503, 200]);
    finish.resolve();
    await Promise.all(waiting);
    expect(await statusOf("ada-token")).toBe(200);
  });

  it("of large bodies that are worked on is bounded for each principal", async () => {
    const { port, gateway } = await startEndpoint();
    const finish = deferred();
    const begun = deferred();
    gateway.call = async () => {
      if (gateway.calls.length === 16) begun.resolve();
      if (gateway.calls.length <= 16) await finish.promise;
      return { content: [] };
    };
    const large = echo({ arguments: { text: "x".repeat(4 * 1024 * 1024 - 1_000) } });
    const waiting = Array.from({ length: 16 }, () => exchange(port, { body: large }));
    await begun.promise;
    expect((await exchange(port, { body: large })).status).toBe(503);
    expect((await exchange(port, { body: echo() })).status).toBe(200);
    finish.resolve();
    await Promise.all(waiting);
    expect((await exchange(port, { body: large })).status).toBe(200);
  });

  it("of sessions costs its own principal the oldest of them, and nobody else any", async () => {
    const { port, gateway } = await startEndpoint({ sessionLimits: { perPrincipal: 5 } });
    const bob = await openSession(port, {}, { token: "bob-token" });
    const mine = [];
    for (let count = 0; count < 20; count += 1) mine.push(await openSession(port));
    const alive = await Promise.all(
      mine.map(async (session) => (await session.post(echo())).status),
    );
    expect(alive.filter((status) => status === 200)).toHaveLength(5);
    expect((await bob.post(echo())).status).toBe(200);
    expect(gateway.listeners).toBe(6);
  });

  it("of sessions in total lets those go first that nobody holds a stream to", async () => {
    const { port } = await startEndpoint({ sessionLimits: { inTotal: 3 } });
    const held = await openSession(port);
    const stream = await held.openGet();
    for (let count = 0; count < 6; count += 1) await openSession(port);
    expect((await held.post(echo())).status).toBe(200);
    stream.cut();
  });

  it("of GET streams closes the oldest", async () => {
    const { port } = await startEndpoint();
    const session = await openSession(port);
    const first = await session.openGet();
    for (let count = 0; count < 8; count += 1) await session.openGet();
    await first.ended;
    expect((await session.post(echo())).status).toBe(200);
  });

  it("of news nobody reads piles up nowhere, and the result comes all the same", async () => {
    const { port, gateway } = await startEndpoint();
    const reported = deferred();
    const begun = deferred();
    const megabyte = "x".repeat(1024 * 1024);
    gateway.call = async ({ onProgress }, { client }) => {
      onProgress?.({ progress: 0 });
      await begun.promise;
      for (let progress = 1; progress <= 100; progress += 1) {
        onProgress?.({ progress, message: megabyte });
        client.notify("notifications/message", { level: "error", data: megabyte });
        await new Promise((resolve) => setImmediate(resolve));
      }
      reported.resolve();
      return { content: [] };
    };
    const session = await openSession(port);
    const answer = await session.openPost(echo({ _meta: { progressToken: 1 } }));
    answer.pause();
    begun.resolve();
    await reported.promise;
    answer.resume();
    await answer.ended;
    expect(answer.text).toContain('"id":1');
    // What the sockets' own buffers hold comes through.
    expect(answer.text.length).toBeLessThan(32 * 1024 * 1024);
  });

  it("of events is kept within bounds: what is too old is not told again", async () => {
    const { port, gateway } = await startEndpoint();
    const session = await openSession(port);
    const report = deferred<(params: JsonObject) => void>();
    const finish = deferred();
    gateway.call = async ({ onProgress }) => {
      onProgress?.({ progress: 0 });
      report.resolve((params) => onProgress?.(params));
      await finish.promise;
      return { content: [] };
    };
    const answer = await session.openPost(echo({ _meta: { progressToken: 1 } }));
    const prime = await answer.next();
    const tell = await report.promise;
    for (let progress = 1; progress <= 1_200; progress += 1) tell({ progress });
    finish.resolve();
    await answer.ended;
    const again = await session.openGet(prime?.id);
    await again.ended;
    expect(again.text.match(/^data: \{/gmu)).toHaveLength(1_000);
    expect(again.text).not.toContain('"progress":201,');
    expect(again.text).toContain('"progress":202,');
    expect(again.text).toContain('"id":1');
  });
});

it("two answers to one request, or none, break nothing", async () => {
  const { port, gateway, errors } = await startEndpoint();
  const session = await openSession(port, { roots: {} });
  gateway.call = async ({ signal }, { client }) => ({
    roots: await client.request("roots/list", {}, signal),
  });
  const answer = await session.openPost(echo());
  const { id = null } = await answer.nextMessage();
  const reply = { jsonrpc: "2.0", id, result: {} };
  await Promise.all([session.post(reply), session.post(reply)]);
  await answer.ended;
  expect((await session.post({ jsonrpc: "2.0", id: 999, result: {} })).status).toBe(202);
  const fault = { jsonrpc: "2.0", error: { code: 1, message: "x" } };
  expect((await session.post(fault)).status).toBe(202);
  expect(errors).toEqual([]);
  const other = await open(port, { headers: session.headers, body: echo({}, "same") });
  expect(other.status).toBe(200);
});
