import { describe, expect, test, vi } from "vitest";
import { createDeferred } from "../../src/upstream/deferred.ts";
import { fakeModernClient, fakeSession } from "./support/client.ts";
import {
  callOptions,
  callTool,
  failure,
  isRunning,
  openPool,
  stdioServer,
} from "./support/pool.ts";
import type { TestPool } from "./support/pool.ts";

const resting = (name: string, idleTimeoutMs = 30) => ({
  ...stdioServer(name, "raw-server.mjs", ["all"]),
  idleTimeoutMs,
});
const raw = (...modes: string[]) => stdioServer("one", "raw-server.mjs", ["all", ...modes]);
const pidOf = async (pool: TestPool, name: string): Promise<number> =>
  Number((await callTool(pool.get(name), { name: "state" }, callOptions()))["pid"]);

describe("a server that nobody uses", () => {
  test("is stopped, keeps its listing, and is started by the next call, which waits for it", async () => {
    const pool = openPool([resting("one")]);
    await pool.reaches("one", "ready");
    const pid = await pidOf(pool, "one");
    const { listing } = pool.get("one");
    await expect(pool.reaches("one", "idle")).resolves.toEqual({ kind: "idle", era: "legacy" });
    expect(pool.get("one").listing).toBe(listing);
    expect(pool.get("one").connections).toBe(0);
    const seen: string[] = [];
    pool.onChange(() => seen.push(pool.get("one").state.kind));
    const pids = await Promise.all([pidOf(pool, "one"), pidOf(pool, "one")]);
    expect(pids[0]).toBe(pids[1]);
    expect(pids[0]).not.toBe(pid);
    expect(isRunning(pid)).toBe(false);
    expect(seen.slice(0, 2)).toEqual(["starting", "ready"]);
    expect(pool.get("one").listing).toBe(listing);
  });

  test("is not stopped during a call, nor while somebody waits for news of a resource", async () => {
    const pool = openPool([resting("one", 20), resting("two", 20)]);
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    // Many times the limit; it would break off.
    await expect(
      callTool(one, { name: "slow", arguments: { steps: 20, everyMs: 10 } }, callOptions()),
    ).resolves.toMatchObject({ content: [{ text: "done" }] });
    const client = fakeModernClient("anna");
    await one.subscribe("raw://one", client);
    const subscribedPid = await pidOf(pool, "one");
    // Used later, and stopped by now for not being used.
    await pidOf(pool, "two");
    await pool.reaches("two", "idle");
    expect(isRunning(subscribedPid)).toBe(true);
    expect(one.state.kind).toBe("ready");
    await one.unsubscribe("raw://one", client);
    await pool.reaches("one", "idle");
  });

  test("is not stopped while it gives up a subscription", async () => {
    const late = stdioServer("one", "raw-server.mjs", ["all", "late-unsubscribe"]);
    const pool = openPool([{ ...late, idleTimeoutMs: 20 }]);
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    const client = fakeModernClient("anna");
    await one.subscribe("raw://one", client);
    await expect(one.unsubscribe("raw://one", client)).resolves.toBeUndefined();
    await pool.reaches("one", "idle");
  });

  test("is started by a subscription", async () => {
    const pool = openPool([resting("one")]);
    await pool.reaches("one", "idle");
    await pool.get("one").subscribe("raw://one", fakeModernClient("anna"));
    expect(pool.get("one").state.kind).toBe("ready");
  });

  test("that does not start again says why", async () => {
    const pool = openPool([resting("one")]);
    await pool.reaches("one", "ready");
    await pool.reaches("one", "idle");
    const { stderrTail } = pool.get("one");
    expect(stderrTail).toContain("raw server started");
    const changed = { ...resting("two"), command: "no-such-command" };
    pool.apply(new Map([["two", changed]]));
    await expect(failure(pidOf(pool, "two"))).resolves.toMatchObject({
      code: "upstream_unavailable",
    });
  });

  test("of a session has its own process stopped and started as well", async () => {
    const pool = openPool([{ ...resting("one"), connection: "session" }]);
    await pool.reaches("one", "idle");
    const anna = fakeSession("anna");
    const options = callOptions({ client: anna.port });
    const first = await callTool(pool.get("one"), { name: "state" }, options);
    // Its own process is enough for it: the common one rests on.
    expect(pool.get("one").state.kind).toBe("idle");
    await vi.waitFor(() => expect(isRunning(Number(first["pid"]))).toBe(false));
    const second = await callTool(pool.get("one"), { name: "state" }, options);
    expect(second["pid"]).not.toBe(first["pid"]);
  });

  test("takes a new time limit from the configuration without being restarted", async () => {
    const pool = openPool([resting("one", 60_000)]);
    await pool.reaches("one", "ready");
    const pid = await pidOf(pool, "one");
    const one = pool.get("one");
    pool.apply(new Map([["one", resting("one", 20)]]));
    expect(pool.get("one")).toBe(one);
    expect(isRunning(pid)).toBe(true);
    await pool.reaches("one", "idle");
  });
});

