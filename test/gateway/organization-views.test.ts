import { afterEach, describe, expect, it, vi } from "vitest";
import { emptyListing } from "../../src/core/mcp.ts";
import type { Listing, Tool } from "../../src/core/mcp.ts";
import type { ServerAccess } from "../../src/core/configuration.ts";
import type { Principal } from "../../src/core/principal.ts";
import type { CallerContext } from "../../src/gateway/gateway.ts";
import {
  ada,
  callerWith,
  echoTool,
  fakeUpstream,
  gatewayOf,
  legacyClient,
  modernClient,
  open,
  readyModern,
  serverConfiguration,
} from "./fakes.ts";

afterEach(() => {
  vi.useRealTimers();
});

const person = (organizationId: string | null, role: Principal["role"] = "editor"): Principal => ({
  ...ada,
  userId: `of ${organizationId}`,
  organizationId,
  role,
});
const acme = person("acme");
const bolt = person("bolt");
const viewer = person("acme", "viewer");
const as = (principal: Principal): CallerContext => callerWith(modernClient(), principal);
const of = (...organizations: string[]) => ({ access: { ...open, organizations } });
const looks: Tool = { ...echoTool, name: "look", annotations: { readOnlyHint: true } };
const tools = (...more: Tool[]): Listing => ({ ...emptyListing, tools: [echoTool, ...more] });
const { signal } = new AbortController();
const params = { arguments: { message: "x" } };

describe("names that several want", () => {
  it("are each organisation's own: nobody hears of others', and each calls its own", async () => {
    const upstreams = [fakeUpstream("one"), fakeUpstream("two")];
    const { gateway } = gatewayOf(upstreams, {
      servers: [
        serverConfiguration("one", { prefix: "", ...of("acme") }),
        serverConfiguration("two", { prefix: "", ...of("bolt") }),
      ],
    });
    for (const who of [acme, bolt]) {
      expect(gateway.collisions(as(who))).toEqual([]);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await gateway.callTool(as(who), { address: { exposedName: "echo" }, params, signal });
    }
    expect(upstreams.map(({ requests }) => requests.length)).toEqual([1, 1]);
    expect(gateway.collisions(as(ada))).toEqual([
      '"echo" of "two" is not offered as echo: "echo" of "one" has that name',
    ]);
  });

  it("take the place of no other's resource", async () => {
    const listing = { resources: [{ uri: "file:///shared", name: "s" }] };
    const [one, two] = [fakeUpstream("one", listing), fakeUpstream("two", listing)];
    const { gateway } = gatewayOf([one, two], {
      servers: [serverConfiguration("one", of("acme")), serverConfiguration("two", of("bolt"))],
    });
    expect(await gateway.list(as(bolt), "resources")).toEqual(listing.resources);
    await gateway.readResource(as(bolt), { params: { uri: "file:///shared" }, signal });
    expect([one.requests.length, two.requests.length]).toEqual([0, 1]);
  });
});

it("a slow server of others holds up nobody", async () => {
  const [one, two] = [fakeUpstream("one"), fakeUpstream("two")];
  two.listFor = () => new Promise(() => undefined);
  const { gateway } = gatewayOf([one, two], {
    servers: [serverConfiguration("one", of("acme")), serverConfiguration("two", of("bolt"))],
  });
  expect(await gateway.list(as(acme), "tools")).toHaveLength(1);
});

it("more organisations than are kept in memory see what is theirs, over and over", async () => {
  const count = 450;
  const organizations = Array.from({ length: count }, (_, index) => `org-${index}`);
  const upstreams = ["a", "b", "c"].map((name) => fakeUpstream(name));
  const ofThree = (which: number) =>
    organizations.filter((_, index) => index % upstreams.length === which);
  const { gateway } = gatewayOf(upstreams, {
    servers: upstreams.map(({ name }, which) => serverConfiguration(name, of(...ofThree(which)))),
  });
  const heard: string[] = [];
  for (const organization of organizations) {
    gateway.onListsChanged(as(person(organization)), () => heard.push(organization));
  }
  for (let round = 0; round < 2; round += 1) {
    for (const [index, organization] of organizations.entries()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const listed = await gateway.list(as(person(organization)), "tools");
      expect(listed.map(({ name }) => name)).toEqual([`${"abc"[index % 3]}__echo`]);
    }
  }
  gateway.close();
  expect(heard).toEqual([]);
});

