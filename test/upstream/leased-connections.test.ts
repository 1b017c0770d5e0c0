import { describe, expect, test, vi } from "vitest";
import type { ClientPort } from "../../src/core/client-port.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { createDeferred } from "../../src/upstream/deferred.ts";
import type { Upstream } from "../../src/upstream/upstream.ts";
import { fakeModernClient } from "./support/client.ts";
import {
  callOptions,
  callTool,
  failure,
  isRunning,
  openPool,
  stdioServer,
} from "./support/pool.ts";

const askable = {
  ...stdioServer("one", "raw-server.mjs", ["all"]),
  connection: "session" as const,
};
const call = (upstream: Upstream, client: ClientPort, name: string, args: JsonObject = {}) =>
  callTool(upstream, { name, arguments: args }, callOptions({ client }));
const never = () => new Promise<JsonObject>(() => undefined);
const elicit = { method: "elicitation/create", params: { message: "Who?" } };

describe("a legacy server and clients without a session", () => {
  test("each call has a connection of its own while it runs, and its questions come to its client", async () => {
    const pool = openPool([askable]);
    await pool.reaches("one", "ready");
    const answered = createDeferred<JsonObject>();
    const anna = fakeModernClient("anna", undefined, () => answered.promise);
    const other = fakeModernClient("anna");
    const waiting = call(pool.get("one"), anna, "ask", elicit);
    await vi.waitFor(() => expect(anna.asked).toEqual([elicit]));
    await expect(call(pool.get("one"), other, "ask", elicit)).resolves.toMatchObject({
      answer: { by: "anna" },
    });
    expect(pool.get("one").connections).toBe(3);
    answered.resolve({ action: "decline" });
    await expect(waiting).resolves.toMatchObject({ answer: { action: "decline" } });
    expect(other.asked).toHaveLength(1);
  });

  test("is kept for the same principal with the same capabilities, and for nobody else", async () => {
    const pool = openPool([askable]);
    await pool.reaches("one", "ready");
    const pidFor = async (client: ClientPort) =>
      (await call(pool.get("one"), client, "state"))["pid"];
    const first = await pidFor(fakeModernClient("anna", { elicitation: {}, roots: {} }));
    expect(await pidFor(fakeModernClient("anna", { roots: {}, elicitation: {} }))).toBe(first);
    const others = [
      await pidFor(fakeModernClient("ben", { elicitation: {}, roots: {} })),
      await pidFor(fakeModernClient("anna", { elicitation: {} })),
    ];
    expect(new Set([first, ...others]).size).toBe(3);
  });

  test("ends when nobody has used it for a while", async () => {
    const pool = openPool([askable], { leaseIdleMs: 20 });
    await pool.reaches("one", "ready");
    const { pid } = await call(pool.get("one"), fakeModernClient("anna"), "state");
    await vi.waitFor(() => {
      expect(pool.get("one").connections).toBe(1);
      expect(isRunning(Number(pid))).toBe(false);
    });
  });

  test("on which a call was broken off serves no other, and the question is withdrawn", async () => {
    const pool = openPool([askable]);
    await pool.reaches("one", "ready");
    const withdrawn = createDeferred<string>();
    const anna = fakeModernClient("anna", undefined, (_method, _params, signal) => {
      signal.addEventListener("abort", () => withdrawn.resolve("withdrawn"));
      return new Promise(() => undefined);
    });
    const controller = new AbortController();
    const asking = callTool(
      pool.get("one"),
      { name: "ask", arguments: elicit },
      callOptions({ client: anna, signal: controller.signal }),
    );
    await vi.waitFor(() => expect(anna.asked).toHaveLength(1));
    const reason = new Error("gone");
    controller.abort(reason);
    await expect(failure(asking)).resolves.toBe(reason);
    await expect(withdrawn.promise).resolves.toBe("withdrawn");
    await vi.waitFor(() => expect(pool.get("one").connections).toBe(1));
  });

  test("one principal gets no more of them at once than allowed, the others still get theirs", async () => {
    const pool = openPool([askable], { mostLeasesOfOneOwner: 2 });
    await pool.reaches("one", "ready");
    const controller = new AbortController();
    const busy = [
      fakeModernClient("anna", undefined, never),
      fakeModernClient("anna", undefined, never),
    ];
    const calls = busy.map((client) =>
      failure(
        callTool(
          pool.get("one"),
          { name: "ask", arguments: elicit },
          callOptions({ client, signal: controller.signal }),
        ),
      ),
    );
    await vi.waitFor(() => expect(busy.map(({ asked }) => asked.length)).toEqual([1, 1]));
    await expect(
      failure(call(pool.get("one"), fakeModernClient("anna"), "state")),
    ).resolves.toMatchObject({ code: "upstream_unavailable" });
    await expect(
      call(pool.get("one"), fakeModernClient("ben"), "ask", elicit),
    ).resolves.toMatchObject({ answer: { by: "ben" } });
    controller.abort();
    await Promise.all(calls);
    await expect(
      call(pool.get("one"), fakeModernClient("anna"), "ask", elicit),
    ).resolves.toMatchObject({ answer: { by: "anna" } });
  });

  test("the listing for a set of capabilities is fetched once and kept", async () => {
    const pool = openPool([askable]);
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    const [first, second] = await Promise.all([
      one.listingFor(fakeModernClient("anna")),
      one.listingFor(fakeModernClient("ben")),
    ]);
    expect(first).toBe(second);
    expect(first.tools.map(({ name }) => name)).toContain("asker");
    await expect(one.listingFor(fakeModernClient("carl", {}))).resolves.toBe(one.listing);
    await expect(one.listingFor(fakeModernClient("carl"))).resolves.toBe(first);
  });
});
