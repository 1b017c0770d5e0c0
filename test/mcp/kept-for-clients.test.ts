import { expect, it } from "vitest";
import {
  deferred,
  echo,
  exchange,
  initializeMessage,
  modern,
  openSession,
  rpc,
  startEndpoint,
} from "./endpoint.ts";

// What is kept for as long as a client likes is bounded, and what it is to be told is kept until it listens.

const long = (length: number): string => "x".repeat(length);
const invalid = { error: { code: -32602 } };
const subscribe = (uri: string) => rpc("resources/subscribe", { uri });

it("declared capabilities beyond 16 KiB begin no session, and no modern request", async () => {
  const { port, gateway } = await startEndpoint();
  const declared = { experimental: { big: { text: long(17 * 1024) } } };
  const refused = await exchange(port, { body: initializeMessage(declared) });
  expect([refused.status, refused.last]).toMatchObject([400, { id: "init", ...invalid }]);
  expect(refused.headers["mcp-session-id"]).toBeUndefined();
  const meta = { "io.modelcontextprotocol/clientCapabilities": declared };
  const answer = await exchange(port, modern("tools/list", {}, { meta }));
  expect([answer.status, answer.last]).toMatchObject([400, invalid]);
  expect(gateway.listeners).toBe(0);
  await openSession(port, { experimental: { big: { text: long(15 * 1024) } } });
});

it("a URI beyond 8,000 characters is subscribed to in neither era", async () => {
  const { port, gateway } = await startEndpoint();
  const session = await openSession(port);
  expect((await session.post(subscribe(long(8_001)))).last).toMatchObject(invalid);
  const notifications = { resourceSubscriptions: [long(8_001)] };
  const listen = await exchange(port, modern("subscriptions/listen", { notifications }));
  expect(listen.last).toMatchObject(invalid);
  expect(gateway.told).toEqual([]);
  expect((await session.post(subscribe(long(8_000)))).last).toMatchObject({ result: {} });
});

it("the URIs of one session, or one subscription, are bounded together; given up, they make room", async () => {
  const { port } = await startEndpoint();
  const session = await openSession(port);
  const uris = Array.from({ length: 33 }, (_none, index) => `${10 + index}${long(7_998)}`);
  const [first = "", ...others] = uris;
  for (const uri of uris.slice(0, 32)) await session.post(subscribe(uri));
  const last = others.at(-1) ?? "";
  expect((await session.post(subscribe(last))).last).toMatchObject(invalid);
  expect((await session.post(subscribe(first))).last).toMatchObject({ result: {} });
  await session.post(rpc("resources/unsubscribe", { uri: first }));
  expect((await session.post(subscribe(last))).last).toMatchObject({ result: {} });
  const notifications = { resourceSubscriptions: uris };
  const listen = await exchange(port, modern("subscriptions/listen", { notifications }));
  expect(listen.last).toMatchObject(invalid);
});

it("requests under one and the same id are counted one by one, and all cancelled by it", async () => {
  const { port, gateway } = await startEndpoint();
  const session = await openSession(port, {}, { version: "2025-03-26" });
  const full = deferred();
  let cancelled = 0;
  gateway.call = ({ signal }) =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        cancelled += 1;
        resolve({ content: [] });
      });
      if (gateway.calls.length === 256) full.resolve();
    });
  const batch = Array.from({ length: 100 }, () => echo());
  const posts = [1, 2, 3].map(() => session.post(batch));
  await full.promise;
  await session.post([
    { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } },
  ]);
  const answers = (await Promise.all(posts)).flatMap(({ messages }) => messages.flat());
  expect([gateway.calls.length, cancelled, answers.length]).toEqual([256, 256, 44]);
});

it("what changes before the first GET stream is told on it, each thing once", async () => {
  const { port, gateway } = await startEndpoint();
  const session = await openSession(port);
  await session.post(subscribe("a:1"));
  gateway.updated("a:1");
  gateway.changed(["tools"]);
  gateway.updated("a:1");
  gateway.changed(["tools", "prompts"]);
  const stream = await session.openGet();
  gateway.changed(["resources"]);
  const told: unknown[] = [];
  while (told.length < 4) told.push(await stream.nextMessage());
  expect(told).toEqual([
    { jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri: "a:1" } },
    { jsonrpc: "2.0", method: "notifications/tools/list_changed" },
    { jsonrpc: "2.0", method: "notifications/prompts/list_changed" },
    { jsonrpc: "2.0", method: "notifications/resources/list_changed" },
  ]);
  stream.cut();
});

it("what is kept for a client without a stream is bounded", async () => {
  const { port, gateway } = await startEndpoint();
  const session = await openSession(port);
  await session.post(subscribe("a:1"));
  for (let count = 0; count < 2_000; count += 1) gateway.updated("a:1", { uri: `a:1/${count}` });
  gateway.updated("a:1", { uri: long(8_001) });
  gateway.changed(["tools"]);
  const stream = await session.openGet();
  gateway.changed(["prompts"]);
  const told: unknown[] = [];
  for (let method: unknown; method !== "notifications/prompts/list_changed"; told.push(method)) {
    ({ method } = await stream.nextMessage());
  }
  expect(told).toHaveLength(1_002);
  expect(told.at(-2)).toBe("notifications/tools/list_changed");
  stream.cut();
});