const watched = (
  servers = [serverConfiguration("one", of("acme")), serverConfiguration("two")],
) => {
  vi.useFakeTimers();
  const [one, two] = [fakeUpstream("one", tools(looks)), fakeUpstream("two")];
  const fixture = gatewayOf([one, two], { servers });
  const told: string[] = [];
  const listen = (name: string, caller: Pick<CallerContext, "principal">) =>
    fixture.gateway.onListsChanged(caller, (kinds, session) =>
      told.push([name, ...kinds, session?.id].join(" ").trim()),
    );
  for (const [name, principal] of Object.entries({ acme, viewer, bolt, ada })) {
    listen(name, { principal });
  }
  const settle = async (): Promise<string[]> => {
    await vi.runAllTimersAsync();
    return told.splice(0).toSorted();
  };
  return { one, two, ...fixture, listen, settle };
};

describe("what is told of changes", () => {
  it("is told to those only who see the server", async () => {
    const { one, two, pool, settle } = watched();
    one.listing = { ...one.listing, prompts: [{ name: "p" }] };
    pool.changed();
    expect(await settle()).toEqual(["acme prompts", "ada prompts", "viewer prompts"]);
    two.listing = { ...two.listing, prompts: [{ name: "p" }] };
    pool.changed();
    expect(await settle()).toHaveLength(4);
  });

  it("is not told to a viewer of a tool that it is not listed", async () => {
    const { one, pool, settle } = watched();
    one.listing = tools(looks, { ...echoTool, name: "new" });
    pool.changed();
    expect(await settle()).toEqual(["acme tools", "ada tools"]);
    one.listing = tools({ ...looks, title: "Look" });
    pool.changed();
    expect(await settle()).toEqual(["acme tools", "ada tools", "viewer tools"]);
  });

  it.each<[string, Partial<ServerAccess>, string[]]>([
    [
      "gives it to another",
      { organizations: ["bolt"] },
      ["acme tools", "bolt tools", "viewer tools"],
    ],
    ["gives it to all", { organizations: [] }, ["bolt tools"]],
    ["calls a tool reading", { organizations: ["acme"], read: ["echo"] }, ["viewer tools"]],
    ["calls a tool writing", { organizations: ["acme"], write: ["look"] }, ["viewer tools"]],
    ["does not believe hints", { organizations: ["acme"], trustHints: false }, ["viewer tools"]],
    ["says what was so", { organizations: ["acme"], write: ["echo"] }, []],
  ])("is told when the configuration is loaded again and %s", async (_what, access, expected) => {
    const { gateway, configure, settle } = watched();
    await gateway.list(as(viewer), "tools");
    configure([
      serverConfiguration("one", { access: { ...open, ...access } }),
      serverConfiguration("two"),
    ]);
    expect(await settle()).toEqual(expected);
  });

  it("counts for the next request already", async () => {
    const { gateway, configure } = watched();
    const call = (who: Principal, tool: string) =>
      gateway.callTool(as(who), { address: { exposedName: `one__${tool}` }, params, signal });
    await call(viewer, "look");
    await gateway.list(as(acme), "tools");
    configure([
      serverConfiguration("one", { access: { ...open, organizations: ["acme"], write: ["look"] } }),
      serverConfiguration("two"),
    ]);
    await expect(call(viewer, "look")).rejects.toMatchObject({ code: "forbidden" });
    configure([serverConfiguration("one", of("bolt")), serverConfiguration("two")]);
    await expect(call(acme, "echo")).rejects.toMatchObject({
      code: "not_found",
      message: 'Unknown tool "one__echo"',
    });
    await call(bolt, "echo");
  });

  it("goes by who the caller is by then", async () => {
    const { one, pool, listen, settle } = watched();
    const session = { principal: acme };
    listen("session", session);
    session.principal = bolt;
    // What it sees is another thing now, whatever changed.
    pool.changed();
    expect(await settle()).toEqual(["session tools"]);
    one.listing = emptyListing;
    pool.changed();
    expect(await settle()).not.toContain("session tools");
  });

  it("is told to a session of what only it is listed", async () => {
    const { one, gateway, configure, settle } = watched();
    one.listFor = ({ capabilities }) =>
      capabilities["sampling"] === undefined
        ? one.listing
        : tools(looks, { ...looks, name: "ask" });
    const client = legacyClient("s", { sampling: {} });
    const other = legacyClient("t");
    await gateway.list(callerWith(client, viewer), "tools");
    await gateway.list(callerWith(other, viewer), "tools");
    const access = { ...open, organizations: ["acme"], write: ["ask"] };
    configure([serverConfiguration("one", { access }), serverConfiguration("two")]);
    const all = ["acme", "ada", "bolt", "viewer"].map((name) => `${name} tools s`);
    expect(await settle()).toEqual(all);
    client.end();
    configure([serverConfiguration("one", of("acme")), serverConfiguration("two")]);
    expect(await settle()).toEqual([]);
  });

  it("of a session whose role changed, it is listed by what it is now", async () => {
    const { gateway } = watched();
    const client = legacyClient("s");
    const names = async (who: Principal) =>
      (await gateway.list(callerWith(client, who), "tools")).map(({ name }) => name);
    expect(await names(acme)).toEqual(["one__echo", "one__look", "two__echo"]);
    expect(await names(viewer)).toEqual(["one__look"]);
    expect(gateway.exposedTool(callerWith(client, bolt), "one__look")).toBeUndefined();
    expect(await names(person(null, "admin"))).toHaveLength(3);
    expect(await names(person(null, "viewer"))).toEqual([]);
  });
});

