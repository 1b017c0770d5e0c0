import { describe, expect, it } from "vitest";
import type { CallLimits } from "../../src/core/call-limits.ts";
import type { CallMetrics } from "../../src/core/call-metrics.ts";
import { createCallLimits } from "../../src/core/create-call-limits.ts";
import { AppError } from "../../src/core/errors.ts";
import { RpcFault } from "../../src/core/json-rpc.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Tool } from "../../src/core/mcp.ts";
import type { Principal } from "../../src/core/principal.ts";
import type { CallerContext, Gateway, GatewayCall } from "../../src/gateway/gateway.ts";
import {
  ada,
  bob,
  callerWith,
  eve,
  fakeUpstream,
  gatewayOf,
  modernClient,
  readyModern,
} from "./fakes.ts";
import type { FakeUpstream } from "./fakes.ts";

const { signal } = new AbortController();
const as = (principal: Principal, capabilities: JsonObject = {}): CallerContext =>
  callerWith(modernClient(capabilities), principal);
const look: Tool = {
  name: "look",
  inputSchema: { type: "object" },
  annotations: { readOnlyHint: true },
};
const mend: Tool = { name: "mend", inputSchema: { type: "object" } };
const one = (): FakeUpstream => fakeUpstream("one", { tools: [look, mend] });

const call = (
  gateway: Gateway,
  who: CallerContext,
  tool = "mend",
  more: Partial<GatewayCall> = {},
) =>
  gateway.callTool(who, {
    address: { exposedName: `one__${tool}` },
    params: { arguments: {} },
    signal,
    ...more,
  });

/** Limits that let so many through, in all and of each tool. */
function limitsOf({ calls = Infinity, ofTool = Infinity, waitMs = 1_500 }): CallLimits & {
  asked: string[];
} {
  const asked: string[] = [];
  const left = { calls, ofTool };
  const take = (which: "calls" | "ofTool"): number | undefined => {
    if (left[which] === 0) return waitMs;
    left[which] -= 1;
    return undefined;
  };
  return {
    asked,
    take({ userId }) {
      asked.push(userId);
      return take("calls");
    },
    takeTool({ userId }, name) {
      asked.push(`${userId} ${name}`);
      return take("ofTool");
    },
  };
}

describe("a limit", () => {
  it("lets exactly as many calls through as it has left, of as many as come at once", async () => {
    const upstream = one();
    const limits = createCallLimits({
      configuration: () => ({ rpm: 10, roles: {}, tools: [] }),
      monotonicMs: () => 5,
    });
    const { gateway, audit } = gatewayOf([upstream], { limits });
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, () => call(gateway, as(eve))),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
    expect(upstream.requests).toHaveLength(10);
    const statuses = audit.events.map(({ status }) => status);
    expect(statuses.filter((status) => status === "denied")).toHaveLength(40);
    await call(gateway, as(bob), "look");
  });

  it.each([
    [1, 1],
    [999, 1],
    [1_000, 1],
    [1_001, 2],
    [59_999, 60],
    [0, 1],
  ])("of which %d ms are left says to come again in %d s", async (waitMs, seconds) => {
    const { gateway } = gatewayOf([one()], { limits: limitsOf({ calls: 0, waitMs }) });
    await expect(call(gateway, as(eve))).rejects.toMatchObject({
      code: "rate_limited",
      message: "Too many tool calls within a minute",
      hint: `Try again in ${seconds} s`,
      retryAfterSeconds: seconds,
    });
  });

  it("of one tool goes by the name that clients see, and says which tool", async () => {
    const upstream = one();
    const limits = limitsOf({ ofTool: 0 });
    const { gateway } = gatewayOf([upstream], { limits });
    const address = { server: "one", tool: "mend" };
    await expect(call(gateway, as(eve), "mend", { address })).rejects.toMatchObject({
      code: "rate_limited",
      message: 'Too many calls of tool "one__mend" within a minute',
      retryAfterSeconds: 2,
    });
    expect(limits.asked).toEqual(["eve", "eve one__mend"]);
    expect(upstream.requests).toEqual([]);
  });

  it("counts every attempt, before anything is looked at; that of a tool only calls that may be made", async () => {
    const limits = limitsOf({});
    const { gateway } = gatewayOf([one()], { limits });
    for (const [who, tool] of [
      [{ ...bob, role: null }, "look"],
      [bob, "mend"],
      [bob, "nope"],
      [bob, "look"],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await call(gateway, as(who), tool).catch(() => undefined);
    }
    expect(limits.asked).toEqual(["bob", "bob", "bob", "bob", "bob one__look"]);
  });

  it("is none for prompts, resources, lists and where nobody set one", async () => {
    const upstream = fakeUpstream("one", {
      tools: [look],
      prompts: [{ name: "p" }],
      resources: [{ uri: "x:1", name: "x" }],
    });
    const { gateway } = gatewayOf([upstream], { limits: limitsOf({ calls: 0, ofTool: 0 }) });
    await gateway.list(as(bob), "tools");
    await gateway.getPrompt(as(bob), { params: { name: "one__p" }, signal });
    await gateway.readResource(as(bob), { params: { uri: "x:1" }, signal });
    await call(gatewayOf([one()]).gateway, as(bob), "look");
    expect(upstream.requests.map(({ method }) => method)).toEqual([
      "prompts/get",
      "resources/read",
    ]);
  });
});

