import { describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { emptyListing } from "../../src/core/mcp.ts";
import type { GatewayCall } from "../../src/gateway/gateway.ts";
import { RpcFault } from "../../src/core/json-rpc.ts";
import {
  caller,
  echoTool,
  failed,
  fakeUpstream,
  gatewayOf,
  ready,
  serverConfiguration,
  starting,
} from "./fakes.ts";

const call = (more: Partial<GatewayCall> = {}): GatewayCall => ({
  address: { server: "one", tool: "echo" },
  params: { arguments: { message: "hi" } },
  signal: new AbortController().signal,
  ...more,
});

const countsOf = (tools: number) => ({ tools, prompts: 0, resources: 0, resourceTemplates: 0 });

describe("a call", () => {
  it("reaches the upstream under its own tool name, every other field untouched", async () => {
    const one = fakeUpstream("one");
    const { gateway } = gatewayOf([one]);
    const params: JsonObject = {
      arguments: { message: "hi" },
      _meta: { "x/y": [1] },
      inputResponses: { a: { action: "accept" } },
      "x-unknown": null,
    };
    await gateway.callTool(caller, call({ address: { exposedName: "one__echo" }, params }));
    expect(one.requests[0]?.params).toEqual({ ...params, name: "echo" });
    expect(params).not.toHaveProperty("name");
  });

  it("gives back the very object that the upstream answered", async () => {
    const one = fakeUpstream("one");
    const answer = { content: [{ type: "hologram", data: 1 }], "x-new": { y: null } };
    one.answer = () => answer;
    const { gateway } = gatewayOf([one]);
    expect(await gateway.callTool(caller, call())).toBe(answer);
  });

  it("types text by the schema, lets it win over arguments, and fills piped text in", async () => {
    const one = fakeUpstream("one");
    const { gateway } = gatewayOf([one]);
    await gateway.callTool(
      caller,
      call({ params: { arguments: { times: 1 } }, untyped: { times: "3" }, text: "piped" }),
    );
    expect(one.requests[0]?.params["arguments"]).toEqual({ times: 3, message: "piped" });
  });

  it("adds no arguments where none were given and none are needed", async () => {
    const one = fakeUpstream("one", { tools: [{ name: "echo", inputSchema: { type: "object" } }] });
    const { gateway } = gatewayOf([one]);
    await gateway.callTool(caller, call({ params: {} }));
    expect(one.requests[0]?.params).toEqual({ name: "echo" });
  });

  it.each<[string, Partial<GatewayCall>, string]>([
    ["missing", { params: {} }, 'one/echo: Argument "message" is missing: expected string'],
    [
      "wrong",
      { params: { arguments: { message: 5 } } },
      'one/echo: Argument "message" must be string',
    ],
    ["no object", { params: { arguments: [] } }, "The arguments must be a JSON object"],
  ])("does not reach the upstream with %s arguments", async (_what, more, message) => {
    const one = fakeUpstream("one");
    const { gateway } = gatewayOf([one]);
    await expect(gateway.callTool(caller, call(more))).rejects.toMatchObject({
      code: "usage",
      message,
    });
    expect(one.requests).toEqual([]);
  });

  it("calls a tool that its server lists without a schema", async () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a faulty server may list
    const bare = { name: "echo" } as unknown as typeof echoTool;
    const one = fakeUpstream("one", { tools: [bare] });
    const { gateway } = gatewayOf([one]);
    await gateway.callTool(caller, call());
    expect(one.requests).toHaveLength(1);
  });

  it("takes the shorter of the caller's and the server's limit, under one hour in all", async () => {
    const one = fakeUpstream("one");
    const servers = [serverConfiguration("one", { timeoutMs: 1000 })];
    const { gateway } = gatewayOf([one], { servers });
    for (const timeoutMs of [500, 5000, undefined]) {
      await gateway.callTool(caller, call({ timeoutMs }));
    }
    expect(one.requests.map(({ timeoutMs }) => timeoutMs)).toEqual([500, 1000, 1000]);
    expect(one.requests[0]?.maxTotalMs).toBe(3_600_000);
  });
});

