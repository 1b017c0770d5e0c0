import { describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { isJsonObject } from "../../src/core/json.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { RpcFault } from "../../src/core/json-rpc.ts";
import type { Listing } from "../../src/core/mcp.ts";
import type { CallerContext } from "../../src/gateway/gateway.ts";
import type { UpstreamRequest } from "../../src/upstream/upstream.ts";
import {
  ada,
  eve,
  callerWith,
  fakeUpstream,
  gatewayOf,
  legacyClient,
  modernClient,
  readyModern,
} from "./fakes.ts";
import type { FakeUpstream } from "./fakes.ts";

const everything = { sampling: {}, elicitation: {}, roots: {} };
const inputSchema = { type: "object" };
const asks = { message: "Who?", requestedSchema: { type: "object" }, "x-new": [1] };
const signal = new AbortController().signal;

const listing: Partial<Listing> = {
  tools: [{ name: "ask", inputSchema }],
  prompts: [{ name: "ask" }],
  resources: [{ uri: "x:ask", name: "ask" }],
};

/** A server of the legacy era that asks while it works, and says who answered. */
function legacyServer(name: string): FakeUpstream {
  const upstream = fakeUpstream(name, listing);
  upstream.answer = async ({ client, signal: cancelled }: UpstreamRequest) => {
    const answer = await client.request("elicitation/create", asks, cancelled);
    return { content: [], heard: answer, from: name };
  };
  return upstream;
}

const inputRequired = (members: JsonObject): JsonObject => ({
  resultType: "input_required",
  ...members,
});

/** A server of the modern era that asks by its result, twice, and keeps its place in its state. */
function modernServer(name: string): FakeUpstream {
  const upstream = fakeUpstream(name, listing);
  upstream.state = readyModern;
  upstream.answer = ({ params }) => {
    const { inputResponses: heard = null, requestState } = params;
    if (requestState === `${name}-2`) return { content: [], heard, from: name };
    return inputRequired({
      inputRequests: { q: { method: "elicitation/create", params: asks } },
      requestState: heard === null ? `${name}-1` : `${name}-2`,
      "x-new": name,
    });
  };
  return upstream;
}

type Ask = (caller: CallerContext, server: string, more?: JsonObject) => Promise<JsonObject>;

/** The same through each of the requests that can ask for input. */
function waysOf({ gateway }: ReturnType<typeof gatewayOf>): [string, Ask][] {
  return [
    [
      "tools/call",
      (caller, server, more = {}) =>
        gateway.callTool(caller, {
          address: { exposedName: `${server}__ask` },
          params: more,
          signal,
        }),
    ],
    [
      "prompts/get",
      (caller, server, more = {}) =>
        gateway.getPrompt(caller, { params: { name: `${server}__ask`, ...more }, signal }),
    ],
    [
      "resources/read",
      (caller, server, more = {}) =>
        gateway.readResource(caller, {
          params: { uri: server === "one" ? "x:ask" : "onedoor:two:x:ask", ...more },
          signal,
        }),
    ],
  ];
}

/** Calls the tool of a gateway of this one server. */
function toolAsk(upstream: FakeUpstream): Ask {
  const [, ask] = waysOf(gatewayOf([upstream]))[0] ?? [];
  if (ask === undefined) throw new Error("There is a way to call tools");
  return ask;
}

const answered = (by: string): JsonObject => ({ action: "accept", content: { by } });

function inputKeys(result: JsonObject): string[] {
  const { inputRequests } = result;
  return isJsonObject(inputRequests) ? Object.keys(inputRequests) : [];
}

/** Plays a modern client to the end: answers what is asked, as `by`. */
async function playModern(
  ask: Ask,
  caller: CallerContext,
  server: string,
  by: string,
): Promise<JsonObject> {
  let result = await ask(caller, server);
  for (let round = 0; result["resultType"] === "input_required" && round < 5; round += 1) {
    const keys = inputKeys(result);
    expect(keys.length).toBeGreaterThan(0);
    const { requestState } = result;
    result = await ask(caller, server, {
      inputResponses: Object.fromEntries(keys.map((key) => [key, answered(by)])),
      requestState: requestState ?? null,
    });
  }
  return result;
}

/** Two clients at two servers, all at once: each hears what it was asked, and nothing else. */
async function crossTalk(
  servers: FakeUpstream[],
  play: (ask: Ask, index: number, server: string) => Promise<JsonObject>,
): Promise<void> {
  for (const [, ask] of waysOf(gatewayOf(servers))) {
    const results = await Promise.all(
      [0, 1].flatMap((index) => ["one", "two"].map((server) => play(ask, index, server))),
    );
    expect(results.map(({ from }) => from)).toEqual(["one", "two", "one", "two"]);
    expect(results.map(({ heard }) => JSON.stringify(heard).match(/client-\d/u)?.[0])).toEqual([
      "client-0",
      "client-0",
      "client-1",
      "client-1",
    ]);
  }
}

describe("legacy client, legacy server", () => {
  it("the client is asked what the server asks, and its answer comes back as it is", async () => {
    const clients = [0, 1].map((index) => {
      const client = legacyClient(`s${index}`, everything);
      client.answer = () => answered(`client-${index}`);
      return client;
    });
    await crossTalk([legacyServer("one"), legacyServer("two")], (ask, index, server) =>
      ask(callerWith(clients[index] ?? modernClient()), server),
    );
    expect(clients[0]?.asked).toHaveLength(6);
    expect(clients[0]?.asked[0]).toEqual({ method: "elicitation/create", params: asks });
  });
});

describe("modern client, modern server", () => {
  it("the server's own words go through; only its state is sealed, and opened for it", async () => {
    const one = modernServer("one");
    const ask = toolAsk(one);
    const first = await ask(callerWith(modernClient(everything)), "one");
    expect(first).toEqual({
      resultType: "input_required",
      inputRequests: { q: { method: "elicitation/create", params: asks } },
      requestState: expect.not.stringContaining("one-1"),
      "x-new": "one",
    });
    await ask(callerWith(modernClient(everything)), "one", {
      inputResponses: { q: answered("me"), extra: 5 },
      requestState: first["requestState"] ?? null,
    });
    expect(one.requests[1]?.params).toEqual({
      name: "ask",
      inputResponses: { q: answered("me"), extra: 5 },
      requestState: "one-1",
    });
  });

  it("each of two clients at two servers comes to its own end", async () => {
    const clients = [modernClient(everything), modernClient(everything, "eve")];
    const servers = [modernServer("one"), modernServer("two")];
    const owners = [ada, eve];
    await crossTalk(servers, (ask, index, server) =>
      playModern(
        ask,
        callerWith(clients[index] ?? modernClient(), owners[index]),
        server,
        `client-${index}`,
      ),
    );
    // Three requests of two clients, each in three rounds.
    expect(servers.map(({ requests }) => requests.length)).toEqual([18, 18]);
  });

  it("a result that asks without a state, and answers without one, go through", async () => {
    const one = modernServer("one");
    one.answer = ({ params }) =>
      params["inputResponses"] === undefined
        ? inputRequired({ inputRequests: {} })
        : { content: [] };
    const ask = toolAsk(one);
    const caller = callerWith(modernClient());
    expect(await ask(caller, "one")).toEqual({ resultType: "input_required", inputRequests: {} });
    expect(await ask(caller, "one", { inputResponses: { wrong: 1 } })).toEqual({ content: [] });
    expect(one.requests[1]?.params).toEqual({ name: "ask", inputResponses: { wrong: 1 } });
  });

  it("asking for what the client did not declare is the client's error -32021", async () => {
    const ask = toolAsk(modernServer("one"));
    await expect(ask(callerWith(modernClient({ sampling: {} })), "one")).rejects.toMatchObject({
      code: -32_021,
      data: { requiredCapabilities: { elicitation: { form: {} } } },
    });
  });

  it.each<[string, JsonObject]>([
    ["no object", { inputRequests: [] }],
    ["no method", { inputRequests: { a: {} } }],
    ["params that are none", { inputRequests: { a: { method: "x", params: 5 } } }],
    ["a state that is no text", { requestState: 5 }],
    ["too long a state", { requestState: "x".repeat(600_000) }],
    [
      "far too much",
      {
        inputRequests: Object.fromEntries(
          Array.from({ length: 21 }, (_, index) => [`k${index}`, { method: "x" }]),
        ),
      },
    ],
  ])("a server that asks with %s is at fault", async (_what, result) => {
    const one = modernServer("one");
    one.answer = () => ({ resultType: "input_required", ...result });
    const ask = toolAsk(one);
    await expect(ask(callerWith(modernClient(everything)), "one")).rejects.toMatchObject({
      code: "tool_error",
    });
  });
});

describe("modern client, legacy server", () => {
  it("each of two clients at two servers comes to its own end; each server is called once", async () => {
    const servers = [legacyServer("one"), legacyServer("two")];
    const clients = [modernClient(everything), modernClient(everything, "eve")];
    const owners = [ada, eve];
    await crossTalk(servers, (ask, index, server) =>
      playModern(
        ask,
        callerWith(clients[index] ?? modernClient(), owners[index]),
        server,
        `client-${index}`,
      ),
    );
    expect(servers.map(({ requests }) => requests.length)).toEqual([6, 6]);
    expect(clients[0]?.asked).toEqual([]);
  });

  it("wrong answers do not use its state up; right ones do", async () => {
    const ask = toolAsk(legacyServer("one"));
    const caller = callerWith(modernClient(everything));
    const { requestState = null } = await ask(caller, "one");
    for (const inputResponses of [null, 5, { "input-1": 5 }]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect(ask(caller, "one", { requestState, inputResponses })).rejects.toMatchObject({
        code: -32_602,
      });
    }
    const retry = { requestState, inputResponses: { "input-1": answered("me") } };
    expect(await ask(caller, "one", retry)).toMatchObject({ heard: answered("me") });
    await expect(ask(caller, "one", retry)).rejects.toMatchObject({ code: -32_602 });
  });

  it("a client that declared nothing is not asked: the server hears -32601", async () => {
    const one = legacyServer("one");
    const ask = toolAsk(one);
    const declared: JsonObject[] = [{}, { sampling: {} }];
    for (const capabilities of declared) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const failure = await ask(callerWith(modernClient(capabilities)), "one").catch(
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({ code: -32_601 });
    }
  });
});

describe("legacy client, modern server", () => {
  it("the gateway asks the client and calls again, with the server's state", async () => {
    const servers = [modernServer("one"), modernServer("two")];
    const clients = [0, 1].map((index) => {
      const client = legacyClient(`s${index}`, everything);
      client.answer = () => answered(`client-${index}`);
      return client;
    });
    await crossTalk(servers, (ask, index, server) =>
      ask(callerWith(clients[index] ?? modernClient()), server),
    );
    expect(clients[0]?.asked[0]).toEqual({ method: "elicitation/create", params: asks });
    expect(servers[0]?.requests.slice(0, 6).map(({ params }) => params["requestState"])).toEqual(
      expect.arrayContaining([undefined, "one-1", "one-2"]),
    );
  });

  it("what a legacy client calls requestState is the server's to judge", async () => {
    const one = modernServer("one");
    one.answer = () => ({ content: [] });
    const ask = toolAsk(one);
    await ask(callerWith(legacyClient("s")), "one", { requestState: "mine" });
    expect(one.requests[0]?.params["requestState"]).toBe("mine");
  });

  it("a tool that asks for what the client did not declare gives an error result", async () => {
    const caller = callerWith(legacyClient("s", { roots: {} }));
    const ends = await Promise.all(
      waysOf(gatewayOf([modernServer("one")])).map(([, ask]) =>
        ask(caller, "one").catch((error: unknown) => error),
      ),
    );
    const text: unknown = expect.stringContaining("elicitation");
    expect(ends).toEqual([
      { content: [{ type: "text", text }], isError: true },
      expect.objectContaining({ code: "tool_error", message: text }),
      expect.objectContaining({ code: "tool_error", message: text }),
    ]);
  });

  it("a server that never has enough is stopped after ten rounds", async () => {
    const one = modernServer("one");
    one.answer = () => ({
      resultType: "input_required",
      inputRequests: { q: { method: "roots/list" } },
    });
    const client = legacyClient("s", everything);
    client.answer = () => ({ roots: [] });
    const ask = toolAsk(one);
    await expect(ask(callerWith(client), "one")).rejects.toMatchObject({
      code: "tool_error",
      message: 'Server "one" asked 10 times for more input',
    });
    expect(client.asked).toHaveLength(10);
    expect(one.requests).toHaveLength(11);
  });

  it("a client that does not answer one question ends the call with its error, and hears no more of the others", async () => {
    const one = modernServer("one");
    one.answer = () => ({
      resultType: "input_required",
      inputRequests: { a: { method: "roots/list" }, b: { method: "sampling/createMessage" } },
    });
    const client = legacyClient("s", everything);
    const cancelled: string[] = [];
    client.request = (method, _params, stop) =>
      method === "roots/list"
        ? Promise.reject(new RpcFault({ code: -1, message: "User said no" }))
        : new Promise((_resolve, reject) => {
            stop.addEventListener("abort", () => {
              cancelled.push(method);
              reject(new Error("stopped"));
            });
          });
    const ask = toolAsk(one);
    await expect(ask(callerWith(client), "one")).rejects.toMatchObject({ code: -1 });
    expect(cancelled).toEqual(["sampling/createMessage"]);
  });

  it("structured content that is no object comes as one; everything else as it was sent", async () => {
    const one = modernServer("one");
    const ask = toolAsk(one);
    const result = { content: [], resultType: "complete", structuredContent: [1], "x-new": 1 };
    one.answer = () => result;
    expect(await ask(callerWith(modernClient()), "one")).toBe(result);
    expect(await ask(callerWith(legacyClient("s")), "one")).toEqual({
      ...result,
      structuredContent: { result: [1] },
    });
    const old = fakeUpstream("one", listing);
    old.answer = () => result;
    expect(await toolAsk(old)(callerWith(legacyClient("s")), "one")).toBe(result);
  });
});

describe("whatever the eras", () => {
  it("an error of the server goes through as it is, and so does one of ours", async () => {
    const one = fakeUpstream("one", listing);
    const ask = toolAsk(one);
    const fault = new RpcFault({ code: -31_999, message: "odd", data: { a: 1 } });
    for (const error of [fault, new AppError("timeout", "late")]) {
      one.answer = () => Promise.reject(error);
      for (const client of [modernClient(everything), legacyClient("s", everything)]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        expect(await ask(callerWith(client), "one").catch((thrown: unknown) => thrown)).toBe(error);
      }
    }
  });
});
