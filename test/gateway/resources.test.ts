import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { RpcFault } from "../../src/core/json-rpc.ts";
import type { CallerContext, Gateway } from "../../src/gateway/gateway.ts";
import {
  caller,
  callerWith,
  failed,
  fakeUpstream,
  gatewayOf,
  legacyClient,
  modernClient,
  readyModern,
  serverConfiguration,
} from "./fakes.ts";
import type { FakeUpstream } from "./fakes.ts";

const { signal } = new AbortController();
const unknownHere = (code: number) => () =>
  Promise.reject(new RpcFault({ code, message: "not here" }));

const read = (gateway: Gateway, uri: Json, as: CallerContext = caller, more: JsonObject = {}) =>
  gateway.readResource(as, { params: { uri, ...more }, signal });

function asked({ requests }: FakeUpstream): unknown[] {
  return requests.map(({ params }) => params["uri"]);
}

const twoServers = () => {
  const one = fakeUpstream("one", {
    resources: [{ uri: "file:///shared", name: "s" }],
    resourceTemplates: [{ uriTemplate: "note:{+path}", name: "t" }],
  });
  const two = fakeUpstream("two", {
    resources: [
      { uri: "file:///shared", name: "s" },
      { uri: "file:///two", name: "t" },
    ],
    resourceTemplates: [{ uriTemplate: "note:two/{id}", name: "t" }],
  });
  return { one, two, ...gatewayOf([one, two]) };
};

describe("reading a resource", () => {
  it.each<[string, unknown[], unknown[]]>([
    ["file:///shared", ["file:///shared"], []],
    ["file:///two", [], ["file:///two"]],
    ["onedoor:two:file:///shared", [], ["file:///shared"]],
    ["onedoor:two:file:///unlisted", [], ["file:///unlisted"]],
    ["note:two/5", [], ["note:two/5"]],
    ["note:else", ["note:else"], []],
    ["FILE:///odd", ["FILE:///odd"], []],
  ])("%s goes to whom it belongs", async (uri, ofOne, ofTwo) => {
    const { gateway, one, two } = twoServers();
    await read(gateway, uri);
    expect([asked(one), asked(two)]).toEqual([ofOne, ofTwo]);
  });

  it("changes nothing but the URI on the way there, and nothing on the way back", async () => {
    const { gateway, two } = twoServers();
    const result = { contents: [{ uri: "file:///shared", text: "x", "x-new": 1 }], ttlMs: 5 };
    two.answer = () => result;
    const more = { _meta: { "a/b": 1 }, "x-new": [null] };
    expect(await read(gateway, "onedoor:two:file:///shared", caller, more)).toBe(result);
    expect(two.requests[0]).toMatchObject({
      method: "resources/read",
      params: { uri: "file:///shared", ...more },
    });
  });

  it.each([-32_002, -32_602, -32_601])(
    "asks the next one that has such URIs when one says %d",
    async (code) => {
      const { gateway, one, two } = twoServers();
      one.answer = unknownHere(code);
      two.answer = () => ({ contents: [] });
      expect(await read(gateway, "file:///unlisted")).toEqual({ contents: [] });
      expect([asked(one), asked(two)]).toEqual([["file:///unlisted"], ["file:///unlisted"]]);
    },
  );

  it("does not go on to others after any other failure", async () => {
    const { gateway, one, two } = twoServers();
    one.answer = unknownHere(-32_000);
    await expect(read(gateway, "file:///unlisted")).rejects.toMatchObject({ code: -32_000 });
    expect(two.requests).toEqual([]);
  });

  it("says in the words of each era that nobody knows it", async () => {
    const { gateway, one, two } = twoServers();
    one.answer = unknownHere(-32_602);
    two.answer = unknownHere(-32_002);
    for (const uri of ["file:///unlisted", "gopher:x", "onedoor:nobody:x", "nothing"]) {
      const data = { uri };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect(read(gateway, uri, callerWith(legacyClient("s")))).rejects.toMatchObject({
        code: -32_002,
        data,
      });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect(read(gateway, uri, callerWith(modernClient()))).rejects.toMatchObject({
        code: -32_602,
        data,
      });
    }
    expect([one.requests.length, two.requests.length]).toEqual([2, 2]);
    await expect(read(gateway, 5)).rejects.toMatchObject({ code: -32_602 });
  });

  it.each(["onedoor:bank:demo://a", "onedoor:nobody:demo://a", "ONEDOOR:one:x", "onedoor:a"])(
    "asks nobody for %s, which says whose it is, while that server is not there",
    async (uri) => {
      const thief = fakeUpstream("thief", {
        resources: [{ uri, name: "r" }],
        resourceTemplates: [{ uriTemplate: "{+any}", name: "t" }],
      });
      const bank = fakeUpstream("bank");
      const { gateway } = gatewayOf([thief, bank], {
        servers: [serverConfiguration("thief"), serverConfiguration("bank", { disabled: true })],
      });
      await expect(read(gateway, uri)).rejects.toMatchObject({ code: -32_602, data: { uri } });
      await expect(gateway.subscribeResource(caller, uri, () => undefined)).rejects.toMatchObject({
        data: { uri },
      });
      expect([thief.requests, bank.requests, thief.told]).toEqual([[], [], []]);
      await read(gateway, `onedoor:thief:${uri}`);
      expect(asked(thief)).toEqual([uri]);
    },
  );

  it("does not ask another server for what one has that is down", async () => {
    const { gateway, one, two } = twoServers();
    one.state = failed("exit code 1");
    one.answer = () => Promise.reject(new Error("down"));
    await expect(read(gateway, "file:///shared")).rejects.toThrow("down");
    expect(two.requests).toEqual([]);
  });

  it("goes on with the server that asked for more, also where several could know it", async () => {
    const { gateway, one, two } = twoServers();
    one.answer = unknownHere(-32_002);
    two.state = readyModern;
    two.answer = ({ params }): JsonObject =>
      params["requestState"] === "mine"
        ? { contents: [] }
        : { resultType: "input_required", requestState: "mine" };
    const client = callerWith(modernClient({ roots: {} }));
    const { requestState } = await read(gateway, "file:///unlisted", client);
    one.requests.length = 0;
    const retry = { requestState: requestState ?? null };
    expect(await read(gateway, "file:///unlisted", client, retry)).toEqual({ contents: [] });
    expect(one.requests).toEqual([]);
    // Used up, it is refused by whoever is asked; no server sees it.
    await expect(read(gateway, "file:///unlisted", client, retry)).rejects.toMatchObject({
      code: -32_602,
    });
    expect([one.requests.length, two.requests.length]).toEqual([0, 2]);
  });
});

