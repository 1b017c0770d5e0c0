import { describe, expect, test, vi } from "vitest";
import type { ClientPort } from "../../src/core/client-port.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Upstream } from "../../src/upstream/upstream.ts";
import { createDeferred } from "../../src/upstream/deferred.ts";
import { fakeSession } from "./support/client.ts";
import {
  callOptions,
  callTool,
  failure,
  isRunning,
  openPool,
  stdioServer,
} from "./support/pool.ts";

const askable = (name: string, ...modes: string[]) => ({
  ...stdioServer(name, "raw-server.mjs", ["all", ...modes]),
  connection: "session" as const,
});
const call = (upstream: Upstream, client: ClientPort, name: string, args: JsonObject = {}) =>
  callTool(upstream, { name, arguments: args }, callOptions({ client }));
const sessionOf = (owner: string, name: string) =>
  fakeSession(name, { elicitation: {} }, undefined, owner);
const elicit = { method: "elicitation/create", params: { message: "Who?" } };
const names = (entries: readonly { name: string }[]) => entries.map(({ name }) => name);

describe("a legacy server with a connection for each session", () => {
  test("asks the client whose call it works on, and nobody else; two servers, two clients", async () => {
    const pool = openPool([askable("one"), askable("two")]);
    await pool.reaches("one", "ready");
    await pool.reaches("two", "ready");
    const [anna, ben] = [fakeSession("anna"), fakeSession("ben", { sampling: {} })];
    const answers = await Promise.all(
      ["one", "two"].flatMap((server) =>
        [anna, ben].map(({ port }) => call(pool.get(server), port, "ask", elicit)),
      ),
    );
    expect(answers.map(({ answer }) => answer)).toEqual([
      { by: "anna" },
      { by: "ben" },
      { by: "anna" },
      { by: "ben" },
    ]);
    for (const { asked, port } of [anna, ben]) {
      // On a pipe nothing says to which call a question belongs: the session is asked.
      expect(asked).toEqual([elicit, elicit]);
      expect(port.asked).toEqual([]);
    }
    const declared = async (client: ClientPort) =>
      (await call(pool.get("one"), client, "state"))["declared"];
    await expect(declared(anna.port)).resolves.toEqual({ elicitation: {}, roots: {} });
    await expect(declared(ben.port)).resolves.toEqual({ sampling: {} });
    expect(pool.get("one").connections).toBe(3);
  });

  test("serves clients that can be asked nothing over the common connection, and refuses its questions there", async () => {
    const pool = openPool([askable("one")]);
    await pool.reaches("one", "ready");
    const plain = fakeSession("plain", { experimental: {} });
    await expect(call(pool.get("one"), plain.port, "ask", elicit)).resolves.toMatchObject({
      answer: { error: { code: -32_601 } },
    });
    expect(plain.asked).toEqual([]);
    expect(pool.get("one").connections).toBe(1);
  });

  test("a client's error is the server's answer", async () => {
    const pool = openPool([askable("one")]);
    await pool.reaches("one", "ready");
    await expect(
      call(pool.get("one"), fakeSession("anna").port, "ask", { method: "unknown" }),
    ).resolves.toMatchObject({ answer: { error: { code: -32_601, message: "Method not found" } } });
  });

  test("lists to each client what it lists to its capabilities", async () => {
    const pool = openPool([askable("one")]);
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    const [anna, plain] = [fakeSession("anna"), fakeSession("plain", {})];
    const own = await one.listingFor(anna.port);
    expect(names(own.tools)).toContain("asker");
    expect(own.prompts).toBe(one.listing.prompts);
    await expect(one.listingFor(anna.port)).resolves.toBe(own);
    await expect(one.listingFor(plain.port)).resolves.toBe(one.listing);
    expect(names(one.listing.tools)).not.toContain("asker");
  });

  test("tells of a changed list the session whose connection it is", async () => {
    const pool = openPool([askable("one")]);
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    const [anna, ben] = [fakeSession("anna"), fakeSession("ben")];
    await one.listingFor(ben.port);
    const before = await one.listingFor(anna.port);
    const changed = createDeferred<string>();
    pool.onSessionListingChanged(({ id }) => changed.resolve(id));
    await call(one, anna.port, "grow", { kind: "prompts" });
    await expect(changed.promise).resolves.toBe("anna");
    const after = await one.listingFor(anna.port);
    expect(after.tools).toBe(before.tools);
    expect(after.prompts.map(({ name }) => name)).toEqual(["greet", "more"]);
    expect((await one.listingFor(ben.port)).prompts).toHaveLength(1);
  });

  test("what it says of its own accord comes to the session, log messages from its level on", async () => {
    const pool = openPool([askable("one")]);
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    const [anna, ben] = [fakeSession("anna"), fakeSession("ben")];
    const updates: unknown[] = [];
    pool.onResourceUpdated((...update) => updates.push(update));
    await call(one, ben.port, "state");
    await call(one, anna.port, "log", { level: "debug" });
    anna.logLevel = "warning";
    await one.setLogLevel("warning", anna);
    await call(one, anna.port, "log", { level: "info" });
    await call(one, anna.port, "log", { level: "error" });
    await one.subscribe("raw://one", anna.port);
    await call(one, anna.port, "touch", { uri: "raw://one" });
    expect(anna.told.map(({ params }) => params["level"])).toEqual(["debug", "error"]);
    expect(updates).toEqual([["one", { uri: "raw://one" }, anna]]);
    expect(ben.told).toEqual([]);
    await expect(call(one, anna.port, "state")).resolves.toMatchObject({
      level: "warning",
      subscribed: ["raw://one"],
    });
    await expect(call(one, ben.port, "state")).resolves.toMatchObject({
      level: "",
      subscribed: [],
    });
  });

  test("level and subscriptions are told again to a connection that was lost", async () => {
    const pool = openPool([askable("one")]);
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    const anna = fakeSession("anna");
    anna.logLevel = "error";
    await one.subscribe("raw://one", anna.port);
    const { pid } = await call(one, anna.port, "state");
    await failure(call(one, anna.port, "die"));
    await vi.waitFor(async () => {
      const state = await call(one, anna.port, "state");
      expect(state).toMatchObject({ level: "error", subscribed: ["raw://one"] });
      expect(state["pid"]).not.toBe(pid);
    });
    expect(one.state.kind).toBe("ready");
    await one.unsubscribe("raw://one", anna.port);
    await expect(call(one, anna.port, "state")).resolves.toMatchObject({ subscribed: [] });
  });

  test("roots that changed are told to the session's own connection", async () => {
    const pool = openPool([askable("one")]);
    await pool.reaches("one", "ready");
    const [anna, ben] = [fakeSession("anna"), fakeSession("ben")];
    await call(pool.get("one"), anna.port, "state");
    await call(pool.get("one"), ben.port, "state");
    pool.get("one").rootsChanged(anna);
    await expect(call(pool.get("one"), anna.port, "state")).resolves.toMatchObject({
      rootsChanged: 1,
    });
    await expect(call(pool.get("one"), ben.port, "state")).resolves.toMatchObject({
      rootsChanged: 0,
    });
  });

  test("its process is gone when the session has ended", async () => {
    const pool = openPool([askable("one")]);
    await pool.reaches("one", "ready");
    const anna = fakeSession("anna");
    const { pid } = await call(pool.get("one"), anna.port, "state");
    expect(isRunning(Number(pid))).toBe(true);
    anna.end();
    expect(pool.get("one").connections).toBe(1);
    await vi.waitFor(() => expect(isRunning(Number(pid))).toBe(false));
    await expect(failure(call(pool.get("one"), anna.port, "state"))).resolves.toMatchObject({
      code: "upstream_unavailable",
    });
  });

  test("a limit stands still while the client is asked", async () => {
    const pool = openPool([askable("one")]);
    await pool.reaches("one", "ready");
    const answered = createDeferred<JsonObject>();
    const anna = fakeSession("anna", { elicitation: {} }, () => answered.promise);
    const limits = { client: anna.port, timeoutMs: 150, maxTotalMs: 150 };
    const asking = callTool(
      pool.get("one"),
      { name: "ask", arguments: elicit },
      callOptions(limits),
    );
    await vi.waitFor(() => expect(anna.asked).toHaveLength(1));
    // Begun later and over: the same time has passed for both.
    const ben = fakeSession("ben");
    await expect(
      failure(
        callTool(pool.get("one"), { name: "hang" }, callOptions({ ...limits, client: ben.port })),
      ),
    ).resolves.toMatchObject({ code: "timeout" });
    answered.resolve({ action: "accept" });
    await expect(asking).resolves.toMatchObject({ answer: { action: "accept" } });
    await expect(
      failure(callTool(pool.get("one"), { name: "hang" }, callOptions(limits))),
    ).resolves.toMatchObject({ code: "timeout" });
  });

  test("one that cannot be opened leaves the client the common listing, and its calls the reason", async () => {
    const pool = openPool([askable("one", "no-askers")], { firstPauseMs: 60_000 });
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    const anna = fakeSession("anna");
    await expect(one.listingFor(anna.port)).resolves.toBe(one.listing);
    await expect(failure(call(one, anna.port, "state"))).resolves.toMatchObject({
      code: "upstream_unavailable",
      message: 'Server "one" is not available: exited with code 4',
    });
    expect(one.state.kind).toBe("ready");
    expect(one.stderrTail).toContain("raw server started");
  });

  test("there are no more of them than allowed: one that nobody uses makes room, and else there is none", async () => {
    const pool = openPool([askable("one")], { mostOwnProcesses: 2 });
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    const [anna, ben, carl] = [fakeSession("anna"), fakeSession("ben"), fakeSession("carl")];
    await call(one, anna.port, "state");
    await one.subscribe("raw://one", ben.port);
    await call(one, carl.port, "state");
    expect(one.connections).toBe(3);
    await one.subscribe("raw://one", carl.port);
    await expect(failure(call(one, anna.port, "state"))).resolves.toMatchObject({
      message: 'Server "one" is not available: too many clients have a connection of their own',
    });
    await expect(one.listingFor(fakeSession("dora").port)).resolves.toBe(one.listing);
  });

  describe("of several principals", () => {
    test("none takes those that are left for the others, but what it does not use", async () => {
      const pool = openPool([askable("one")], {
        mostOwnProcesses: 3,
        mostOwnProcessesOfOneOwner: 2,
      });
      await pool.reaches("one", "ready");
      const one = pool.get("one");
      const first = sessionOf("anna", "a1").port;
      const second = sessionOf("anna", "a2").port;
      const third = sessionOf("anna", "a3").port;
      const ben = sessionOf("ben", "b1").port;
      await one.subscribe("raw://one", first);
      await one.subscribe("raw://one", second);
      await expect(failure(call(one, third, "state"))).resolves.toMatchObject({
        message: 'Server "one" is not available: too many clients have a connection of their own',
      });
      await expect(call(one, ben, "state")).resolves.toMatchObject({ subscribed: [] });
      await one.unsubscribe("raw://one", second);
      await call(one, third, "state");
      // It was not the other principal's idle one that made room.
      expect(one.connections).toBe(4);
      await expect(call(one, first, "state")).resolves.toMatchObject({ subscribed: ["raw://one"] });
    });

    test("one that only waits for news gives way to another's, and comes back when there is room", async () => {
      const pool = openPool([askable("one")], { mostOwnProcesses: 2 });
      await pool.reaches("one", "ready");
      const one = pool.get("one");
      const [first, second] = [sessionOf("anna", "a1"), sessionOf("anna", "a2")];
      const ben = sessionOf("ben", "b1");
      const told: unknown[] = [];
      pool.onResourceUpdated((server, { uri }, session) => told.push([server, uri, session?.id]));
      await one.subscribe("raw://one", first.port);
      await one.subscribe("raw://two", second.port);
      const { pid } = await call(one, second.port, "state");
      await expect(call(one, ben.port, "state")).resolves.toMatchObject({ subscribed: [] });
      expect(one.connections).toBe(3);
      // With as many as the other nobody has to give way.
      await one.subscribe("raw://one", ben.port);
      await expect(failure(call(one, first.port, "state"))).resolves.toMatchObject({
        code: "upstream_unavailable",
      });
      await expect(call(one, second.port, "state")).resolves.toMatchObject({ pid });
      expect(told).toEqual([]);
      ben.end();
      // What it may have missed meanwhile is told.
      await vi.waitFor(() => expect(told).toEqual([["one", "raw://one", "a1"]]));
      await expect(call(one, first.port, "state")).resolves.toMatchObject({
        subscribed: ["raw://one"],
      });
    });
  });

  test("nobody's process is left behind by the end of the pool", async () => {
    const pool = openPool([askable("one", "stubborn")], { stdinGraceMs: 20, termGraceMs: 20 });
    await pool.reaches("one", "ready");
    const states = await Promise.all(
      ["anna", "ben"].map((name) => call(pool.get("one"), fakeSession(name).port, "state")),
    );
    // One more is being started when the end comes.
    const late = failure(call(pool.get("one"), fakeSession("late").port, "state"));
    await pool.close();
    await expect(late).resolves.toMatchObject({ code: "upstream_unavailable" });
    expect(states.map(({ pid }) => isRunning(Number(pid)))).toEqual([false, false]);
  });
});
