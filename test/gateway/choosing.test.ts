import { afterEach, describe, expect, it, vi } from "vitest";
import type { ListKind } from "../../src/core/mcp.ts";
import { credentialRole } from "../../src/core/permissions.ts";
import type { Principal } from "../../src/core/principal.ts";
import type { SelectionRequest } from "../../src/core/selection.ts";
import { call, choose, everything, shop } from "./choice-world.ts";
import {
  ada,
  bob,
  callerWith,
  echoTool,
  fakeUpstream,
  gatewayOf,
  legacyClient,
  modernClient,
  open,
  serverConfiguration,
} from "./fakes.ts";

afterEach(() => {
  vi.useRealTimers();
});

const addressed = (server: string) => ({ ...call, address: { server, tool: "echo" } });

describe("what a caller chose", () => {
  it("is all that it is told of", async () => {
    const { gateway } = shop();
    const caller = choose(gateway, { preset: "web" });
    expect(gateway.listServers(caller).map(({ name }) => name)).toEqual(["shop"]);
    const namesOf = async (kind: ListKind): Promise<string[]> =>
      (await gateway.list(caller, kind)).map(({ name }) => JSON.stringify(name));
    expect(await namesOf("tools")).toEqual(['"s__echo"', '"s__look"']);
    expect(await namesOf("prompts")).toEqual(['"s__greet"']);
    expect(await gateway.list(caller, "resources")).toEqual(everything("shop").resources);
    expect(await namesOf("resourceTemplates")).toEqual(['"any"']);
    expect(gateway.instructions(caller, "shell")).toContain("shop");
    expect(gateway.instructions(caller, "shell")).not.toContain("git");
    // `files` has it, too, and is not there.
    expect(gateway.collisions(caller)).toEqual([]);
    expect(gateway.exposedTool(caller, "s__echo")).toBeDefined();
    expect(gateway.exposedTool(caller, "files__echo")).toBeUndefined();
    expect(gateway.collisions(callerWith(modernClient())).length).toBeGreaterThan(0);
  });

  it("is all that it reaches: a name outside is not found, and what was chosen is said", async () => {
    const { gateway, upstreams, audit } = shop();
    const caller = choose(gateway, { preset: "web" });
    const hint = 'Chosen is preset "web"; ask without that';
    const outside = (name: string) => ({
      code: "not_found",
      message: `${name} is not among what was chosen`,
      hint,
    });
    const byName = { ...call, address: { exposedName: "files__echo" } };
    await expect(gateway.callTool(caller, byName)).rejects.toMatchObject(
      outside('Tool "files__echo"'),
    );
    await expect(
      gateway.callTool(caller, { ...call, address: { server: "files", tool: "echo" } }),
    ).rejects.toMatchObject(outside('Tool "files__echo"'));
    await expect(
      gateway.getPrompt(caller, { params: { name: "git__greet" }, signal: call.signal }),
    ).rejects.toMatchObject(outside('Prompt "git__greet"'));
    await expect(
      gateway.readResource(caller, {
        params: { uri: "onedoor:git:git://it" },
        signal: call.signal,
      }),
    ).rejects.toMatchObject(outside('Resource "onedoor:git:git://it"'));
    await expect(
      gateway.complete(caller, {
        params: { ref: { type: "ref/prompt", name: "git__greet" } },
        signal: call.signal,
      }),
    ).rejects.toMatchObject(outside('Prompt "git__greet"'));
    await expect(
      gateway.subscribeResource(caller, "files://it", () => undefined),
    ).rejects.toMatchObject(outside('Resource "files://it"'));
    expect(() => gateway.inspectServer(caller, "git")).toThrowError(
      expect.objectContaining(outside('Server "git"')),
    );
    expect(() => gateway.inspectTool(caller, "git", "echo")).toThrowError(
      expect.objectContaining(outside('Tool "git__echo"')),
    );
    expect(upstreams.map(({ requests, told }) => requests.length + told.length)).toEqual([0, 0, 0]);
    expect(audit.events.map(({ toolName, status }) => [toolName, status])).toEqual([
      ["files__echo", "error"],
      ["files__echo", "error"],
    ]);
  });

  it("is what a misspelt name is compared with", async () => {
    const { gateway } = shop();
    const caller = choose(gateway, { tags: ["web"] });
    await expect(
      gateway.callTool(caller, { ...call, address: { server: "shop", tool: "ehco" } }),
    ).rejects.toMatchObject({ code: "not_found", hint: "Did you mean shop/echo?" });
    await expect(
      gateway.callTool(caller, { ...call, address: { server: "gti", tool: "echo" } }),
    ).rejects.toMatchObject({ code: "not_found", hint: "agent inspect" });
  });

  it("gives a URI that several list to the first of those that were chosen", async () => {
    const { gateway, upstreams } = shop();
    const caller = choose(gateway, { filter: "web or slow" });
    await gateway.readResource(caller, { params: { uri: "shared://it" }, signal: call.signal });
    expect(upstreams.map(({ requests }) => requests.length)).toEqual([0, 1, 0]);
  });

  it("is asked of anew with each caller: sessions are no door to what another choice has", async () => {
    const { gateway } = shop();
    const client = legacyClient("s1");
    const names = async (request: SelectionRequest): Promise<string[]> => {
      const tools = await gateway.list(choose(gateway, request, callerWith(client)), "tools");
      return tools.map(({ name }) => name);
    };
    expect(await names({ tags: ["web"] })).toEqual(["s__echo", "s__look"]);
    expect(await names({ preset: "dev" })).toEqual(["files__echo", "files__look"]);
    expect(await names({})).toHaveLength(6);
    const web = choose(gateway, { preset: "web" }, callerWith(client));
    await expect(
      gateway.callTool(web, { ...call, address: { exposedName: "files__echo" } }),
    ).rejects.toMatchObject({ code: "not_found" });
  });

  it("says to which servers a log level is told", () => {
    const { gateway, upstreams } = shop();
    gateway.setLogLevel(
      choose(gateway, { preset: "dev" }, callerWith(legacyClient("s1"))),
      "debug",
    );
    expect(upstreams.map(({ told }) => told)).toEqual([["setLogLevel debug s1"], [], []]);
  });
});