describe("a role that changed", () => {
  it("counts from the next call on, both ways, and for lists", async () => {
    const { gateway } = gatewayOf([one()]);
    const names = async (who: Principal) =>
      (await gateway.list(as(who), "tools")).map(({ name }) => name);
    await call(gateway, as(eve));
    const lesser: Principal = { ...eve, role: "viewer" };
    await expect(call(gateway, as(lesser))).rejects.toMatchObject({ code: "forbidden" });
    expect(await names(lesser)).toEqual(["one__look"]);
    const none: Principal = { ...eve, role: null };
    await expect(call(gateway, as(none), "look")).rejects.toMatchObject({ code: "forbidden" });
    await expect(names(none)).rejects.toMatchObject({ code: "forbidden" });
    await call(gateway, as(eve));
    expect(await names(eve)).toEqual(["one__look", "one__mend"]);
  });

  it.each<[string, (upstream: FakeUpstream) => void]>([
    [
      "parked at a server of the legacy era",
      (upstream) => {
        upstream.answer = async ({ client }) => {
          const asked = await client.request("elicitation/create", {}, signal);
          return { content: [], asked };
        };
      },
    ],
    [
      "asked for more by a server of the modern era",
      (upstream) => {
        upstream.state = readyModern;
        upstream.answer = ({ params }): JsonObject =>
          params["requestState"] === "s"
            ? { content: [] }
            : { resultType: "input_required", inputRequests: {}, requestState: "s" };
      },
    ],
  ])("counts when a call goes on that was %s", async (_what, prepare) => {
    const upstream = one();
    prepare(upstream);
    const limits = limitsOf({});
    const { gateway, audit } = gatewayOf([upstream], { limits });
    const capabilities = { elicitation: {} };
    const asked = await call(gateway, as(eve, capabilities));
    const { requestState, inputRequests } = asked;
    const goOn = (who: Principal) =>
      call(gateway, as(who, capabilities), "mend", {
        params: {
          arguments: {},
          requestState: requestState ?? null,
          inputResponses: Object.fromEntries(
            Object.keys(Object(inputRequests)).map((key) => [key, { action: "accept" }]),
          ),
        },
      });
    await expect(goOn({ ...eve, role: "viewer" })).rejects.toMatchObject({
      code: "forbidden",
      message: expect.stringContaining(
        'Tool "one__mend" changes things, so it needs the role editor; yours is viewer',
      ),
    });
    await expect(goOn({ ...eve, role: null })).rejects.toMatchObject({ code: "forbidden" });
    // It is not used up by what was refused.
    expect(await goOn(eve)).toMatchObject({ content: [] });
    expect(audit.events.map(({ status }) => status)).toEqual([
      "success",
      "denied",
      "denied",
      "success",
    ]);
    expect(limits.asked.filter((entry) => entry === "eve")).toHaveLength(4);
  });
});

const measured = async (
  more: Partial<GatewayCall> & { tool?: string; who?: Principal },
  prepare?: (upstream: FakeUpstream) => void,
) => {
  const upstream = one();
  prepare?.(upstream);
  const ended: Parameters<CallMetrics["callEnded"]>[0][] = [];
  const metrics: CallMetrics = { callEnded: (end) => void ended.push(end) };
  const { gateway, audit } = gatewayOf([upstream], { metrics });
  const { tool = "mend", who = eve, ...changes } = more;
  await call(gateway, as(who), tool, changes).catch(() => undefined);
  expect(ended).toHaveLength(1);
  expect(audit.events).toHaveLength(1);
  expect(ended[0]).toMatchObject({
    status: audit.events[0]?.status,
    durationMs: audit.events[0]?.durationMs,
  });
  return [ended[0]?.server, ended[0]?.tool, ended[0]?.status, ended[0]?.errorCode];
};

