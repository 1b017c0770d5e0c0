import { describe, expect, test, vi } from "vitest";
import type { CallToolResult } from "../../src/core/mcp.ts";
import {
  callOptions,
  callTool,
  failure,
  isRunning,
  openPool,
  stdioServer,
} from "./support/pool.ts";

const raw = (name: string, ...modes: string[]) => stdioServer(name, "raw-server.mjs", modes);

async function startGrandchild(pool: ReturnType<typeof openPool>, name: string): Promise<number[]> {
  const result: CallToolResult = await callTool(
    pool.get(name),
    { name: "grandchild" },
    callOptions(),
  );
  const pids = Array.isArray(result["pids"]) ? result["pids"].map(Number) : [];
  expect(pids.map(isRunning)).toEqual([true, true]);
  return pids;
}

describe("a server that does not start", () => {
  test("a command that is not found is named", async () => {
    const pool = openPool([{ ...raw("gone"), command: "no-such-command-here" }]);
    await expect(pool.reaches("gone", "waiting")).resolves.toMatchObject({
      reason: 'the command "no-such-command-here" was not found',
      attempt: 1,
    });
    await expect(
      failure(callTool(pool.get("gone"), { name: "x" }, callOptions())),
    ).resolves.toMatchObject({
      code: "upstream_unavailable",
      message: 'Server "gone" is not available: the command "no-such-command-here" was not found',
      hint: "agent inspect gone",
    });
  });

  test("a working directory that is not there is not taken for a missing command", async () => {
    const pool = openPool([{ ...raw("gone"), cwd: "/no/such/folder" }]);
    await expect(pool.reaches("gone", "waiting")).resolves.toMatchObject({
      reason: 'the working directory "/no/such/folder" does not exist',
    });
  });

  test("one that exits at once says its code, keeps its stderr and is tried again", async () => {
    const pool = openPool([stdioServer("broken", "exits-at-once.mjs")]);
    await expect(pool.reaches("broken", "waiting")).resolves.toMatchObject({
      reason: "exited with code 3",
    });
    expect(pool.get("broken").stderrTail).toContain("fatal: no settings found");
    await pool.until(() => {
      const { state } = pool.get("broken");
      return state.kind === "waiting" && state.attempt === 3;
    });
    await pool.until(() => pool.get("broken").state.kind === "starting");
    expect(pool.get("broken").state).toEqual({
      kind: "starting",
      attempt: 4,
      reason: "exited with code 3",
    });
  });

  test("one that never answers is given up after the limit", async () => {
    const pool = openPool([raw("mute", "silent")], { startMs: 400, probeMs: 50 });
    await expect(pool.reaches("mute", "waiting")).resolves.toMatchObject({
      reason: "it did not finish starting within 0.4 s",
    });
  });

  test("secrets of the configuration and line breaks never reach the reason", async () => {
    const pool = openPool([
      stdioServer("leaky", "raw-server.mjs", ["leak-environment"], { SECRET: "hunter2-hunter2" }),
    ]);
    await expect(pool.reaches("leaky", "waiting")).resolves.toMatchObject({
      reason: "it answered with error -32000: bad key [hidden]",
    });
    expect(JSON.stringify(pool.log)).not.toContain("hunter2");
  });

  test("a slow or dead one does not hold up the others", async () => {
    const pool = openPool([
      raw("mute", "silent"),
      { ...raw("gone"), command: "no-such" },
      raw("good"),
    ]);
    await pool.reaches("good", "ready");
    expect(pool.get("mute").state).toEqual({ kind: "starting", attempt: 1 });
  });
});

describe("a server of the legacy era", () => {
  test("that exits at an unknown request is started again without the question", async () => {
    const pool = openPool([raw("strict", "exit-on-unknown")]);
    const seen: string[] = [];
    pool.onChange(() => seen.push(pool.get("strict").state.kind));
    await expect(pool.reaches("strict", "ready")).resolves.toMatchObject({ era: "legacy" });
    // No failure was shown for it.
    expect(seen).not.toContain("waiting");
    const waiting = pool.reaches("strict", "waiting");
    await failure(callTool(pool.get("strict"), { name: "die" }, callOptions()));
    await waiting;
    await pool.reaches("strict", "ready");
    expect(
      pool.get("strict").stderrTail.filter((line) => line === "raw server started").length,
    ).toBe(3);
  });

  test("that writes rubbish to stdout works, and the rubbish is shown", async () => {
    const pool = openPool([raw("noisy", "rubbish")]);
    await pool.reaches("noisy", "ready");
    await expect(
      callTool(pool.get("noisy"), { name: "cancelled" }, callOptions()),
    ).resolves.toEqual({
      content: [],
      cancelled: [],
    });
    expect(pool.get("noisy").stderrTail).toContain("[stdout, not an MCP message] Listening…");
    expect(pool.get("noisy").stderrTail.filter((line) => line.startsWith("[stdout")).length).toBe(
      3,
    );
  });

  test("whose pages go round in a circle is still usable", async () => {
    const pool = openPool([raw("round", "circle")]);
    await pool.reaches("round", "ready");
    expect(pool.get("round").listing.tools.length).toBe(2);
    expect(pool.log).toContainEqual({
      level: "warn",
      message: "Upstream problem",
      fields: { server: "round", problem: "tools: the pages go round in a circle" },
    });
  });
});