describe("a reload of the configuration", () => {
  it("changes what a preset means at once, also for who holds it", async () => {
    const { gateway, configure, servers } = shop();
    const caller = choose(gateway, { preset: "dev" });
    await gateway.callTool(caller, addressed("files"));
    configure(servers, { dev: { servers: ["shop"] } });
    await expect(gateway.callTool(caller, addressed("files"))).rejects.toMatchObject({
      code: "not_found",
    });
    await gateway.callTool(caller, addressed("shop"));
    expect(gateway.listServers(caller).map(({ name }) => name)).toEqual(["shop"]);
  });

  it("that takes a preset away widens nothing: nothing is there, and news of it comes", async () => {
    vi.useFakeTimers();
    const { gateway, configure, servers, upstreams, pool } = shop();
    const caller = choose(gateway, { preset: "dev" });
    const news: string[][] = [];
    gateway.onListsChanged(caller, (kinds) => news.push([...kinds]));
    const updates: unknown[] = [];
    await gateway.subscribeResource(caller, "files://it", (update) => updates.push(update));
    pool.resourceUpdated("files", { uri: "files://it" });
    configure(servers, {});
    await vi.advanceTimersByTimeAsync(200);
    expect(news).toEqual([["tools", "prompts", "resources", "resourceTemplates"]]);
    expect(gateway.listServers(caller)).toEqual([]);
    expect(await gateway.list(caller, "tools")).toEqual([]);
    await expect(gateway.callTool(caller, addressed("files"))).rejects.toMatchObject({
      code: "not_found",
      hint: 'Chosen is preset "dev"; ask without that',
    });
    pool.resourceUpdated("files", { uri: "files://it" });
    expect(updates).toEqual([{ uri: "files://it" }]);
    expect(() => gateway.selectionOf({ preset: "dev" })).toThrowError(
      expect.objectContaining({ code: "not_found" }),
    );
    expect(upstreams.map(({ requests }) => requests.length)).toEqual([0, 0, 0]);
  });
});