const failing = (error: Error) => (upstream: FakeUpstream) => {
  upstream.answer = () => {
    throw error;
  };
};

describe("the record", () => {
  it("has a row for what a role or a limit refused; with arguments, redacted, where no limit did", async () => {
    const { gateway, audit } = gatewayOf([one()], { limits: limitsOf({ calls: 1 }) });
    const args = { path: "/x", password: "hunter22" };
    const more = { params: { arguments: args } };
    await call(gateway, as(bob), "mend", more).catch(() => undefined);
    await call(gateway, as(bob), "look", more).catch(() => undefined);
    const row = { status: "denied", userId: "bob" };
    expect(audit.events).toMatchObject([
      { ...row, toolName: "one__mend", params: { path: "/x", password: "[redacted]" } },
      { ...row, toolName: "one__look" },
    ]);
    expect(audit.events[1]?.params).toEqual({});
  });

  it("holds nothing of the credential of the call, wherever it stands", async () => {
    const { gateway, audit } = gatewayOf([one()]);
    const credential = "s3cr3t-of-eve";
    const args = {
      plain: `it is ${credential}!`,
      [`key ${credential}`]: 1,
      list: [[credential]],
      json: JSON.stringify({ deep: [JSON.stringify({ deeper: `"${credential}"` })] }),
    };
    const who = { ...as(eve), credential };
    const upstream = { params: { arguments: args } };
    await call(gateway, who, "mend", upstream);
    const text = JSON.stringify(audit.events);
    expect(text).not.toContain(credential);
    expect(text.match(/\[redacted\]/gu)).toHaveLength(4);
    // Another's is nothing that is known here.
    await call(gateway, as(eve), "mend", upstream);
    expect(JSON.stringify(audit.events[1])).toContain(credential);
  });

  it.each<
    [string, Parameters<typeof measured>[0], Parameters<typeof measured>[1], (string | undefined)[]]
  >([
    ["that worked", {}, undefined, ["one", "mend", "success", undefined]],
    [
      "that says itself that it failed",
      {},
      (upstream) => (upstream.answer = () => ({ content: [], isError: true })),
      ["one", "mend", "error", undefined],
    ],
    [
      "that its server failed",
      {},
      failing(new RpcFault({ code: -32_000, message: "no" })),
      ["one", "mend", "error", "tool_error"],
    ],
    [
      "that took too long",
      {},
      failing(new AppError("timeout", "late")),
      ["one", "mend", "error", "timeout"],
    ],
    ["that broke us", {}, failing(new TypeError("x")), ["one", "mend", "error", "internal"]],
    [
      "that its client gave up",
      { signal: AbortSignal.abort(new Error("gone")) },
      failing(new Error("gone")),
      ["one", "mend", "error", "unreachable"],
    ],
    [
      "with wrong arguments",
      { params: { arguments: [] } },
      undefined,
      ["one", "mend", "error", "usage"],
    ],
    ["that was refused", { who: bob }, undefined, ["one", "mend", "denied", "forbidden"]],
    [
      "of nobody",
      { who: { ...bob, role: null } },
      undefined,
      [undefined, undefined, "denied", "forbidden"],
    ],
    [
      "of a tool that is not there",
      { tool: "nope" },
      undefined,
      [undefined, undefined, "error", "not_found"],
    ],
    [
      "of a tool that the named server does not list",
      { address: { server: "one", tool: "nope" } },
      undefined,
      ["one", undefined, "error", "not_found"],
    ],
    [
      "of a server that is not there",
      { address: { server: "two", tool: "nope" } },
      undefined,
      [undefined, undefined, "error", "not_found"],
    ],
  ])("tells the metrics once of a call %s", async (_what, more, prepare, expected) => {
    expect(await measured(more, prepare)).toEqual(expected);
  });

  it("tells the metrics no name of a server that the caller cannot see, nor one it made up", async () => {
    const ended: Parameters<CallMetrics["callEnded"]>[0][] = [];
    const { gateway, configure } = gatewayOf([one()], {
      metrics: { callEnded: (end) => void ended.push(end) },
      names: "own",
    });
    await call(gateway, as(ada), "", { address: { exposedName: "made-up" } });
    configure([]);
    const address = { server: "one", tool: "mend" };
    await call(gateway, as(ada), "", { address }).catch(() => undefined);
    expect(ended.map(({ server, tool }) => [server, tool])).toEqual([
      ["one", undefined],
      [undefined, undefined],
    ]);
  });
});
