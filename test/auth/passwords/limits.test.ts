import { expect, test } from "vitest";
import { addressGroup, addressNetwork } from "../../../src/auth/passwords/address-group.ts";
import { createFailureBrake } from "../../../src/auth/passwords/failure-brake.ts";
import { createHashingTurns } from "../../../src/auth/passwords/hashing-turns.ts";
import { createLeakyBuckets } from "../../../src/auth/passwords/leaky-buckets.ts";
import { createRecentKeys } from "../../../src/auth/passwords/recent-keys.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["unknown", "unknown"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:db8:1:2:3::", "2001:db8:1:2::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  ["1::", "1:0:0:0::/64"],
])("%s counts as %s", (address, group) => {
  expect(addressGroup(address)).toBe(group);
});

test.each([
  ["192.0.2.1", "192.0.2.0/24"],
  ["192.0.2.255", "192.0.2.0/24"],
  ["192.0.3.1", "192.0.3.0/24"],
  ["unknown", "unknown"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"],
  ["2001:db8:1:ff02::6", "2001:db8:1::/48"],
  ["2001:db8::1", "2001:db8:0::/48"],
  ["::1", "0:0:0::/48"],
])("%s is of the network %s", (address, network) => {
  expect(addressNetwork(address)).toBe(network);
});

test("no more than the most are remembered, those set last, and the rest are forgotten first", () => {
  const keys = createRecentKeys<number>(100);
  for (let index = 0; index < 1000; index += 1) {
    keys.set(`key ${index}`, index);
    keys.set("kept", index);
    expect(keys.size).toBeLessThanOrEqual(100);
  }
  expect(keys.get("kept")).toBe(999);
  expect(keys.get("key 999")).toBe(999);
  expect(keys.get("key 0")).toBeUndefined();
});

test("a bucket takes its capacity at once and then one for each that drains, and never more for resting", () => {
  let nowMs = 0;
  const buckets = createLeakyBuckets({
    capacity: 3,
    drainMs: 10,
    mostKeys: 9,
    monotonicMs: () => nowMs,
  });
  const take = (): boolean => {
    if (buckets.waitMs("a") !== undefined) return false;
    buckets.add("a");
    return true;
  };
  const burst = (): boolean[] => [take(), take(), take(), take()];
  expect(burst()).toStrictEqual([true, true, true, false]);
  expect(buckets.waitMs("a")).toBe(10);
  nowMs = 9;
  expect(take()).toBe(false);
  nowMs = 10;
  expect([take(), take()]).toStrictEqual([true, false]);
  nowMs = 100_000;
  expect(burst()).toStrictEqual([true, true, true, false]);
});

test("no attempt of a brake is given back twice, whatever order they end in", () => {
  const brake = createFailureBrake(9, () => 0);
  const attempts = Array.from({ length: 10 }, () => brake.begin("a"));
  expect(brake.begin("a")).toStrictEqual({ waitMs: 1000 });
  for (const attempt of attempts) if ("end" in attempt) attempt.end("undecided");
  const again = Array.from({ length: 11 }, () => brake.begin("a"));
  expect(again.filter((attempt) => "end" in attempt)).toHaveLength(10);
});

test("never more hash at once than may, each that waits has its turn, and a failure keeps none", async () => {
  const turns = createHashingTurns({
    maxRunning: 2,
    maxWaiting: 5,
    maxKnownWaiting: 5,
    tooMany: "Too many sign in",
  });
  let running = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
    throw new Error("no");
  };
  for (let round = 0; round < 3; round += 1) {
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => turns.take(work)));
    const told = all.map((each) => (each.status === "rejected" ? String(each.reason) : "done"));
    expect(told.filter((text) => text === "Error: no")).toHaveLength(7);
    expect(told.filter((text) => text.includes("Too many sign in"))).toHaveLength(1);
  }
  expect(most).toBe(2);
  expect(await turns.take(() => Promise.resolve("mine"))).toBe("mine");
});
