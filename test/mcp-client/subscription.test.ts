import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { RequestId } from "../../src/core/json-rpc.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { HttpStatusError } from "../../src/mcp-client/transport.ts";
import type { FakeTransport } from "./support/fake-transport.ts";
import { openModern } from "./support/open.ts";

const method = "subscriptions/listen";
const changed = "notifications/tools/list_changed";
const updated = "notifications/resources/updated";

function tell(
  { kind, receiver }: FakeTransport,
  id: RequestId,
  notification: string,
  params: JsonObject = {},
): void {
  const _meta = { "io.modelcontextprotocol/subscriptionId": id, kept: true };
  receiver.onMessage(
    { jsonrpc: "2.0", method: notification, params: { ...params, _meta } },
    kind === "http" ? id : undefined,
  );
}

const listens = ({ sent }: FakeTransport): number =>
  sent.filter(({ message }) => "method" in message && message.method === method).length;

const acknowledge = (transport: FakeTransport, id: RequestId): void =>
  tell(transport, id, "notifications/subscriptions/acknowledged", { notifications: {} });

describe.each(["http", "pipe"] as const)("over %s", (kind) => {
  test("stands once it is acknowledged; what it carries comes without its id", async () => {
    const { connection, transport, heard } = await openModern(kind);
    const standing = connection.listen({ toolsListChanged: true });
    const { id, params } = await transport.next(method);
    expect(params).toMatchObject({
      notifications: { toolsListChanged: true },
      _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" },
    });
    acknowledge(transport, id);
    await standing;
    tell(transport, id, "notifications/resources/updated", { uri: "a:b", "x-kept": 1 });
    expect(heard).toEqual([
      ["notifications/resources/updated", { uri: "a:b", "x-kept": 1, _meta: { kept: true } }],
    ]);
  });

  test("is renewed when it ends, and says what may have been missed meanwhile", async () => {
    const { connection, transport, heard } = await openModern(kind);
    void connection.listen({ toolsListChanged: true, promptsListChanged: false });
    const first = await transport.next(method);
    acknowledge(transport, first.id);
    expect(heard).toEqual([]);
    // Gracefully, as a server does that goes down.
    transport.answer(first, { resultType: "complete" });
    const second = await transport.next(method);
    acknowledge(transport, second.id);
    expect(heard).toEqual([[changed, {}]]);
  });

  test("says of each resource that it may have changed while nobody heard", async () => {
    const { connection, transport, heard } = await openModern(kind);
    void connection.listen({ resourceSubscriptions: ["a:1", "a:2"] });
    const first = await transport.next(method);
    acknowledge(transport, first.id);
    transport.answer(first, { resultType: "complete" });
    acknowledge(transport, (await transport.next(method)).id);
    expect(heard).toEqual([
      [updated, { uri: "a:1" }],
      [updated, { uri: "a:2" }],
    ]);
  });

  test("says so too when the first attempt failed, after which the caller went on", async () => {
    const { connection, transport, heard } = await openModern(kind);
    const standing = connection.listen({ resourceSubscriptions: ["a:1"] });
    const first = await transport.next(method);
    const error = { code: -32_603, message: "Not just now" };
    const on = kind === "http" ? first.id : undefined;
    transport.receiver.onMessage({ jsonrpc: "2.0", id: first.id, error }, on);
    await standing;
    const second = await transport.next(method);
    expect(heard).toEqual([]);
    acknowledge(transport, second.id);
    expect(heard).toEqual([[updated, { uri: "a:1" }]]);
  });

  test("replaces the earlier one, which ends only when the new one stands", async () => {
    const { connection, transport, heard } = await openModern(kind);
    const one = connection.listen({ toolsListChanged: true });
    const first = await transport.next(method);
    const firstStream = transport.sent.at(-1)?.options.signal;
    acknowledge(transport, first.id);
    await one;
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const two = connection.listen({ toolsListChanged: true, resourceSubscriptions: ["a:b"] });
    const second = await transport.next(method);
    const secondStream = transport.sent.at(-1)?.options.signal;
    tell(transport, first.id, changed);
    acknowledge(transport, second.id);
    await two;
    tell(transport, first.id, changed);
    expect(heard).toHaveLength(2);
    // On another socket: what was said there may be read later.
    expect(firstStream?.aborted).toBe(kind === "pipe");
    await vi.advanceTimersByTimeAsync(1000);
    expect([firstStream?.aborted, secondStream?.aborted]).toEqual([true, false]);
    tell(transport, first.id, changed);
    expect(heard).toHaveLength(kind === "http" ? 2 : 3);
  });

  test("an earlier one that ends by itself is not renewed once the new one stands", async () => {
    const { connection, transport, heard } = await openModern(kind);
    const one = connection.listen({ toolsListChanged: true });
    const first = await transport.next(method);
    acknowledge(transport, first.id);
    await one;
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const two = connection.listen({ promptsListChanged: true });
    acknowledge(transport, (await transport.next(method)).id);
    await two;
    transport.answer(first, { resultType: "complete" });
    await vi.advanceTimersByTimeAsync(500);
    expect(listens(transport)).toBe(2);
    expect(heard).toEqual([]);
  });

  test("one goes on being opened while others are asked for; of those only the last is", async () => {
    const { connection, transport } = await openModern(kind);
    const stands: string[] = [];
    const ask = async (uri: string): Promise<void> => {
      await connection.listen({ resourceSubscriptions: [uri] });
      stands.push(uri);
    };
    const all = [ask("a:1")];
    const first = await transport.next(method);
    all.push(ask("a:2"), ask("a:3"));
    expect(first.params).toMatchObject({ notifications: { resourceSubscriptions: ["a:1"] } });
    expect(transport.sent.at(-1)?.options.signal?.aborted).toBe(false);
    acknowledge(transport, first.id);
    const last = await transport.next(method);
    expect(last.params).toMatchObject({ notifications: { resourceSubscriptions: ["a:3"] } });
    expect(stands).toEqual(["a:1"]);
    expect(transport.sent.some(({ options }) => options.signal?.aborted)).toBe(false);
    acknowledge(transport, last.id);
    await Promise.all(all);
    expect(stands).toEqual(["a:1", "a:2", "a:3"]);
    expect(listens(transport)).toBe(2);
  });

  test("ends with the connection", async () => {
    const { connection, transport } = await openModern(kind);
    const standing = connection.listen({ toolsListChanged: true });
    await transport.next(method);
    await connection.close();
    await standing;
    const count = transport.sent.length;
    await connection.listen({ toolsListChanged: true });
    expect(transport.sent).toHaveLength(count);
  });
});