describe("routing", () => {
  it.each([
    [{ server: "on", tool: "echo" }, 'Unknown server "on"', "Did you mean one?"],
    [{ server: "zzz", tool: "echo" }, 'Unknown server "zzz"', "agent inspect"],
    [{ server: "one", tool: "ehco" }, 'Unknown tool "ehco" of "one"', "Did you mean one/echo?"],
    [{ server: "one", tool: "zzz" }, 'Unknown tool "zzz" of "one"', "agent inspect one"],
    [{ exposedName: "one__ech" }, 'Unknown tool "one__ech"', "Did you mean one__echo?"],
  ])("says of %j that it is not there, and what is", async (address, message, hint) => {
    const { gateway } = gatewayOf([fakeUpstream("one")]);
    await expect(gateway.callTool(caller, call({ address }))).rejects.toMatchObject({
      code: "not_found",
      message,
      hint,
    });
  });

  it("says of a server that is switched off that it is", async () => {
    const servers = [serverConfiguration("one"), serverConfiguration("off", { disabled: true })];
    const { gateway } = gatewayOf([fakeUpstream("one")], { servers });
    const address = { server: "off", tool: "echo" };
    await expect(gateway.callTool(caller, call({ address }))).rejects.toMatchObject({
      code: "not_found",
      message: 'Server "off" is disabled in the configuration',
    });
  });

  it.each([{ server: "one", tool: "new" }, { exposedName: "one__new" }])(
    "says of a tool %j of a server that is not ready that it is unavailable, not unknown",
    async (address) => {
      const one = fakeUpstream("one", {});
      const { gateway } = gatewayOf([one, fakeUpstream("two")]);
      one.state = starting;
      await expect(gateway.callTool(caller, call({ address }))).rejects.toMatchObject({
        code: "upstream_unavailable",
        message: 'Server "one" is still starting',
        hint: "agent wait one",
      });
      one.state = failed("exit code 1\nat once");
      await expect(gateway.callTool(caller, call({ address }))).rejects.toMatchObject({
        code: "upstream_unavailable",
        message: 'Server "one" is unavailable: exit code 1 at once',
      });
    },
  );

  it("does not know a disabled server, nor one the pool does not have yet as anything but starting", async () => {
    const servers = [serverConfiguration("one", { disabled: true }), serverConfiguration("late")];
    const { gateway } = gatewayOf([fakeUpstream("one")], { servers });
    expect(gateway.listServers(caller)).toEqual([
      { name: "late", state: "starting", toolCount: 0, counts: countsOf(0), tags: [] },
    ]);
    expect(() => gateway.inspectServer(caller, "one")).toThrowError(
      expect.objectContaining({ code: "not_found" }),
    );
    expect(() => gateway.inspectTool(caller, "late", "x")).toThrowError(
      expect.objectContaining({ code: "upstream_unavailable" }),
    );
  });
});

const rows = async (
  more: Partial<GatewayCall>,
  prepare?: (one: ReturnType<typeof fakeUpstream>) => void,
) => {
  const one = fakeUpstream("one");
  prepare?.(one);
  const servers = [
    serverConfiguration("one", { env: { API_TOKEN: "server-secret-1", HOME: "/home/ada" } }),
  ];
  const { gateway, audit } = gatewayOf([one], { servers });
  await gateway.callTool(caller, call(more)).catch(() => undefined);
  return audit.events;
};

const status = async (answer: () => JsonObject) =>
  (await rows({}, (one) => (one.answer = answer)))[0]?.status;
const fail = (error: Error) => () => {
  throw error;
};

describe("the audit", () => {
  it("has one row for a call that worked", async () => {
    expect(await rows({})).toEqual([
      {
        id: expect.stringMatching(/^00000000-[\da-f]{4}-7.*1$/u),
        timeMs: 1005,
        durationMs: 5,
        toolName: "one__echo",
        params: { message: "hi" },
        status: "success",
        userId: "ada",
        organizationId: null,
        projectId: "p1",
        sessionId: "s1",
        clientName: "test",
      },
    ]);
  });

  it.each<[string, Partial<GatewayCall>, string]>([
    ["unknown server", { address: { server: "none", tool: "x" } }, "none__x"],
    ["unknown tool", { address: { exposedName: "one__nope" } }, "one__nope"],
    ["wrong arguments", { params: { arguments: { message: 1 } } }, "one__echo"],
    ["wrong text", { params: {}, untyped: { times: "many" } }, "one__echo"],
  ])("has one row for a call that never got there: %s", async (_what, more, toolName) => {
    const events = await rows(more);
    expect(events).toMatchObject([{ toolName, status: "error", userId: "ada" }]);
  });

  it.each<[string, Partial<GatewayCall>]>([
    ["that worked", {}],
    ["of an unknown tool", { address: { exposedName: "one__nope" } }],
  ])("goes through the arguments of a call %s once, whatever their number", async (_what, more) => {
    let times = 0;
    const counted = new Proxy<JsonObject>(
      { message: "hi" },
      {
        ownKeys: (given) => {
          times += 1;
          return Reflect.ownKeys(given);
        },
      },
    );
    const [event] = await rows({ params: { arguments: counted }, ...more }, (one) => {
      one.listing = {
        ...one.listing,
        tools: [{ name: "echo", inputSchema: { type: "object" } }],
      };
      one.answer = () => ({ content: [] });
    });
    expect(event?.params).toEqual({ message: "hi" });
    expect(times).toBe(1);
  });

  it("tells success, error result, failure and refusal apart", async () => {
    expect(await status(() => ({ content: [] }))).toBe("success");
    expect(await status(() => ({ content: [], isError: true }))).toBe("error");
    expect(await status(fail(new RpcFault({ code: -32000, message: "no" })))).toBe("error");
    expect(await status(fail(new AppError("timeout", "late")))).toBe("error");
    expect(await status(fail(new AppError("forbidden", "no")))).toBe("denied");
    expect(await status(fail(new AppError("rate_limited", "no")))).toBe("denied");
  });

  it("holds no secret: not by key, and not those of the configuration", async () => {
    const one = fakeUpstream("one", { tools: [{ name: "echo", inputSchema: { type: "object" } }] });
    const servers = [
      serverConfiguration("one", { env: { GH_PAT: "ghp_supersecret99", HOME: "/home/ada" } }),
    ];
    const tokens = [
      { name: "ci", token: "static-key-7", role: "admin" as const, organizationId: null },
    ];
    const { gateway, audit } = gatewayOf([one], { servers, auth: [{ type: "token", tokens }] });
    const note = "it is ghp_supersecret99 in /home/ada";
    const args = { password: "hunter2", note, key: "static-key-7" };
    await gateway.callTool(caller, call({ params: { arguments: args } }));
    expect(audit.events[0]?.params).toEqual({
      password: "[redacted]",
      note: "it is [redacted] in /home/ada",
      key: "[redacted]",
    });
    expect(one.requests[0]?.params["arguments"]).toBe(args);
  });
});

