import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createFairLine } from "../../../src/auth/passwords/fair-line.ts";
import { createHashingTurns } from "../../../src/auth/passwords/hashing-turns.ts";
import type { TurnTaker } from "../../../src/auth/passwords/hashing-turns.ts";
import { createKnownClients } from "../../../src/auth/passwords/known-clients.ts";
import { createPasswordHashes } from "../../../src/auth/passwords/password-hashes.ts";
import { loggingRefusedTurns } from "../../../src/auth/passwords/refused-turns-log.ts";
import { AppError } from "../../../src/core/errors.ts";

test("in a full line whoever has the most loses the last of them to who has fewer", () => {
  const dropped: string[] = [];
  const line = createFairLine<string>(4, (item) => dropped.push(item));
  for (const item of ["a1", "a2", "a3", "a4"]) expect(line.add("a", item)).toBe(true);
  expect(line.add("a", "a5")).toBe(false);
  expect(line.add("b", "b1")).toBe(true);
  expect(line.add("c", "c1")).toBe(true);
  expect(dropped).toStrictEqual(["a4", "a3"]);
  // With two against one a second for `b` would only turn it round.
  expect(line.add("b", "b2")).toBe(false);
  expect(line.add("d", "d1")).toBe(true);
  expect(line.add("e", "e1")).toBe(false);
  const out = Array.from({ length: 5 }, () => line.next());
  expect(out).toStrictEqual(["a1", "b1", "c1", "d1", undefined]);
  expect(line.add("e", "e2")).toBe(true);
});

test("who waits with many has one turn where who waits with one has its own", () => {
  const line = createFairLine<string>(9, () => undefined);
  for (const item of ["a1", "a2", "a3"]) line.add("a", item);
  line.add("b", "b1");
  const out = Array.from({ length: 5 }, () => line.next());
  expect(out).toStrictEqual(["a1", "b1", "a2", "a3", undefined]);
});

/** Turns of which one is taken; each that waits and is let in is told in order, as is each that is refused. */
function heldTurns(options: { maxWaiting: number; maxKnownWaiting: number }) {
  const turns = createHashingTurns({ maxRunning: 1, tooMany: "Too many", ...options });
  let release: (() => void) | undefined;
  const held = turns.take(() => new Promise<void>((resolve) => (release = resolve)));
  const told: string[] = [];
  const waiting: Promise<unknown>[] = [held];
  const ask = (name: string, by: TurnTaker): void => {
    const asked = turns.take(() => Promise.resolve(void told.push(name)), by);
    waiting.push(
      asked.catch((error: unknown) => {
        const isRefused = error instanceof AppError && error.code === "rate_limited";
        told.push(isRefused ? `no ${name}` : String(error));
      }),
    );
  };
  const end = async (): Promise<string[]> => {
    // Refusals come first: they wait for nothing.
    await new Promise(setImmediate);
    release?.();
    await Promise.all(waiting);
    return told;
  };
  return { ask, end };
}

test("one network does not take the places of others, however many addresses it has", async () => {
  const { ask, end } = heldTurns({ maxWaiting: 3, maxKnownWaiting: 0 });
  for (let count = 1; count <= 4; count += 1) ask(`flood ${count}`, { network: "flood" });
  ask("ada", { network: "home" });
  ask("bob", { network: "office" });
  ask("eve", { network: "café" });
  expect(await end()).toStrictEqual([
    "no flood 4",
    "no flood 3",
    "no flood 2",
    "no eve",
    "flood 1",
    "ada",
    "bob",
  ]);
});

test("who was in before has a place when strangers of many networks have taken all others, and waits for few", async () => {
  const { ask, end } = heldTurns({ maxWaiting: 3, maxKnownWaiting: 2 });
  for (let count = 1; count <= 4; count += 1) ask(`bot ${count}`, { network: `net ${count}` });
  ask("ada", { network: "net 1", knownAccount: "ada" });
  ask("ada again", { network: "net 1", knownAccount: "ada" });
  ask("bob", { network: "net 2", knownAccount: "bob" });
  expect(await end()).toStrictEqual([
    "no bot 4",
    "no ada again",
    "ada",
    "bot 1",
    "bob",
    "bot 2",
    "bot 3",
  ]);
});