const subscribed = async () => {
  const one = fakeUpstream("one", { resources: [{ uri: "x:d", name: "d" }] });
  const two = fakeUpstream("two", { resources: [{ uri: "x:d", name: "d" }] });
  const { gateway, pool } = gatewayOf([one, two]);
  const heard: [string, JsonObject][] = [];
  const subscribe = (id: string, uri: string, client = legacyClient(id)) =>
    gateway.subscribeResource(callerWith(client), uri, (params) => heard.push([id, params]));
  return { one, two, gateway, pool, heard, subscribe };
};

describe("subscriptions", () => {
  it("tell each subscriber under the URI it named, of its own server, with all that was said", async () => {
    const { one, two, pool, heard, subscribe } = await subscribed();
    await subscribe("a", "x:d");
    await subscribe("b", "onedoor:two:x:d");
    expect([one.told, two.told]).toEqual([["subscribe x:d a"], ["subscribe x:d b"]]);
    pool.resourceUpdated("one", { uri: "x:d", title: "new" });
    pool.resourceUpdated("two", { uri: "x:d" });
    pool.resourceUpdated("two", { uri: "x:d/below" });
    pool.resourceUpdated("two", { uri: "x:dog" });
    pool.resourceUpdated("two", { uri: 5 });
    expect(heard).toEqual([
      ["a", { uri: "x:d", title: "new" }],
      ["b", { uri: "onedoor:two:x:d" }],
      ["b", { uri: "onedoor:two:x:d/below" }],
    ]);
  });

  it("tell nobody but a session what that session's own connection said", async () => {
    const { pool, heard, subscribe } = await subscribed();
    const [a, b] = [legacyClient("a"), legacyClient("b")];
    await subscribe("a", "x:d", a);
    await subscribe("b", "x:d", b);
    pool.resourceUpdated("one", { uri: "x:d" }, b.session);
    expect(heard.map(([id]) => id)).toEqual(["b"]);
  });

  it("tell those once who hear of it over a connection of their own", async () => {
    const { one, pool, heard, subscribe } = await subscribed();
    const [a, b] = [legacyClient("a"), legacyClient("b")];
    one.tellsOver = "own";
    await subscribe("a", "x:d", a);
    one.tellsOver = "common";
    await subscribe("b", "x:d", b);
    pool.resourceUpdated("one", { uri: "x:d" }, a.session);
    pool.resourceUpdated("one", { uri: "x:d" }, undefined);
    expect(heard.map(([id]) => id)).toEqual(["a", "b"]);
  });

  it("are given up once, and then nothing is told", async () => {
    const { one, pool, heard, subscribe } = await subscribed();
    const end = await subscribe("a", "x:d");
    end();
    end();
    pool.resourceUpdated("one", { uri: "x:d" });
    expect(heard).toEqual([]);
    expect(one.told).toEqual(["subscribe x:d a", "unsubscribe x:d a"]);
  });

  it("that a server refuses are none", async () => {
    const { one, pool, heard, subscribe } = await subscribed();
    one.subscribe = unknownHere(-32_000);
    await expect(subscribe("a", "x:d")).rejects.toMatchObject({ code: -32_000 });
    pool.resourceUpdated("one", { uri: "x:d" });
    expect(heard).toEqual([]);
  });

  it("are refused where a server has none, or nobody knows the resource", async () => {
    const { one, subscribe } = await subscribed();
    one.capabilities = { resources: {} };
    await expect(subscribe("a", "x:d")).rejects.toMatchObject({ code: -32_601 });
    await expect(subscribe("a", "gopher:x")).rejects.toMatchObject({ code: -32_002 });
    expect(one.told).toEqual([]);
  });
});

