import { afterEach, describe, expect, it, vi } from "vitest";
import { emptyListing } from "../../src/core/mcp.ts";
import type { Listing, ListKind, Tool } from "../../src/core/mcp.ts";
import type { ClientPort, ClientSession } from "../../src/core/client-port.ts";
import {
  caller,
  callerWith,
  echoTool,
  failed,
  fakeUpstream,
  gatewayOf,
  legacyClient,
  modernClient,
  serverConfiguration,
  silentLogger,
} from "./fakes.ts";

afterEach(() => {
  vi.useRealTimers();
});

const tool = (name: string): Tool => ({ ...echoTool, name });
const listing = (...names: string[]): Listing => ({ ...emptyListing, tools: names.map(tool) });
const namesIn = (tools: readonly Tool[]) => tools.map(({ name }) => name);

describe("the catalog", () => {
  it("stays the same object until a server lists something else", async () => {
    const one = fakeUpstream("one");
    const { gateway } = gatewayOf([one]);
    const before = await gateway.list(caller, "tools");
    expect(before).toEqual([{ ...echoTool, name: "one__echo" }]);
    one.state = failed("died");
    expect(await gateway.list(caller, "tools")).toBe(before);
    one.listing = listing("other");
    expect(namesIn(await gateway.list(caller, "tools"))).toEqual(["one__other"]);
  });

  it("follows a reload without being told", async () => {
    const { gateway, servers } = gatewayOf([fakeUpstream("one")]);
    servers.set("one", serverConfiguration("one", { prefix: "" }));
    expect(namesIn(await gateway.list(caller, "tools"))).toEqual(["echo"]);
    servers.clear();
    expect(await gateway.list(caller, "tools")).toEqual([]);
  });

  it("reports collisions, logs each once, and keeps both tools callable", async () => {
    vi.useFakeTimers();
    const warned: unknown[] = [];
    const logger = {
      ...silentLogger,
      warn: (_: string, fields?: object) => void warned.push(fields),
    };
    const [one, two] = [fakeUpstream("one"), fakeUpstream("two")];
    const servers = [
      serverConfiguration("one", { prefix: "" }),
      serverConfiguration("two", { prefix: "" }),
    ];
    const { gateway, pool } = gatewayOf([one, two], { servers, logger });
    two.listing = { ...two.listing };
    pool.changed();
    await vi.runAllTimersAsync();
    const collision = '"echo" of "two" is not offered as echo: "echo" of "one" has that name';
    expect(gateway.collisions(caller)).toEqual([collision]);
    expect(warned).toEqual([{ collision }]);
    const signal = new AbortController().signal;
    const params = { arguments: { message: "x" } };
    await gateway.callTool(caller, { address: { exposedName: "echo" }, params, signal });
    const address = { server: "two", tool: "echo" };
    await gateway.callTool(caller, { address, params, signal });
    expect([one.requests.length, two.requests.length]).toEqual([1, 1]);
  });
});

const perClient = () => {
  const one = fakeUpstream("one");
  const two = fakeUpstream("two");
  one.listFor = ({ capabilities }: ClientPort) =>
    capabilities["sampling"] === undefined ? one.listing : sampling;
  const sampling = listing("echo", "ask");
  return { one, two, sampling, ...gatewayOf([one, two]) };
};

describe("what a client sees", () => {
  it("depends on what it declared, whatever its era", async () => {
    const { gateway } = perClient();
    for (const plain of [modernClient(), legacyClient("a", { roots: {} })]) {
      expect(namesIn(await gateway.list(callerWith(plain), "tools"))).toEqual([
        "one__echo",
        "two__echo",
      ]);
    }
    for (const asked of [modernClient({ sampling: {} }), legacyClient("b", { sampling: {} })]) {
      expect(namesIn(await gateway.list(callerWith(asked), "tools"))).toEqual([
        "one__echo",
        "one__ask",
        "two__echo",
      ]);
    }
  });

  it("is one object for clients that see the same", async () => {
    const { gateway, one, sampling } = perClient();
    // Each session has a connection of its own, and so a listing of its own.
    one.listFor = () => structuredClone(sampling);
    const lists = await Promise.all(
      [legacyClient("a", { sampling: {} }), legacyClient("b", { sampling: {} })].map((client) =>
        gateway.list(callerWith(client), "tools"),
      ),
    );
    expect(lists[0]).toBe(lists[1]);
  });

  it("is what it can call, also by a client that never listed; others cannot", async () => {
    const { gateway, one } = perClient();
    const call = { address: { exposedName: "one__ask" }, params: { arguments: { message: "x" } } };
    const signal = new AbortController().signal;
    await gateway.callTool(callerWith(modernClient({ sampling: {} })), { ...call, signal });
    expect(one.requests[0]?.params).toMatchObject({ name: "ask" });
    await expect(
      gateway.callTool(callerWith(modernClient()), { ...call, signal }),
    ).rejects.toMatchObject({ code: "not_found" });
    const address = { server: "one", tool: "ask" };
    await gateway.callTool(callerWith(modernClient({ sampling: {} })), {
      ...call,
      address,
      signal,
    });
    expect(one.requests).toHaveLength(2);
  });

  it("lets a tool be looked up without asking a server", async () => {
    const { gateway } = perClient();
    const client = legacyClient("a", { sampling: {} });
    expect(gateway.exposedTool(callerWith(client), "one__ask")).toBeUndefined();
    expect(gateway.exposedTool(callerWith(client), "one__echo")).toBe(echoTool);
    await gateway.list(callerWith(client), "tools");
    expect(gateway.exposedTool(callerWith(client), "one__ask")?.name).toBe("ask");
    expect(gateway.exposedTool(callerWith(legacyClient("b")), "one__ask")).toBeUndefined();
  });

  it("waits for a slow server a bounded time, and only once", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { gateway, one, two } = perClient();
    const answers: ((listing: Listing) => void)[] = [];
    one.listFor = () => new Promise((resolve) => answers.push(resolve));
    two.listFor = () => Promise.reject(new Error("broken"));
    const client = legacyClient("a", { sampling: {} });
    const first = gateway.list(callerWith(client), "tools");
    await vi.advanceTimersByTimeAsync(3_000);
    expect(namesIn(await first)).toEqual(["one__echo", "two__echo"]);
    // Nothing but what is settled already is waited for now: no time passes.
    expect(namesIn(await gateway.list(callerWith(client), "tools"))).toHaveLength(2);
    for (const answer of answers) answer(listing("late"));
    one.listFor = () => listing("late");
    expect(namesIn(await gateway.list(callerWith(client), "tools"))).toEqual([
      "one__late",
      "two__echo",
    ]);
  });
});