const subscribed = async () => {
  const one = fakeUpstream("one", { resources: [{ uri: "x:1", name: "x" }] });
  const fixture = gatewayOf([one], { servers: [serverConfiguration("one", of("acme"))] });
  const caller = { ...as(acme) };
  const heard: unknown[] = [];
  await fixture.gateway.subscribeResource(caller, "x:1", (params_) => heard.push(params_));
  const update = (): number => {
    fixture.pool.resourceUpdated("one", { uri: "x:1" });
    return heard.splice(0).length;
  };
  return { ...fixture, caller, update };
};

describe("a subscription", () => {
  it("delivers nothing once its server belongs to others, and again when it is back", async () => {
    const { configure, update } = await subscribed();
    expect(update()).toBe(1);
    configure([serverConfiguration("one", of("bolt"))]);
    expect(update()).toBe(0);
    configure([serverConfiguration("one", { ...of("acme"), disabled: true })]);
    expect(update()).toBe(0);
    configure([serverConfiguration("one", of("acme"))]);
    expect(update()).toBe(1);
  });

  it("delivers nothing to who has no role there any more", async () => {
    const { caller, update } = await subscribed();
    caller.principal = person("acme", null);
    expect(update()).toBe(0);
    caller.principal = bolt;
    expect(update()).toBe(0);
    caller.principal = viewer;
    expect(update()).toBe(1);
  });
});

it("a call that waits for answers is unknown to who can no longer see its server", async () => {
  const one = fakeUpstream("one");
  one.state = readyModern;
  one.answer = () => ({ resultType: "input_required", inputRequests: {}, requestState: "s" });
  const { gateway, configure } = gatewayOf([one]);
  const call = (more = {}) =>
    gateway.callTool(as(acme), {
      address: { exposedName: "one__echo" },
      params: { ...params, ...more },
      signal,
    });
  const { requestState } = await call();
  configure([serverConfiguration("one", of("bolt"))]);
  const refused = await call({ requestState }).catch((error: unknown) => error);
  configure([]);
  expect(refused).toEqual(await call({ requestState }).catch((error: unknown) => error));
  expect(refused).toMatchObject({ code: "not_found", message: 'Unknown tool "one__echo"' });
  expect(one.requests).toHaveLength(1);
});
