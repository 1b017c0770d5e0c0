import { describe, expect, it } from "vitest";
import type { StopSignal } from "../../src/core/stop-signal.ts";
import type { CallerContext } from "../../src/gateway/gateway.ts";
import { deferred, echo, open, openSession, rpc, startEndpoint } from "./endpoint.ts";
import type { Running } from "./endpoint.ts";

// What comes to a legacy client unasked, and streams that are taken up again.

/** A call that reports what it is told to, until it is finished. */
function steered({ gateway }: Running) {
  const begun = deferred<{
    signal: StopSignal;
    report: (step: number) => void;
    caller: CallerContext;
  }>();
  const finish = deferred();
  gateway.call = async ({ signal, onProgress }, caller) => {
    begun.resolve({ signal, report: (step) => onProgress?.({ progress: step }), caller });
    await finish.promise;
    return { content: [{ type: "text", text: "the end" }] };
  };
  return { begun: begun.promise, finish: () => finish.resolve() };
}
const withProgress = echo({ _meta: { progressToken: "t" } });

describe("a stream that was cut", () => {
  it("is taken up again after the last event, and its call goes on meanwhile", async () => {
    const running = await startEndpoint();
    const session = await openSession(running.port);
    const { begun, finish } = steered(running);
    const answer = session.openPost(withProgress);
    const { signal, report } = await begun;
    report(1);
    const first = await answer;
    const prime = await first.next();
    expect(prime).toMatchObject({ id: expect.any(String), message: undefined });
    expect(first.text).toContain("retry: ");
    const one = await first.next();
    expect(one?.message).toMatchObject({ params: { progress: 1 } });
    first.cut();
    await first.ended;
    report(2);
    const again = await session.openGet(one?.id);
    expect(await again.nextMessage()).toMatchObject({ params: { progress: 2 } });
    expect(signal.aborted).toBe(false);
    finish();
    expect(await again.nextMessage()).toMatchObject({ id: 1, result: { content: [{}] } });
    await again.ended;
    // All of it once more, from the beginning.
    const whole = await session.openGet(prime?.id);
    const steps = [await whole.nextMessage(), await whole.nextMessage(), await whole.nextMessage()];
    expect(steps).toMatchObject([
      { params: { progress: 1 } },
      { params: { progress: 2 } },
      { id: 1 },
    ]);
    await whole.ended;
  });

  it("is not taken up in another session, nor when it is no stream", async () => {
    const running = await startEndpoint();
    const [session, other] = [await openSession(running.port), await openSession(running.port)];
    const { begun, finish } = steered(running);
    const answer = session.openPost(withProgress);
    (await begun).report(1);
    const event = await (await answer).next();
    for (const id of [event?.id, "post-99-1", "nonsense", "-1", "post-1"]) {
      const refused = await other.openGet(id);
      expect(refused.status).toBe(400);
    }
    finish();
    await (
      await answer
    ).ended;
  });

  it("cancels its call when nobody comes back in time", async () => {
    const running = await startEndpoint({ timings: { keepMs: 1 } });
    const session = await openSession(running.port);
    const { begun } = steered(running);
    const answer = session.openPost(withProgress);
    const { signal, report } = await begun;
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve()),
    );
    report(1);
    const opened = await answer;
    const event = await opened.next();
    opened.cut();
    await aborted;
    expect((await session.openGet(event?.id)).status).toBe(400);
  });

  it("begins with no empty event for clients before 2025-11-25, and can be taken up all the same", async () => {
    const running = await startEndpoint();
    const session = await openSession(running.port, {}, { version: "2025-06-18" });
    const { begun, finish } = steered(running);
    const answer = session.openPost(withProgress);
    const { report } = await begun;
    report(1);
    const opened = await answer;
    const one = await opened.next();
    expect(one?.message).toMatchObject({ params: { progress: 1 } });
    opened.cut();
    await opened.ended;
    finish();
    const again = await session.openGet(one?.id);
    expect((await again.next())?.message).toMatchObject({ id: 1, result: {} });
  });

  it("passes from one connection to the next while the old one still seems open", async () => {
    const running = await startEndpoint();
    const session = await openSession(running.port);
    const old = await session.openGet();
    const prime = await old.next();
    const fresh = await session.openGet(prime?.id);
    await old.ended;
    running.gateway.changed(["tools"]);
    expect(await fresh.nextMessage()).toMatchObject({ method: "notifications/tools/list_changed" });
  });
});