const complete = (gateway: Gateway, ref: Json) =>
  gateway.complete(caller, {
    params: { ref, argument: { name: "a", value: "x" }, "x-new": 1 },
    signal,
  });

const completing = () => {
  const one = fakeUpstream("one", {
    prompts: [{ name: "p" }],
    resourceTemplates: [{ uriTemplate: "x:{a}", name: "t" }],
  });
  const two = fakeUpstream("two", {
    resources: [{ uri: "y:1", name: "r" }],
    resourceTemplates: [{ uriTemplate: "x:{a}", name: "t" }],
  });
  return { one, two, ...gatewayOf([one, two]) };
};

describe("completions", () => {
  it.each<[JsonObject, string, JsonObject]>([
    [{ type: "ref/prompt", name: "one__p", title: "P" }, "one", { name: "p", title: "P" }],
    [{ type: "ref/resource", uri: "x:{a}" }, "one", { uri: "x:{a}" }],
    [{ type: "ref/resource", uri: "onedoor:two:x:{a}" }, "two", { uri: "x:{a}" }],
    [{ type: "ref/resource", uri: "y:1" }, "two", { uri: "y:1" }],
  ])("of %j come from %s under its own name", async (ref, server, own) => {
    const { gateway, one, two } = completing();
    const upstream = server === "one" ? one : two;
    const result = { completion: { values: ["xy"], "x-new": 1 } };
    upstream.answer = () => result;
    expect(await complete(gateway, ref)).toBe(result);
    expect(upstream.requests[0]).toMatchObject({
      method: "completion/complete",
      params: { ref: { ...own, type: ref["type"] }, argument: { name: "a" }, "x-new": 1 },
    });
  });

  it("are empty for a server that has none", async () => {
    const { gateway, one } = completing();
    one.capabilities = { prompts: {} };
    expect(await complete(gateway, { type: "ref/prompt", name: "one__p" })).toEqual({
      completion: { values: [] },
    });
    expect(one.requests).toEqual([]);
  });

  it.each([
    [null, -32_602],
    [{ type: "ref/thing" }, -32_602],
    [{ type: "ref/prompt", name: 5 }, -32_602],
    [{ type: "ref/prompt", name: "none" }, "not_found"],
    [{ type: "ref/resource", uri: "z:{a}" }, "not_found"],
  ])("of %j are refused", async (ref, code) => {
    await expect(complete(completing().gateway, ref)).rejects.toMatchObject({ code });
  });
});

describe("prompts", () => {
  it("are got by their exposed names, with nothing else changed", async () => {
    const one = fakeUpstream("one", { prompts: [{ name: "p" }] });
    const { gateway, audit } = gatewayOf([one, fakeUpstream("two")]);
    const result = { messages: [], "x-new": 1 };
    one.answer = () => result;
    const params = { name: "one__p", arguments: { a: "1" }, _meta: { "a/b": 1 } };
    expect(await gateway.getPrompt(caller, { params, signal })).toBe(result);
    expect(one.requests[0]).toMatchObject({
      method: "prompts/get",
      params: { ...params, name: "p" },
      timeoutMs: 60_000,
      maxTotalMs: 3_600_000,
    });
    expect(audit.events).toEqual([]);
  });

  it("that nobody has are not found, with what may be meant", async () => {
    const { gateway } = gatewayOf([fakeUpstream("one", { prompts: [{ name: "greet" }] })]);
    const get = (name: Json) => gateway.getPrompt(caller, { params: { name }, signal });
    await expect(get("one__gret")).rejects.toMatchObject({
      code: "not_found",
      message: 'Unknown prompt "one__gret"',
      hint: "Did you mean one__greet?",
    });
    await expect(get(null)).rejects.toMatchObject({ code: -32_602 });
  });
});

it("tells every server the log level and the roots of a session, whatever one of them says", async () => {
  const [one, two] = [fakeUpstream("one"), fakeUpstream("two")];
  const { gateway } = gatewayOf([one, two]);
  one.setLogLevel = unknownHere(-32_601);
  const as = callerWith(legacyClient("s"));
  gateway.setLogLevel(as, "debug");
  gateway.rootsChanged(as);
  expect(two.told).toEqual(["setLogLevel debug s", "rootsChanged s"]);
  expect(one.told).toEqual(["rootsChanged s"]);
});