describe("a restart by an administrator", () => {
  test("starts it again at once; calls wait for it", async () => {
    const pool = openPool([resting("one", 60_000)], { firstPauseMs: 60_000 });
    await pool.reaches("one", "ready");
    const pid = await pidOf(pool, "one");
    const hanging = failure(callTool(pool.get("one"), { name: "hang" }, callOptions()));
    pool.get("one").restart();
    await expect(pidOf(pool, "one")).resolves.not.toBe(pid);
    expect(isRunning(pid)).toBe(false);
    await expect(hanging).resolves.toMatchObject({ code: "upstream_unavailable" });
  });

  test("ends the pause of the back-off", async () => {
    const pool = openPool([resting("one", 60_000)], { firstPauseMs: 60_000 });
    await pool.reaches("one", "ready");
    const waiting = pool.reaches("one", "waiting");
    await failure(callTool(pool.get("one"), { name: "die" }, callOptions()));
    await waiting;
    pool.get("one").restart();
    await expect(pool.reaches("one", "ready")).resolves.toMatchObject({ era: "legacy" });
  });

  test("restarts the connections of single clients too", async () => {
    const pool = openPool([{ ...resting("one", 60_000), connection: "session" }]);
    await pool.reaches("one", "ready");
    const options = callOptions({ client: fakeSession("anna").port });
    const first = await callTool(pool.get("one"), { name: "state" }, options);
    pool.get("one").restart();
    const second = await callTool(pool.get("one"), { name: "state" }, options);
    expect(second["pid"]).not.toBe(first["pid"]);
  });
});

describe("a reloaded configuration and calls under way", () => {
  test("they are finished on the old server while new ones go to the new", async () => {
    const pool = openPool([raw()]);
    await pool.reaches("one", "ready");
    const oldPid = await pidOf(pool, "one");
    const begun = createDeferred<undefined>();
    const slow = callTool(
      pool.get("one"),
      { name: "slow", arguments: { steps: 100, everyMs: 10 } },
      callOptions({ onProgress: () => begun.resolve(undefined) }),
    );
    await begun.promise;
    pool.apply(new Map([["one", raw("other")]]));
    await pool.reaches("one", "ready");
    await expect(pidOf(pool, "one")).resolves.not.toBe(oldPid);
    expect(isRunning(oldPid)).toBe(true);
    await expect(slow).resolves.toMatchObject({ content: [{ text: "done" }] });
    await vi.waitFor(() => expect(isRunning(oldPid)).toBe(false));
  });

  test("but no longer than the limit", async () => {
    const pool = openPool([raw()], { drainMs: 50 });
    await pool.reaches("one", "ready");
    const begun = createDeferred<undefined>();
    const endless = callTool(
      pool.get("one"),
      { name: "slow", arguments: { steps: 100_000, everyMs: 10 } },
      callOptions({ onProgress: () => begun.resolve(undefined) }),
    );
    const failed = failure(endless);
    await begun.promise;
    pool.apply(new Map());
    expect(pool.upstreams.size).toBe(0);
    await expect(failed).resolves.toMatchObject({ code: "upstream_unavailable" });
  });
});
