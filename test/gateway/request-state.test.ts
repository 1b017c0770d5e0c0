import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/json.ts";
import { RequestFault } from "../../src/gateway/request-fault.ts";
import { claimedServer, createRequestStates } from "../../src/gateway/request-state.ts";
import type { StateBinding } from "../../src/gateway/request-state.ts";

const binding: StateBinding = {
  principal: "ada",
  method: "tools/call",
  server: "one",
  name: "echo",
};
const notThis =
  "-32602 The requestState is not one for this request: send the request again without it";

function createStates() {
  const clock = { nowMs: 1_000 };
  const states = createRequestStates({
    now: () => clock.nowMs,
    randomBytes: (count) => randomBytes(count),
    lifetimeMs: 500,
  });
  return { clock, states };
}

/** What opening it is refused with. */
function refusal(open: () => unknown): string {
  try {
    open();
  } catch (error) {
    if (!(error instanceof RequestFault)) throw error;
    return `${error.code} ${error.data === undefined ? "" : "with data "}${error.message}`;
  }
  throw new Error("It was opened");
}

describe("a request state", () => {
  it("gives back what was sealed, to the same request, a server's own once", () => {
    const { states } = createStates();
    for (const content of [{ upstream: "" }, { upstream: 'x".\u0000ü' }]) {
      const state = states.seal(content, binding);
      expect(state).toMatch(/^[\w-]+\.[\w-]+$/u);
      expect(states.open(state, binding)).toEqual(content);
      expect(refusal(() => states.open(state, binding))).toContain("was used before");
    }
    const turn = states.seal({ turn: "t" }, binding);
    expect(states.open(turn, binding)).toEqual({ turn: "t" });
    expect(states.open(turn, binding)).toEqual({ turn: "t" });
  });

  it("says which server it is for, to whom does not believe it", () => {
    const { states } = createStates();
    expect(claimedServer(states.seal({ turn: "t" }, binding))).toBe("one");
    expect(claimedServer("nonsense")).toBeUndefined();
    expect(claimedServer(undefined)).toBeUndefined();
  });

  it.each<[string, Partial<StateBinding>]>([
    ["another principal", { principal: "bob" }],
    ["another method", { method: "prompts/get" }],
    ["another server", { server: "two" }],
    ["another tool", { name: "delete" }],
  ])("of %s is refused as a forged one is, and stays good for its own", (_what, other) => {
    const { states } = createStates();
    const state = states.seal({ upstream: "secret" }, binding);
    expect(refusal(() => states.open(state, { ...binding, ...other }))).toBe(notThis);
    expect(states.open(state, binding)).toEqual({ upstream: "secret" });
  });

  it.each([
    ["with rubbish behind it", (state: string) => `${state}!`],
    ["with a part behind it", (state: string) => `${state}.x`],
    ["without its last character", (state: string) => state.slice(0, -1)],
    [
      // The last of 43 characters carries four bits of 32 bytes; the other two are not looked at in decoding.
      "spelt in another way",
      (state: string) => state.slice(0, -1) + ("AQgw".includes(state.slice(-1)) ? "B" : "A"),
    ],
  ])("%s is refused", (_what, tampered) => {
    const { states } = createStates();
    const state = states.seal({ upstream: "x" }, binding);
    expect(refusal(() => states.open(tampered(state), binding))).toBe(notThis);
  });

  it("cannot move from one field of its binding to the next", () => {
    const { states } = createStates();
    const state = states.seal({ turn: "t" }, { ...binding, server: "a", name: "bc" });
    expect(refusal(() => states.open(state, { ...binding, server: "ab", name: "c" }))).toBe(
      notThis,
    );
  });

  it("of another process is refused as a forged one is", () => {
    const state = createStates().states.seal({ turn: "t" }, binding);
    expect(refusal(() => createStates().states.open(state, binding))).toBe(notThis);
  });

  it("that was changed anywhere is refused", () => {
    const { states } = createStates();
    const state = states.seal({ upstream: "x" }, binding);
    // But for the last character: it holds bits that belong to no byte.
    for (let at = 0; at < state.length - 1; at += 1) {
      const other = state[at] === "A" ? "B" : "A";
      const changed = `${state.slice(0, at)}${other}${state.slice(at + 1)}`;
      expect(refusal(() => states.open(changed, binding))).toBe(notThis);
    }
    expect(refusal(() => states.open(`${state}-TAMPERED`, binding))).toBe(notThis);
    expect(refusal(() => states.open(`${state}.x`, binding))).toBe(notThis);
  });

  it.each<Json>([null, 5, "", ".", "a.b", "..", {}, [], "x".repeat(2_000_000), "e30.", "bnVsbA.x"])(
    "that is nonsense (%#) is refused",
    (state) => {
      const { states } = createStates();
      expect(refusal(() => states.open(state, binding))).toBe(notThis);
    },
  );

  it("is good for its time, and is then said to have expired to its owner only", () => {
    const { states, clock } = createStates();
    const sealed = () => states.seal({ upstream: "x" }, binding);
    const [early, late] = [sealed(), sealed()];
    clock.nowMs += 499;
    expect(states.open(early, binding)).toEqual({ upstream: "x" });
    clock.nowMs += 1;
    expect(refusal(() => states.open(late, binding))).toContain("has expired");
    expect(refusal(() => states.open(late, { ...binding, principal: "bob" }))).toBe(notThis);
    // Forgetting that it was used makes it no better.
    clock.nowMs += 10_000;
    states.open(sealed(), binding);
    expect(refusal(() => states.open(early, binding))).toContain("has expired");
  });
});
