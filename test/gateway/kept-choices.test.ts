import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import {
  bob,
  callerWith,
  fakeUpstream,
  gatewayOf,
  modernClient,
  serverConfiguration,
} from "./fakes.ts";
import { choose, everything } from "./choice-world.ts";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");
// What a WeakRef was made of lasts until the turn is over.
const collected = async (): Promise<void> => {
  for (let round = 0; round < 3; round++) {
    // oxlint-disable-next-line no-await-in-loop -- one turn after the other
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    if (typeof collect === "function") collect();
  }
};

const names = ["a", "b", "c", "d", "e", "f", "g"];
const world = () =>
  gatewayOf(
    names.map((name) => fakeUpstream(name, everything(name))),
    { servers: names.map((name) => serverConfiguration(name, { tags: [name] })) },
  );
const subsets = Array.from({ length: 100 }, (_, index) =>
  names.filter((_name, bit) => ((index + 1) >> bit) & 1),
);

it.each([
  ["an editor", undefined],
  ["a viewer", { ...bob, role: "viewer" as const }],
])("what %s chooses in ever other words is kept for few of them", async (_who, principal) => {
  const { gateway } = world();
  const caller = callerWith(modernClient(), principal);
  const lists: WeakRef<object>[] = [];
  for (const tags of subsets) {
    const chosen = choose(gateway, { tags }, caller);
    // oxlint-disable-next-line no-await-in-loop -- one choice after the other
    lists.push(new WeakRef(await gateway.list(chosen, "tools")));
    gateway.listServers(chosen);
    gateway.collisions(chosen);
  }
  await collected();
  const left = lists.filter((list) => list.deref() !== undefined);
  expect(left.length).toBeGreaterThan(0);
  expect(left.length).toBeLessThanOrEqual(20);
  const again = await gateway.list(choose(gateway, { tags: subsets[0] }, caller), "tools");
  expect(again.length).toBe(principal === undefined ? 2 : 1);
});

it("what somebody listens to the changes of lasts, and is one object", async () => {
  const { gateway } = world();
  const caller = callerWith(modernClient(), { ...bob, role: "viewer" });
  const listened = choose(gateway, { tags: ["a", "b"] }, caller);
  gateway.onListsChanged(listened, () => undefined);
  const before = new WeakRef(await gateway.list(listened, "tools"));
  for (const tags of subsets) {
    // oxlint-disable-next-line no-await-in-loop -- one choice after the other
    await gateway.list(choose(gateway, { tags }, caller), "tools");
  }
  await collected();
  expect(before.deref()).toBe(await gateway.list(listened, "tools"));
});