describe("during a call", () => {
  test("death fails the call at once, the others go on, and the server comes back", async () => {
    const pool = openPool([raw("mortal"), raw("other")]);
    await pool.reaches("mortal", "ready");
    await pool.reaches("other", "ready");
    const waiting = pool.reaches("mortal", "waiting");
    const hanging = failure(callTool(pool.get("mortal"), { name: "hang" }, callOptions()));
    const otherCall = callTool(
      pool.get("other"),
      { name: "slow", arguments: { steps: 3, everyMs: 10 } },
      callOptions(),
    );
    const dying = failure(callTool(pool.get("mortal"), { name: "die" }, callOptions()));
    for (const error of [await dying, await hanging]) {
      expect(error).toMatchObject({
        code: "upstream_unavailable",
        message: 'Server "mortal" is not available: exited with code 7',
        hint: "agent inspect mortal",
      });
    }
    await expect(otherCall).resolves.toEqual({ content: [{ type: "text", text: "done" }] });
    expect(pool.get("other").state.kind).toBe("ready");
    await expect(waiting).resolves.toMatchObject({ reason: "exited with code 7" });
    expect(pool.get("mortal").listing.tools.map(({ name }) => name)).toContain("die");
    await pool.reaches("mortal", "ready");
    await expect(
      callTool(pool.get("mortal"), { name: "cancelled" }, callOptions()),
    ).resolves.toEqual({
      content: [],
      cancelled: [],
    });
  });

  test("silence beyond the limit is a timeout, and the call is cancelled upstream", async () => {
    const pool = openPool([raw("slow")]);
    await pool.reaches("slow", "ready");
    await expect(
      failure(callTool(pool.get("slow"), { name: "hang" }, callOptions({ timeoutMs: 50 }))),
    ).resolves.toMatchObject({
      code: "timeout",
      message: 'Server "slow" did not answer within 0.05 s',
    });
    const { cancelled } = await callTool(pool.get("slow"), { name: "cancelled" }, callOptions());
    expect(cancelled).toEqual([
      { requestId: expect.any(Number), reason: "no answer within 50 ms" },
    ]);
  });

  test("one that answers nothing after that is lost, shown with the reason, and started again", async () => {
    const pool = openPool([raw("hung")], { hungMs: 200 });
    await pool.reaches("hung", "ready");
    const { pid } = await callTool(pool.get("hung"), { name: "state" }, callOptions());
    process.kill(Number(pid), "SIGSTOP");
    const waiting = pool.reaches("hung", "waiting");
    const call = callTool(pool.get("hung"), { name: "state" }, callOptions({ timeoutMs: 50 }));
    await expect(failure(call)).resolves.toMatchObject({ code: "timeout" });
    await expect(waiting).resolves.toMatchObject({ reason: "it did not answer in time" });
    await pool.reaches("hung", "ready");
    expect(isRunning(Number(pid))).toBe(false);
    const again = await callTool(pool.get("hung"), { name: "state" }, callOptions());
    expect(again["pid"]).not.toBe(pid);
  });

  test("one that is only slow at that call stays", async () => {
    const pool = openPool([raw("slow")], { hungMs: 200 });
    const seen: string[] = [];
    await pool.reaches("slow", "ready");
    pool.onChange(() => seen.push(pool.get("slow").state.kind));
    for (let call = 0; call < 3; call += 1) {
      await failure(callTool(pool.get("slow"), { name: "hang" }, callOptions({ timeoutMs: 300 })));
    }
    expect(seen).toEqual([]);
  });

  test("progress does not extend a call beyond its total limit", async () => {
    const pool = openPool([raw("slow")]);
    await pool.reaches("slow", "ready");
    const call = callTool(
      pool.get("slow"),
      { name: "slow", arguments: { steps: 1000, everyMs: 20 } },
      callOptions({ timeoutMs: 5000, maxTotalMs: 200 }),
    );
    await expect(failure(call)).resolves.toMatchObject({ code: "timeout" });
    const { cancelled } = await callTool(pool.get("slow"), { name: "cancelled" }, callOptions());
    expect(cancelled).toHaveLength(1);
  });

  test("an abort by the caller cancels upstream and is told as the caller's own reason", async () => {
    const pool = openPool([raw("slow")]);
    await pool.reaches("slow", "ready");
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    // It runs once there is progress.
    const onProgress = (): void => controller.abort(reason);
    const call = callTool(
      pool.get("slow"),
      { name: "slow", arguments: { steps: 1000, everyMs: 5 } },
      callOptions({ signal: controller.signal, onProgress }),
    );
    await expect(failure(call)).resolves.toBe(reason);
    const { cancelled } = await callTool(pool.get("slow"), { name: "cancelled" }, callOptions());
    expect(cancelled).toHaveLength(1);
    await expect(
      failure(
        callTool(pool.get("slow"), { name: "hang" }, callOptions({ signal: controller.signal })),
      ),
    ).resolves.toBe(reason);
  });

  test("an answer that is no result is an error, not a result", async () => {
    const pool = openPool([raw("odd")]);
    await pool.reaches("odd", "ready");
    await expect(
      failure(callTool(pool.get("odd"), { name: "number" }, callOptions())),
    ).resolves.toMatchObject({
      code: "upstream_unavailable",
    });
  });
});