describe("the state", () => {
  it("is settled when each server is ready or has a reason, also while it starts again", () => {
    const [one, two] = [fakeUpstream("one"), fakeUpstream("two")];
    const { gateway } = gatewayOf([one, two]);
    expect(gateway.settled).toBe(true);
    two.state = starting;
    expect(gateway.settled).toBe(false);
    two.state = { kind: "starting", attempt: 2, reason: "exit code 1" };
    expect(gateway.settled).toBe(true);
    expect(gateway.listServers(caller)[1]).toEqual({
      name: "two",
      state: "unavailable",
      reason: "exit code 1",
      toolCount: 1,
      counts: countsOf(1),
      tags: [],
    });
    expect(gatewayOf([]).gateway.settled).toBe(true);
  });

  it("has started when it settles, or when the window is over", async () => {
    const one = fakeUpstream("one");
    one.state = starting;
    const order: string[] = [];
    const { gateway, pool } = gatewayOf([one], { startWindowMs: 60_000 });
    const started = gateway.started.then(() => order.push("started"));
    pool.changed();
    await Promise.resolve();
    order.push("still starting");
    one.state = ready;
    pool.changed();
    await started;
    expect(order).toEqual(["still starting", "started"]);

    const never = fakeUpstream("never");
    never.state = starting;
    await gatewayOf([never], { startWindowMs: 1 }).gateway.started;
  });

  it("shows a server that rests as ready, and to an administrator that it rests", () => {
    const one = fakeUpstream("one");
    one.state = { kind: "idle", era: "modern" };
    one.connections = 0;
    one.listingProblems = ["resources/list: no answer"];
    const { gateway } = gatewayOf([one]);
    expect(gateway.listServers(caller)).toMatchObject([{ state: "ready", toolCount: 1 }]);
    expect(gateway.settled).toBe(true);
    expect(gateway.serverStatus(caller)).toEqual([
      {
        name: "one",
        state: "ready",
        toolCount: 1,
        counts: countsOf(1),
        tags: [],
        type: "stdio",
        connection: "shared",
        connections: 0,
        era: "modern",
        idle: true,
        problems: ["resources/list: no answer"],
      },
    ]);
    gateway.restartServer(caller, "one");
    expect(one.told).toEqual(["restart"]);
    expect(() => {
      gateway.restartServer(caller, "on");
    }).toThrowError(expect.objectContaining({ code: "not_found", hint: "Did you mean one?" }));
  });

  it("shows a server whole: the owner's instructions before its own, and its last words", () => {
    const one = fakeUpstream("one");
    one.instructions = "mine";
    one.stderrTail = ["oops"];
    const { gateway, servers } = gatewayOf([one]);
    expect(gateway.inspectServer(caller, "one")).toEqual({
      name: "one",
      state: "ready",
      toolCount: 1,
      counts: countsOf(1),
      tags: [],
      ...emptyListing,
      tools: [echoTool],
      problems: [],
      instructions: "mine",
      stderrTail: ["oops"],
      serverInfo: { name: "one-server", version: "1" },
    });
    servers.set("one", serverConfiguration("one", { instructions: "ours" }));
    expect(gateway.inspectServer(caller, "one").instructions).toBe("ours");
    servers.set("one", serverConfiguration("one"));
    one.instructions = "z".repeat(5_000_000);
    expect(gateway.inspectServer(caller, "one").instructions).toBe(`${"z".repeat(4_000)}\n… (cut)`);
    expect(gateway.instructions(caller, "mcp")).toContain("| … (cut)");
    expect(gateway.inspectTool(caller, "one", "echo")).toBe(echoTool);
  });
});
