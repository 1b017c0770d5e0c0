import { expect, test } from "vitest";
import { createWait } from "../../src/cli/commands/wait.ts";
import type { ServerRow } from "../../src/client/tool-server.ts";
import { AppError } from "../../src/core/errors.ts";
import { Bench } from "./calling/bench.ts";

const starting: ServerRow = { name: "slow", state: "starting", toolCount: 0, tags: [] };
const ready: ServerRow = { name: "slow", state: "ready", toolCount: 2, tags: [] };
const down: ServerRow = {
  name: "down",
  state: "unavailable",
  reason: "exited",
  toolCount: 0,
  tags: [],
};

function benchWith(...looks: readonly (readonly ServerRow[])[]): Bench {
  const bench = new Bench();
  bench.inventories = looks.map((servers) => ({ servers, collisions: [] }));
  return bench;
}

test("waits until none is starting; one that is down is named with its reason", async () => {
  const bench = benchWith([starting, down], [starting, down], [ready, down]);
  await bench.run(createWait(bench.source), {});
  expect(bench.stdout).toContain("slow  ready        2");
  expect(bench.stdout).toContain("exited");
  expect(bench.spun).toContain("Waiting for slow");
});

test("as JSON", async () => {
  const bench = benchWith([ready]);
  await bench.run(createWait(bench.source), { format: "json" });
  expect(JSON.parse(bench.stdout)).toEqual({
    servers: [{ name: "slow", state: "ready", reason: null, toolCount: 2, counts: null, tags: [] }],
  });
});

test("waits for one server only, whatever the others do", async () => {
  const bench = benchWith([starting, { ...ready, name: "quick" }]);
  await bench.run(createWait(bench.source), { server: "quick" });
  expect(bench.stdout).toContain("quick");
  expect(bench.stdout).not.toContain("slow");
});

test("a server asked for that is unavailable is a failure", async () => {
  const bench = benchWith([down]);
  await expect(bench.run(createWait(bench.source), { server: "down" })).rejects.toMatchObject({
    code: "upstream_unavailable",
    message: "down is unavailable: exited",
    hint: "agent inspect down",
  });
});

test("a misspelt server is not waited for", async () => {
  const bench = benchWith([starting]);
  await expect(bench.run(createWait(bench.source), { server: "slwo" })).rejects.toMatchObject({
    code: "not_found",
    message: 'Unknown server "slwo"',
    hint: "Did you mean slow?",
  });
});

test("names who is still starting when time is over", async () => {
  const bench = benchWith([starting]);
  await expect(bench.run(createWait(bench.source), { timeoutMs: 50 })).rejects.toMatchObject({
    code: "timeout",
    message: "Still starting after 0.05 s: slow",
  });
});

test("a gateway that is not there yet is waited for, and what is said about it is said once", async () => {
  const bench = benchWith([ready]);
  const { chooseServer } = bench.source;
  let looks = 0;
  bench.source.chooseServer = (options, context) => {
    looks += 1;
    if (looks === 1) throw new AppError("unreachable", "No gateway of yours is running");
    context.io.note("Using it");
    return chooseServer(options, context);
  };
  let attempts = 0;
  bench.source.connect = () => {
    attempts += 1;
    if (attempts < 3) {
      const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
      throw new AppError("unreachable", "Cannot reach it", { cause });
    }
    return Promise.resolve(bench.server);
  };
  await bench.run(createWait(bench.source), {});
  expect(attempts).toBe(3);
  expect(bench.notes).toEqual(["Using it"]);
});

test("nobody there until the end is said as such; whoever answers wrongly is not asked again", async () => {
  const bench = new Bench();
  bench.source.chooseServer = () => {
    throw new AppError("unreachable", "No gateway of yours is running");
  };
  await expect(bench.run(createWait(bench.source), { timeoutMs: 50 })).rejects.toMatchObject({
    message: "No gateway of yours is running",
  });
  const wrong = new Bench();
  let attempts = 0;
  wrong.source.connect = () => {
    attempts += 1;
    throw new AppError("unreachable", "did not answer as a OneDoor gateway");
  };
  await expect(wrong.run(createWait(wrong.source), {})).rejects.toMatchObject({
    code: "unreachable",
  });
  expect(attempts).toBe(1);
});

const refused = new AppError("auth_required", "needs a sign-in");

test("without a sign-in a gateway tells how many; for one server it takes a sign-in", async () => {
  const bench = new Bench();
  bench.terminal = true;
  bench.server.inventory = () => Promise.reject(refused);
  let looks = 0;
  bench.source.readiness = () => {
    looks += 1;
    const late = looks === 1 ? 1 : 0;
    const upstreams = { total: 3, ready: 2 - late, starting: late, unavailable: 1 };
    return Promise.resolve({ settled: late === 0, upstreams });
  };
  await bench.run(createWait(bench.source), {});
  expect(bench.stdout).toBe("2 of 3 servers ready, 1 unavailable\n");
  expect(bench.spun).toContain("Waiting for 1 of 3 servers");
  expect(bench.notes).toEqual([]);
  bench.stdout = "";
  await bench.run(createWait(bench.source), { format: "json" });
  expect(JSON.parse(bench.stdout)).toEqual({
    upstreams: { total: 3, ready: 2, starting: 0, unavailable: 1 },
  });
  bench.terminal = false;
  await expect(bench.run(createWait(bench.source), { server: "slow" })).rejects.toMatchObject({
    code: "auth_required",
  });
});

test("what is no gateway shows a stranger nothing; counts that never settle end in time", async () => {
  const bench = new Bench();
  bench.server.inventory = () => Promise.reject(refused);
  await expect(bench.run(createWait(bench.source), {})).rejects.toMatchObject({
    code: "auth_required",
  });
  const upstreams = { total: 3, ready: 2, starting: 1, unavailable: 0 };
  bench.source.readiness = () => Promise.resolve({ settled: false, upstreams });
  await expect(bench.run(createWait(bench.source), { timeoutMs: 50 })).rejects.toMatchObject({
    message: "Still starting after 0.05 s: 1 of 3 servers",
  });
});

test("an interruption is passed on", async () => {
  const bench = benchWith([starting]);
  const interruption = new Error("interrupted");
  const waiting = bench.run(createWait(bench.source), {});
  bench.interruption.abort(interruption);
  await expect(waiting).rejects.toBe(interruption);
});

test("waits for one's own gateway to come, and asks nobody who sits in its place", async () => {
  const bench = benchWith([ready]);
  const { source } = bench;
  let looks = 0;
  const choose: typeof source.chooseServer = async (...given) => {
    const choice = await source.chooseServer(...given);
    looks += 1;
    const profile = { ...localProfile, url: choice.canonical, endpoint: choice.endpoint };
    return looks < 2 ? { ...choice, profile } : { ...choice, profile, runtime };
  };
  await bench.run(createWait({ ...source, chooseServer: choose }), {});
  expect(bench.connected).toHaveLength(1);
  expect(bench.connected[0]?.ownGateway).toBe(true);
});

const runtime = {
  pid: 1,
  url: "http://127.0.0.1:3050",
  instanceId: "instance-one",
  startedAtMs: 0,
  secret: "s".repeat(43),
};

const localProfile = {
  name: "default",
  source: "local",
  store: "file",
  createdAtMs: 0,
} as const;