test("a server without the method is not asked again", async () => {
  const { connection, transport } = await openModern();
  const standing = connection.listen({ toolsListChanged: true });
  const { id } = await transport.next(method);
  const error = { code: -32_601, message: "Method not found" };
  transport.receiver.onMessage({ jsonrpc: "2.0", id, error }, id);
  vi.useFakeTimers();
  await standing;
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  expect(transport.sent).toHaveLength(2);
});

test("a server ends it on a pipe by cancelling it", async () => {
  const { connection, transport } = await openModern("pipe");
  void connection.listen({ toolsListChanged: true });
  const { id } = await transport.next(method);
  const params = { requestId: id };
  transport.receiver.onMessage(
    { jsonrpc: "2.0", method: "notifications/cancelled", params },
    undefined,
  );
  expect((await transport.next(method)).id).not.toBe(id);
});

test.each([
  ["is not to be reached", new Error("gone"), 3],
  ["breaks down", new HttpStatusError("HTTP 503", { status: 503, headers: {}, body: "" }), 3],
  [
    "lets us in no more",
    new HttpStatusError("HTTP 401", { status: 401, headers: {}, body: "" }),
    1,
  ],
])("a server that %s is lost", async (_what, error, attempts) => {
  const { connection, transport } = await openModern();
  const before = transport.sent.length;
  transport.onSend = () => Promise.reject(error);
  await connection.listen({ toolsListChanged: true });
  expect(await connection.lost).toBe(error.message);
  expect(transport.sent.length - before).toBe(attempts);
});
