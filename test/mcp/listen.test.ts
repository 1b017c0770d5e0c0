import { describe, expect, it } from "vitest";
import type { ClientSession } from "../../src/core/client-port.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { deferred, exchange, modern, open, startEndpoint } from "./endpoint.ts";
import type { Post } from "./endpoint.ts";

const key = (name: string): string => `io.modelcontextprotocol/${name}`;
const id = { [key("subscriptionId")]: 9 };
const listen = (notifications: JsonObject, requestId: number | string = 9): Post =>
  modern("subscriptions/listen", { notifications }, { id: requestId });

/** Of a legacy client: what changed for it alone is no news for others. */
const someSession: ClientSession = {
  id: "s",
  capabilities: {},
  logLevel: undefined,
  ended: new AbortController().signal,
  request: () => Promise.reject(new Error("not in this test")),
  notify: () => undefined,
};

describe("subscriptions/listen", () => {
  it("acknowledges what is honoured, then tells it, under its own id", async () => {
    const { port, gateway } = await startEndpoint();
    gateway.knownUris = (uri) => uri !== "x://none";
    const stream = await open(
      port,
      listen({
        toolsListChanged: true,
        promptsListChanged: false,
        resourceSubscriptions: ["x://a", "x://none", "x://a"],
        "x-unknown": true,
      }),
    );
    expect(stream.headers["content-type"]).toBe("text/event-stream");
    expect(await stream.nextMessage()).toEqual({
      jsonrpc: "2.0",
      method: "notifications/subscriptions/acknowledged",
      params: {
        notifications: { toolsListChanged: true, resourceSubscriptions: ["x://a"] },
        _meta: id,
      },
    });
    gateway.changed(["prompts", "resources", "resourceTemplates"]);
    gateway.changed(["tools"], someSession);
    expect(stream.text).not.toContain("list_changed");
    gateway.changed(["tools"]);
    gateway.updated("x://a", { uri: "x://a", _meta: { own: 1 } });
    expect(await stream.nextMessage()).toEqual({
      jsonrpc: "2.0",
      method: "notifications/tools/list_changed",
      params: { _meta: id },
    });
    expect(await stream.nextMessage()).toEqual({
      jsonrpc: "2.0",
      method: "notifications/resources/updated",
      params: { uri: "x://a", _meta: { own: 1, ...id } },
    });
    stream.cut();
    await expect.poll(() => gateway.told).toEqual(["subscribe x://a ada", "unsubscribe x://a ada"]);
    expect(gateway.listeners).toBe(0);
  });

  it("tells what happens while servers subscribe, after it acknowledged", async () => {
    const { port, gateway } = await startEndpoint();
    const subscribe = gateway.subscribeResource.bind(gateway);
    const subscribed = deferred();
    const asked = deferred();
    gateway.subscribeResource = async (...about) => {
      asked.resolve();
      await subscribed.promise;
      return subscribe(...about);
    };
    const filter = { toolsListChanged: true, resourceSubscriptions: ["x://a"] };
    const opening = open(port, listen(filter));
    await asked.promise;
    gateway.changed(["tools"]);
    subscribed.resolve();
    const stream = await opening;
    expect([await stream.nextMessage(), await stream.nextMessage()]).toMatchObject([
      { method: "notifications/subscriptions/acknowledged" },
      { method: "notifications/tools/list_changed", params: { _meta: id } },
    ]);
    stream.cut();
  });

  it("ends with its result when the gateway stops, and at once when nothing is honoured", async () => {
    const { port, endpoint } = await startEndpoint({ timings: { keepAliveMs: 1 } });
    const result = {
      resultType: "complete",
      _meta: { ...id, [key("serverInfo")]: expect.objectContaining({ name: "onedoor" }) },
    };
    const nothing = await exchange(port, listen({}));
    expect(nothing.messages).toMatchObject([{ params: { notifications: {} } }, { id: 9, result }]);
    const stream = await open(port, listen({ resourcesListChanged: true }));
    await expect.poll(() => stream.text).toContain(": still here");
    endpoint.endStreams();
    await stream.nextMessage();
    expect(await stream.nextMessage()).toEqual({ jsonrpc: "2.0", id: 9, result });
    await stream.ended;
    const late = await exchange(port, listen({ resourcesListChanged: true }));
    expect(late.last).toMatchObject({ id: 9, result });
  });

  it.each<[string, JsonObject]>([
    ["nothing", {}],
    ["a filter that is none", { notifications: [] }],
    ["a switch that is none", { notifications: { toolsListChanged: "yes" } }],
    ["URIs that are none", { notifications: { resourceSubscriptions: [1] } }],
    [
      "too many URIs",
      {
        notifications: { resourceSubscriptions: Array.from({ length: 257 }, (_n, i) => `x:${i}`) },
      },
    ],
  ])("with %s is refused", async (_what, params) => {
    const { port, gateway } = await startEndpoint();
    const { last } = await exchange(port, modern("subscriptions/listen", params));
    expect(last).toMatchObject({ id: 1, error: { code: -32602 } });
    expect([gateway.listeners, gateway.told]).toEqual([0, []]);
  });

  it("is bounded for each principal", async () => {
    const { port } = await startEndpoint();
    const filter = { toolsListChanged: true };
    const open128 = await Promise.all(
      Array.from({ length: 128 }, (_none, each) => open(port, listen(filter, each))),
    );
    const refused = await exchange(port, listen(filter, "more"));
    expect([refused.status, refused.last]).toMatchObject([503, { id: "more", error: {} }]);
    const { headers = {}, body } = listen(filter);
    const bob = await open(port, {
      headers: { ...headers, authorization: "Bearer bob-token" },
      body: body ?? null,
    });
    expect(bob.status).toBe(200);
    for (const stream of [...open128, bob]) stream.cut();
  });
});
