import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createPatientGateway } from "../../../src/cli/proxy/patient-gateway.ts";
import { upstreamIdentity } from "../../../src/cli/proxy/upstream-identity.ts";
import { AppError } from "../../../src/core/errors.ts";
import { caller, failed, fakeUpstream, gatewayOf, ready } from "../../gateway/fakes.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function bench() {
  const upstream = fakeUpstream("up");
  const { gateway, pool } = gatewayOf([upstream], { names: "own" });
  const refused: { why: AppError | undefined } = { why: undefined };
  const patient = createPatientGateway({
    gateway,
    pool,
    upstream,
    address: () => "https://mcp.example.com",
    waitMs: 5_000,
    refusal: () => refused.why,
  });
  const become = (state: typeof upstream.state): void => {
    upstream.state = state;
    pool.changed();
  };
  return { upstream, patient, refused, become };
}

function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) => error);
}

describe("a request while the server is away", () => {
  it("waits, and is served when it comes back", async () => {
    const { patient, become } = bench();
    become(failed("the connection was refused"));
    const listed = patient.list(caller, "tools");
    await vi.advanceTimersByTimeAsync(4_000);
    become(ready);
    expect((await listed).map(({ name }) => name)).toEqual(["echo"]);
  });

  it("fails with the reason when it stays away", async () => {
    const { patient, become } = bench();
    become(failed("the connection was refused"));
    const failure = failureOf(patient.list(caller, "tools"));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await failure).toMatchObject({
      code: "upstream_unavailable",
      message: "https://mcp.example.com is not connected: the connection was refused",
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits no longer than its client does", async () => {
    const { patient, become } = bench();
    become(failed("the connection was refused"));
    const abort = new AbortController();
    const read = patient.readResource(caller, { params: { uri: "a:b" }, signal: abort.signal });
    abort.abort();
    await expect(read).rejects.toMatchObject({ code: "upstream_unavailable" });
  });

  it("does not wait for one that refuses us", async () => {
    const { patient, become, refused } = bench();
    become(failed("HTTP 401"));
    const failure = failureOf(patient.connected());
    refused.why = new AppError("auth_rejected", "refused", { hint: "agent auth login" });
    become(failed("HTTP 401"));
    expect(await failure).toMatchObject({ code: "auth_rejected" });
    await expect(patient.list(caller, "tools")).rejects.toBe(refused.why);
  });
});

it("a request that meets a refusal says so, and not what the connection made of it", async () => {
  const { patient, upstream, refused } = bench();
  upstream.answer = () => {
    refused.why = new AppError("auth_rejected", "refused", { hint: "agent auth login" });
    throw new AppError("upstream_unavailable", "HTTP 401");
  };
  const call = { address: { exposedName: "echo" }, params: { arguments: { message: "hi" } } };
  const { signal } = new AbortController();
  expect(await failureOf(patient.callTool(caller, { ...call, signal }))).toBe(refused.why);
});

it("clients are told that all lists changed when the server is back, and only then", () => {
  const { patient, become } = bench();
  const told: string[][] = [];
  const stop = patient.onListsChanged(caller, (kinds) => void told.push([...kinds]));
  become(ready);
  expect(told).toEqual([]);
  become(failed("gone"));
  become(failed("gone"));
  become(ready);
  expect(told).toEqual([["tools", "prompts", "resources", "resourceTemplates"]]);
  stop();
  become(failed("gone"));
  become(ready);
  expect(told).toHaveLength(1);
});

describe("as whom it answers", () => {
  const own = {
    serverInfo: { name: "own" },
    capabilities: { tools: { listChanged: true }, prompts: { listChanged: true } },
    instructions: () => "own",
  };

  it("is its server, but for what could not be used through it", () => {
    const upstream = fakeUpstream("up");
    upstream.instructions = "Be careful";
    upstream.capabilities = {
      tools: { "x-vendor": 1 },
      resources: { subscribe: true },
      completions: {},
      tasks: { list: {} },
      experimental: { a: {} },
    };
    const identity = upstreamIdentity(upstream, own);
    expect(identity.serverInfo).toEqual({ name: "up-server", version: "1" });
    expect(identity.instructions(caller)).toBe("Be careful");
    expect(identity.capabilities).toEqual({
      tools: { "x-vendor": 1, listChanged: true },
      resources: { subscribe: true, listChanged: true },
      completions: {},
    });
  });

  it("is nobody in particular, who may have everything, before that was reached", () => {
    const upstream = { ...fakeUpstream("up"), serverInfo: undefined, capabilities: {} };
    const identity = upstreamIdentity(upstream, own);
    expect(identity.serverInfo).toBe(own.serverInfo);
    expect(identity.capabilities).toBe(own.capabilities);
    expect(identity.instructions(caller)).toBeUndefined();
  });
});