describe("the GET stream", () => {
  it("carries changes of lists, each to whom it concerns", async () => {
    const { port, gateway } = await startEndpoint();
    const [session, other] = [await openSession(port), await openSession(port)];
    const [mine, theirs] = [await session.openGet(), await other.openGet()];
    expect(mine.headers["content-type"]).toBe("text/event-stream");
    await session.post(echo());
    const own = gateway.calls[0]?.caller.client.session;
    gateway.changed(["resources", "resourceTemplates"], own);
    gateway.changed(["prompts"]);
    expect([await mine.nextMessage(), await mine.nextMessage()]).toEqual([
      { jsonrpc: "2.0", method: "notifications/resources/list_changed" },
      { jsonrpc: "2.0", method: "notifications/prompts/list_changed" },
    ]);
    expect(await theirs.nextMessage()).toMatchObject({
      method: "notifications/prompts/list_changed",
    });
  });

  it("gets what came while it was away, with and without the id of its last event", async () => {
    const running = await startEndpoint();
    const { gateway } = running;
    const session = await openSession(running.port);
    const first = await session.openGet();
    const prime = await first.next();
    first.cut();
    await expect.poll(() => running.openConnections).toBe(0);
    gateway.changed(["tools"]);
    const second = await session.openGet(prime?.id);
    const event = await second.next();
    expect(event?.message).toBeUndefined();
    const missed = await second.next();
    expect(missed?.message).toMatchObject({ method: "notifications/tools/list_changed" });
    second.cut();
    await expect.poll(() => running.openConnections).toBe(0);
    gateway.changed(["prompts"]);
    const third = await session.openGet();
    expect(await third.nextMessage()).toMatchObject({
      method: "notifications/prompts/list_changed",
    });
    // The stream it replaced is gone; who asks for it gets a new one.
    const fourth = await session.openGet(missed?.id);
    expect(fourth.status).toBe(200);
    gateway.changed(["tools"]);
    expect(await fourth.nextMessage()).toMatchObject({
      method: "notifications/tools/list_changed",
    });
  });

  it("may be one of several: each message comes on one of them", async () => {
    const running = await startEndpoint();
    const session = await openSession(running.port);
    const older = await session.openGet();
    const younger = await session.openGet();
    running.gateway.changed(["tools"]);
    await younger.nextMessage();
    younger.cut();
    await expect.poll(() => running.openConnections).toBe(1);
    running.gateway.changed(["prompts"]);
    expect(await older.nextMessage()).toMatchObject({
      method: "notifications/prompts/list_changed",
    });
    expect(older.text).not.toContain("tools/list_changed");
    const many = [];
    for (let count = 0; count < 8; count += 1) many.push(await session.openGet());
    await older.ended;
  });

  it("needs to be accepted", async () => {
    const { port } = await startEndpoint();
    const session = await openSession(port);
    const headers = { ...session.headers, accept: "application/json" };
    expect((await open(port, { headers })).status).toBe(406);
  });
});

describe("subscriptions to resources", () => {
  it("are told on the GET stream until they are given up", async () => {
    const { port, gateway } = await startEndpoint();
    const session = await openSession(port);
    const common = await session.openGet();
    const subscribe = rpc("resources/subscribe", { uri: "x://a" });
    expect((await session.post(subscribe)).last).toMatchObject({ result: {} });
    await session.post(subscribe);
    expect(gateway.told).toEqual(["subscribe x://a ada"]);
    gateway.updated("x://a", { uri: "x://a", title: "new" });
    expect(await common.nextMessage()).toEqual({
      jsonrpc: "2.0",
      method: "notifications/resources/updated",
      params: { uri: "x://a", title: "new" },
    });
    await session.post(rpc("resources/unsubscribe", { uri: "x://a" }));
    await session.post(rpc("resources/unsubscribe", { uri: "x://a" }));
    expect(gateway.told).toEqual(["subscribe x://a ada", "unsubscribe x://a ada"]);
  });

  it("end with the session", async () => {
    const { port, gateway } = await startEndpoint();
    const session = await openSession(port);
    await session.post(rpc("resources/subscribe", { uri: "x://a" }));
    await open(port, { method: "DELETE", headers: session.headers });
    await expect.poll(() => gateway.told).toContain("unsubscribe x://a ada");
    expect(gateway.listeners).toBe(0);
  });

  it("to what nobody has, and too many, are refused", async () => {
    const { port, gateway } = await startEndpoint();
    const session = await openSession(port);
    gateway.knownUris = (uri) => uri !== "x://none";
    const none = await session.post(rpc("resources/subscribe", { uri: "x://none" }));
    expect(none.last).toMatchObject({ error: { code: -32002, data: { uri: "x://none" } } });
    for (let count = 0; count < 1_000; count += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_none, each) =>
          session.post(rpc("resources/subscribe", { uri: `x://${count + each}` })),
        ),
      );
    }
    const more = await session.post(rpc("resources/subscribe", { uri: "x://more" }));
    expect(more.last).toMatchObject({ error: { code: -32602 } });
  });
});

describe("log messages", () => {
  it("come on their call's stream, from the level on that the session asked for", async () => {
    const { port, gateway } = await startEndpoint();
    const session = await openSession(port);
    gateway.call = (_call, { client }) => {
      client.notify("notifications/message", { level: "info", data: client.logLevel ?? null });
      client.notify("notifications/message", { level: "error", data: "bad", logger: "x" });
      return { content: [] };
    };
    const before = await session.post(echo());
    expect(before.messages).toMatchObject([
      { params: { data: "info" } },
      { params: {} },
      { id: 1 },
    ]);
    const level = await session.post(rpc("logging/setLevel", { level: "warning" }));
    expect(level.last).toMatchObject({ result: {} });
    expect(gateway.told).toEqual([`set-level warning ${session.id}`]);
    const after = await session.post(echo());
    expect(after.messages).toMatchObject([
      { method: "notifications/message", params: { level: "error", data: "bad", logger: "x" } },
      { id: 1 },
    ]);
    const wrong = await session.post(rpc("logging/setLevel", { level: "loud" }));
    expect(wrong.last).toMatchObject({ error: { code: -32602 } });
  });
});