describe("the back-off", () => {
  test("grows with each loss and starts afresh after a stable minute", async () => {
    let clock = 1_000_000;
    const pool = openPool([raw("mortal")], {}, () => clock);
    const die = async () => {
      await pool.reaches("mortal", "ready");
      const waiting = pool.reaches("mortal", "waiting");
      await failure(callTool(pool.get("mortal"), { name: "die" }, callOptions()));
      return waiting;
    };
    await expect(die()).resolves.toMatchObject({ attempt: 1, retryAtMs: clock + 10 });
    await expect(die()).resolves.toMatchObject({ attempt: 2, retryAtMs: clock + 20 });
    await pool.reaches("mortal", "ready");
    clock += 59_999;
    await expect(die()).resolves.toMatchObject({ attempt: 3, retryAtMs: clock + 40 });
    await pool.reaches("mortal", "ready");
    clock += 60_000;
    await expect(die()).resolves.toMatchObject({ attempt: 1, retryAtMs: clock + 10 });
  });
});

describe("processes", () => {
  test("a server and what it started are gone after close", async () => {
    const pool = openPool([raw("parent")]);
    await pool.reaches("parent", "ready");
    const pids = await startGrandchild(pool, "parent");
    await pool.close();
    expect(pids.map(isRunning)).toEqual([false, false]);
  });

  test("even when they ignore the end of their input and SIGTERM", async () => {
    const pool = openPool([raw("parent", "stubborn")], { stdinGraceMs: 50, termGraceMs: 50 });
    await pool.reaches("parent", "ready");
    const pids = await startGrandchild(pool, "parent");
    await pool.close();
    expect(pids.map(isRunning)).toEqual([false, false]);
  });

  test("what a dead server left behind is ended before it is started again", async () => {
    const pool = openPool([raw("parent")], { exitGraceMs: 20 });
    await pool.reaches("parent", "ready");
    const pids = await startGrandchild(pool, "parent");
    const starting = pool.reaches("parent", "starting");
    // The grandchild holds the pipes open: only the exit itself tells of the death.
    await expect(
      failure(callTool(pool.get("parent"), { name: "die" }, callOptions())),
    ).resolves.toMatchObject({ code: "upstream_unavailable" });
    await starting;
    expect(pids.map(isRunning)).toEqual([false, false]);
  });

  test("a process that is closed while it starts does not stay behind", async () => {
    const pool = openPool([raw("mute", "silent", "stubborn")], {
      stdinGraceMs: 20,
      termGraceMs: 20,
    });
    const mute = pool.get("mute");
    const pid = await vi.waitFor(() => {
      const line = mute.stderrTail.find((each) => each.startsWith("pid "));
      if (line === undefined) throw new Error("not started yet");
      return Number(line.slice(4));
    });
    expect(isRunning(pid)).toBe(true);
    await pool.close();
    expect(isRunning(pid)).toBe(false);
    expect(mute.state).toEqual({ kind: "stopped" });
    await expect(failure(callTool(mute, { name: "x" }, callOptions()))).resolves.toMatchObject({
      code: "upstream_unavailable",
    });
  });

  test("get the configured environment and nothing else", async () => {
    const pool = openPool([stdioServer("env", "raw-server.mjs", [], { GREETING: "hello" })]);
    await pool.reaches("env", "ready");
    const result = await callTool(pool.get("env"), { name: "environment" }, callOptions());
    expect(result["environment"]).toEqual({ PATH: process.env["PATH"], GREETING: "hello" });
  });
});

describe("a reloaded configuration", () => {
  test("restarts the changed servers only, ends the removed ones and starts the new ones", async () => {
    const pool = openPool([raw("kept"), raw("changed"), raw("removed")]);
    await pool.until(() =>
      [...pool.upstreams.values()].every(({ state }) => state.kind === "ready"),
    );
    const kept = pool.get("kept");
    const changed = pool.get("changed");
    const removed = await startGrandchild(pool, "removed");
    const next = [
      { ...raw("kept"), tags: ["new"], prefix: "other", timeoutMs: 1 },
      raw("changed", "pages"),
      { ...raw("off"), disabled: true },
      raw("added"),
    ];
    pool.apply(new Map(next.map((server) => [server.name, server])));
    expect([...pool.upstreams.keys()].toSorted()).toEqual(["added", "changed", "kept"]);
    expect(pool.get("kept")).toBe(kept);
    expect(kept.state.kind).toBe("ready");
    expect(pool.get("changed")).not.toBe(changed);
    await pool.reaches("changed", "ready");
    await pool.reaches("added", "ready");
    expect(changed.state).toEqual({ kind: "stopped" });
    expect(pool.get("changed").listing.tools.length).toBe(6);
    await pool.close();
    expect(removed.map(isRunning)).toEqual([false, false]);
  });
});
