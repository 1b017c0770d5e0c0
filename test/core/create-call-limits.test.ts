import { describe, expect, test } from "vitest";
import type { RateLimitConfiguration } from "../../src/core/configuration.ts";
import { createCallLimits } from "../../src/core/create-call-limits.ts";
import type { Principal } from "../../src/core/principal.ts";

function principal(more: Partial<Principal> = {}): Principal {
  return {
    userId: "ann",
    displayName: "Ann",
    organizationId: "acme",
    role: "editor",
    scopes: [],
    method: "local",
    isLocalOwner: false,
    ...more,
  };
}

/** How many calls pass one after the other until one is refused; at most 1000. */
function passing(take: () => number | undefined): number {
  let passed = 0;
  while (passed < 1_000 && take() === undefined) passed += 1;
  return passed;
}

/** Limits whose configuration and clock the test sets. */
function bench(first: Partial<RateLimitConfiguration>) {
  const state = { rateLimit: { rpm: 60, roles: {}, tools: [], ...first }, nowMs: 5_000 };
  const limits = createCallLimits({
    configuration: () => state.rateLimit,
    monotonicMs: () => state.nowMs,
  });
  const set = (next: Partial<RateLimitConfiguration>): void => {
    state.rateLimit = { ...state.rateLimit, ...next };
  };
  return { state, limits, set };
}

describe("the limit of a user", () => {
  test("is rpm, and comes free as calls leave the last 60 seconds", () => {
    const { limits, state } = bench({ rpm: 3 });
    expect(passing(() => limits.take(principal()))).toBe(3);
    state.nowMs += 20_000;
    expect(limits.take(principal())).toBe(40_000);
    state.nowMs += 40_000;
    expect(passing(() => limits.take(principal()))).toBe(3);
  });

  test("is each user's own: by name and way in", () => {
    const { limits } = bench({ rpm: 2 });
    const others: Partial<Principal>[] = [{}, { userId: "bob" }, { method: "token" }];
    for (const other of others) expect(passing(() => limits.take(principal(other)))).toBe(2);
    for (const other of others) expect(passing(() => limits.take(principal(other)))).toBe(0);
    // Neither the token nor what it may makes another user.
    expect(limits.take(principal({ tokenHash: "t2", displayName: "A.", scopes: ["x"] }))).toBe(
      60_000,
    );
  });

  test("is one for a user of several organisations, in all and of a tool", () => {
    const { limits } = bench({ rpm: 4, tools: [{ pattern: "a__*", rpm: 3 }] });
    const seats = ["acme", "other", null].map((organizationId) => principal({ organizationId }));
    const tools = seats.map((seat) => passing(() => limits.takeTool(seat, "a__b")));
    expect(tools).toEqual([3, 0, 0]);
    const calls = seats.map((seat) => passing(() => limits.take(seat)));
    expect(calls).toEqual([4, 0, 0]);
  });

  test("is another for a role that has its own, also none", () => {
    const { limits } = bench({ rpm: 2, roles: { viewer: 1, admin: 0 } });
    expect(passing(() => limits.take(principal({ userId: "v", role: "viewer" })))).toBe(1);
    expect(passing(() => limits.take(principal({ userId: "e", role: "editor" })))).toBe(2);
    expect(passing(() => limits.take(principal({ userId: "a", role: "admin" })))).toBe(1_000);
    expect(passing(() => limits.take(principal({ userId: "n", role: null })))).toBe(2);
  });

  test("is none where rpm is 0, but for a role that has its own", () => {
    const { limits } = bench({ rpm: 0, roles: { viewer: 1 } });
    expect(passing(() => limits.take(principal()))).toBe(1_000);
    expect(passing(() => limits.take(principal({ role: "viewer" })))).toBe(1);
  });

  test("follows the configuration at once, up, down, off and on, and a role that changes", () => {
    const { limits, state, set } = bench({ rpm: 4 });
    expect(passing(() => limits.take(principal()))).toBe(4);
    set({ rpm: 6 });
    state.nowMs += 10_000;
    expect(passing(() => limits.take(principal()))).toBe(2);
    set({ rpm: 2 });
    // The four of before have to leave, and one of the two after them.
    expect(limits.take(principal())).toBe(60_000);
    set({ rpm: 3 });
    expect(limits.take(principal())).toBe(50_000);
    set({ rpm: 0 });
    expect(passing(() => limits.take(principal()))).toBe(1_000);
    set({ rpm: 7 });
    expect(passing(() => limits.take(principal()))).toBe(1);
    set({ roles: { viewer: 8 } });
    expect(passing(() => limits.take(principal({ role: "viewer" })))).toBe(1);
  });

  test("holds for calls that come at once", async () => {
    const { limits } = bench({ rpm: 10 });
    const calls = Array.from({ length: 100 }, async () => {
      await Promise.resolve();
      return limits.take(principal());
    });
    const passed = (await Promise.all(calls)).filter((wait) => wait === undefined);
    expect(passed).toHaveLength(10);
  });

  test("is not for the local owner, nor where nobody is asked", () => {
    const { limits } = bench({ rpm: 1, tools: [{ pattern: "*", rpm: 1 }] });
    for (const exempt of [principal({ isLocalOwner: true }), principal({ method: "none" })]) {
      expect(passing(() => limits.take(exempt))).toBe(1_000);
      expect(passing(() => limits.takeTool(exempt, "a__b"))).toBe(1_000);
    }
  });
});

describe("the limit of a tool", () => {
  const tools = [
    { pattern: "files__read", rpm: 3 },
    { pattern: "files__*", rpm: 2 },
    { pattern: "free__*", rpm: 0 },
    { pattern: "free__b", rpm: 1 },
  ];

  test("is that of the first pattern that fits, for all tools it fits together", () => {
    const { limits } = bench({ tools });
    const take = (name: string, who = principal()) => passing(() => limits.takeTool(who, name));
    expect(take("files__read")).toBe(3);
    expect(take("files__write")).toBe(2);
    expect(take("files__drop")).toBe(0);
    expect(take("files__write", principal({ userId: "bob" }))).toBe(2);
    expect(take("other__tool")).toBe(1_000);
    expect(take("free__b")).toBe(1_000);
  });

  test("counts apart from the user's", () => {
    const { limits } = bench({ rpm: 5, tools });
    expect(passing(() => limits.takeTool(principal(), "files__read"))).toBe(3);
    expect(passing(() => limits.take(principal()))).toBe(5);
  });

  test("comes free after 60 seconds, and follows the configuration at once", () => {
    const { limits, state, set } = bench({ tools });
    const take = () => limits.takeTool(principal(), "files__read");
    expect(passing(take)).toBe(3);
    expect(take()).toBe(60_000);
    set({ tools: [{ pattern: "files__read", rpm: 1 }] });
    expect(take()).toBe(60_000);
    set({ tools: [] });
    expect(passing(take)).toBe(1_000);
    set({ tools });
    expect(take()).toBe(60_000);
    state.nowMs += 60_000;
    expect(passing(take)).toBe(3);
  });
});