describe("news of changed lists", () => {
  it("comes for what was chosen only", async () => {
    vi.useFakeTimers();
    const { gateway, upstreams, pool } = shop();
    const [files, , web] = upstreams;
    const news: string[] = [];
    for (const [name, request] of Object.entries({
      dev: { preset: "dev" },
      web: { preset: "web" },
      all: {},
    })) {
      gateway.onListsChanged(choose(gateway, request), (kinds) =>
        news.push(`${name} ${[...kinds].join()}`),
      );
    }
    if (web !== undefined) web.listing = { ...web.listing, tools: [echoTool] };
    pool.changed();
    await vi.advanceTimersByTimeAsync(200);
    expect(news.splice(0)).toEqual(["web tools", "all tools"]);
    if (files !== undefined) files.listing = { ...files.listing, prompts: [] };
    pool.changed();
    await vi.advanceTimersByTimeAsync(200);
    expect(news).toEqual(["dev prompts", "all prompts"]);
  });

  it("of a session's own lists goes by what it was listed", async () => {
    vi.useFakeTimers();
    const { gateway, upstreams, pool } = shop();
    const client = legacyClient("s1", { sampling: {} });
    const caller = choose(gateway, { preset: "web" }, callerWith(client));
    await gateway.list(caller, "tools");
    const news: string[] = [];
    gateway.onListsChanged(caller, (kinds) => news.push([...kinds].join()));
    const change = async (at: number): Promise<string[]> => {
      const upstream = upstreams[at];
      if (upstream !== undefined) {
        upstream.listFor = () => ({
          ...upstream.listing,
          tools: [{ ...echoTool, name: `n${at}` }],
        });
      }
      pool.sessionListingChanged(client.session);
      await vi.advanceTimersByTimeAsync(200);
      return news.splice(0);
    };
    expect(await change(0)).toEqual([]);
    expect(await change(2)).toEqual(["tools"]);
  });
});

describe("presets as they are told", () => {
  const servers = [
    serverConfiguration("files", { tags: ["local"] }),
    serverConfiguration("secret", {
      tags: ["local", "bolts"],
      access: { ...open, organizations: ["bolt"] },
    }),
    serverConfiguration("off", { disabled: true, tags: ["rest"] }),
  ];
  const presets = {
    dev: { servers: ["files", "secret", "off", "gone"] },
    tagged: { tags: ["local", "nope"], filter: "not bolts or rest" },
  };
  const toldTo = (principal: Principal) =>
    gatewayOf([fakeUpstream("files"), fakeUpstream("secret")], {
      servers,
      presets,
    }).gateway.presets(callerWith(modernClient(), principal));

  it("have all to who administers the gateway", () => {
    expect(toldTo(ada)).toEqual([
      {
        name: "dev",
        definition: presets.dev,
        servers: ["files", "secret"],
        missing: { servers: ["gone"], tags: [] },
      },
      {
        name: "tagged",
        definition: presets.tagged,
        servers: ["files"],
        missing: { servers: [], tags: ["nope"] },
      },
    ]);
  });

  it("tell nothing of servers that somebody does not see", () => {
    for (const who of [
      { ...bob, organizationId: "acme" },
      {
        ...ada,
        ...credentialRole("admin", { scopes: ["server:files"] }),
        scopes: ["server:files"],
      },
    ]) {
      const told = toldTo(who);
      expect(told.map(({ missing, servers: there }) => [missing, there])).toEqual([
        [{ servers: [], tags: [] }, ["files"]],
        [{ servers: [], tags: [] }, ["files"]],
      ]);
      expect(JSON.stringify(told)).not.toMatch(/secret|gone/u);
    }
  });

  it("are for nobody without a role", () => {
    expect(() => toldTo({ ...bob, role: null })).toThrowError(
      expect.objectContaining({ code: "forbidden" }),
    );
  });
});