const watched = () => {
  vi.useFakeTimers();
  const fixture = { one: fakeUpstream("one"), two: fakeUpstream("two") };
  const { gateway, pool } = gatewayOf([fixture.one, fixture.two]);
  const told: [ListKind[], string | undefined][] = [];
  const stop = gateway.onListsChanged(caller, (kinds, session?: ClientSession) =>
    told.push([[...kinds], session?.id]),
  );
  return { ...fixture, gateway, pool, told, stop };
};

describe("changes", () => {
  it("are told once for servers that change together, by what changed, while somebody listens", async () => {
    const { one, two, pool, told, stop } = watched();
    one.listing = { ...one.listing, tools: [tool("new")] };
    pool.changed();
    two.listing = { ...two.listing, resources: [{ uri: "x:1", name: "x" }] };
    pool.changed();
    expect(told).toEqual([]);
    await vi.runAllTimersAsync();
    expect(told).toEqual([[["tools", "resources"], undefined]]);
    stop();
    one.listing = emptyListing;
    pool.changed();
    await vi.runAllTimersAsync();
    expect(told).toHaveLength(1);
  });

  it("are none for who comes after them, though the others are not told yet", async () => {
    const { one, pool, gateway, told } = watched();
    one.listing = { ...one.listing, tools: [tool("new")] };
    pool.changed();
    const late: ListKind[][] = [];
    gateway.onListsChanged(caller, (kinds) => late.push([...kinds]));
    await vi.runAllTimersAsync();
    expect(told).toEqual([[["tools"], undefined]]);
    expect(late).toEqual([]);
    one.listing = emptyListing;
    pool.changed();
    await vi.runAllTimersAsync();
    expect(late).toEqual([["tools"]]);
  });

  it("are none when a server comes back with what it had, or only its state changed", async () => {
    const { one, pool, told } = watched();
    one.state = failed("died");
    pool.changed();
    one.listing = structuredClone(one.listing);
    pool.changed();
    await vi.runAllTimersAsync();
    expect(told).toEqual([]);
    one.listing = { ...one.listing, tools: [{ ...echoTool, "x-new": { a: [1] } }] };
    pool.changed();
    await vi.runAllTimersAsync();
    expect(told).toEqual([[["tools"], undefined]]);
  });

  it("of one session's own lists are told to it alone, and only if it was listed them", async () => {
    const { one, gateway, pool, told } = watched();
    const [a, b] = [legacyClient("a", { roots: {} }), legacyClient("b", { roots: {} })];
    await gateway.list(callerWith(a), "tools");
    one.listFor = ({ session }) => (session === a.session ? listing("mine") : one.listing);
    pool.sessionListingChanged(a.session);
    pool.sessionListingChanged(b.session);
    await vi.runAllTimersAsync();
    expect(told).toEqual([[["tools"], "a"]]);
    expect(namesIn(await gateway.list(callerWith(a), "tools"))).toContain("one__mine");
    pool.sessionListingChanged(a.session);
    a.end();
    one.listFor = () => listing("nobody");
    pool.sessionListingChanged(a.session);
    await vi.runAllTimersAsync();
    expect(told).toHaveLength(1);
  });

  it("end with the gateway", async () => {
    const { one, gateway, pool, told } = watched();
    one.listing = emptyListing;
    pool.changed();
    gateway.close();
    pool.changed();
    await vi.runAllTimersAsync();
    expect(told).toEqual([]);
  });
});

describe("a gateway of one server that hides nothing", () => {
  it("passes on names as they are, known or not, and does not judge what it does not know", async () => {
    const one = fakeUpstream("one");
    const { gateway, audit } = gatewayOf([one], { names: "own" });
    expect(namesIn(await gateway.list(caller, "tools"))).toEqual(["echo"]);
    const signal = new AbortController().signal;
    for (const name of ["echo", "hidden.tool"]) {
      const params = { name, arguments: name === "echo" ? { message: "x" } : [1] };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await gateway.callTool(caller, { address: { exposedName: name }, params, signal });
    }
    expect(one.requests.map(({ params }) => params["name"])).toEqual(["echo", "hidden.tool"]);
    expect(audit.events.map(({ toolName }) => toolName)).toEqual(["echo", "hidden.tool"]);
    await gateway.getPrompt(caller, { params: { name: "hidden" }, signal });
    // It may be a gateway itself.
    for (const uri of ["any:thing", "onedoor:one:x", "onedoor:two:x"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await gateway.readResource(caller, { params: { uri }, signal });
    }
    expect(one.requests.slice(2).map(({ method, params }) => [method, params])).toEqual([
      ["prompts/get", { name: "hidden" }],
      ["resources/read", { uri: "any:thing" }],
      ["resources/read", { uri: "onedoor:one:x" }],
      ["resources/read", { uri: "onedoor:two:x" }],
    ]);
  });
});