test("who finds no place among the known ones may wait among all", async () => {
  const { ask, end } = heldTurns({ maxWaiting: 1, maxKnownWaiting: 1 });
  ask("ada", { network: "one", knownAccount: "ada" });
  ask("bob", { network: "two", knownAccount: "bob" });
  expect(await end()).toStrictEqual(["ada", "bob"]);
});

const at = (address: string) => ({ address });

test("only the account that was signed in to from an address is known there, in its whole /64", () => {
  const clients = createKnownClients();
  clients.add("ada", at("2001:db8::1"));
  clients.add("bob", at("192.0.2.1"));
  const knownAt = (userId: string | null, address: string) =>
    clients.takerOf(userId, at(address)).knownAccount;
  expect(clients.takerOf("ada", at("2001:db8::2"))).toStrictEqual({
    network: "2001:db8:0::/48",
    knownAccount: "ada",
  });
  expect(clients.takerOf("ada", at("192.0.2.1"))).toStrictEqual({ network: "192.0.2.0/24" });
  expect(knownAt("bob", "192.0.2.1")).toBe("bob");
  expect(knownAt("bob", "192.0.2.2")).toBeUndefined();
  expect(knownAt(null, "192.0.2.1")).toBeUndefined();
});

test("one account at many addresses is forgotten at its oldest, and makes nobody else forgotten", () => {
  const clients = createKnownClients();
  clients.add("bob", { address: "192.0.2.1" });
  for (let count = 0; count < 1000; count += 1) {
    clients.add("eve", { address: `2001:db8:0:${count.toString(16)}::1` });
  }
  const isKnown = (userId: string, address: string): boolean =>
    clients.takerOf(userId, { address }).knownAccount !== undefined;
  expect(isKnown("bob", "192.0.2.1")).toBe(true);
  expect(isKnown("eve", "2001:db8:0:3e7::1")).toBe(true);
  expect(isKnown("eve", "2001:db8::1")).toBe(false);
});

const hashes = createPasswordHashes({ randomBytes, cost: { logN: 10, r: 8, p: 1 } });

test("a password is set while all turns to verify are taken and waited for", async () => {
  const order: string[] = [];
  const verifying = Array.from({ length: 80 }, () =>
    hashes.verify("correct horse", null).then(
      () => order.push("verified"),
      () => undefined,
    ),
  );
  const setting = hashes.hash("correct horse").then(() => order.push("set"));
  await Promise.all([...verifying, setting]);
  expect(order.indexOf("set")).toBeLessThan(10);
});

test("few wait to set one, one after the other", async () => {
  const asked = Array.from({ length: 12 }, () => hashes.hash("correct horse"));
  const refused = (await Promise.allSettled(asked)).filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(3);
  for (const each of refused) {
    expect(each).toMatchObject({
      reason: { code: "rate_limited", message: expect.stringContaining("being set") as unknown },
    });
  }
});

test("while turns are refused the log says so once a minute, with how many since", async () => {
  let monotonicMs = 5;
  const lines: unknown[] = [];
  let failure = new AppError("rate_limited", "Too many");
  const logging = loggingRefusedTurns(
    { ...hashes, verify: () => Promise.reject(failure) },
    {
      logger: { warn: (_message, fields) => void lines.push(fields) },
      monotonicMs: () => monotonicMs,
    },
  );
  const tries = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      await expect(logging.verify("x", null)).rejects.toBe(failure);
    }
  };
  await tries(5);
  expect(lines).toHaveLength(1);
  monotonicMs += 59_999;
  await tries(2);
  expect(lines).toHaveLength(1);
  monotonicMs += 1;
  await tries(1);
  expect(lines).toStrictEqual([{ refused: 1 }, { refused: 7 }]);
  failure = new AppError("store_unavailable", "No");
  monotonicMs += 60_000;
  await tries(1);
  expect(lines).toHaveLength(2);
});
