import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Principal } from "../../src/core/principal.ts";
import { createStandingOf } from "../../src/http/standing-of.ts";
import { ada } from "../gateway/fakes.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const nowMs = 1_000;
const lowered: Principal = { ...ada, role: "viewer" };
const expired: Principal = { ...ada, expiresAtMs: nowMs };
const signedInElsewhere: Principal = { ...ada, method: "bearer" };

it.each<[string, Principal, Principal | undefined, object]>([
  ["what it holds now", ada, lowered, { kind: "good", principal: lowered }],
  ["that it ran out by itself", expired, undefined, { kind: "expired" }],
  ["that it was taken back", ada, undefined, { kind: "over" }],
])("says of a credential %s", async (_, principal, renewed, expected) => {
  const standingOf = createStandingOf({ renew: () => renewed }, () => nowMs);
  expect(await standingOf(principal)).toEqual(expected);
});

it("waits a minute for the server that knows a credential, and no longer", async () => {
  let isAnswered = false;
  const standing = { renew: () => (isAnswered ? lowered : undefined) };
  const standingOf = createStandingOf(standing, () => nowMs);
  const said: unknown[] = [];
  void standingOf(signedInElsewhere).then((answer) => said.push(answer));
  await vi.advanceTimersByTimeAsync(59_000);
  expect(said).toEqual([]);
  isAnswered = true;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(said).toEqual([{ kind: "good", principal: lowered }]);
  isAnswered = false;
  void standingOf(signedInElsewhere).then((answer) => said.push(answer));
  await vi.advanceTimersByTimeAsync(61_000);
  expect(said).toHaveLength(2);
  expect(said[1]).toEqual({ kind: "over" });
});
