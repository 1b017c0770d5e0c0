import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { createRecentOrHeld } from "../../src/core/recent-or-held.ts";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");
const turn = () => new Promise((resolve) => setTimeout(resolve));

it("keeps those that were used last, and of the others what somebody else holds", async () => {
  const kept = createRecentOrHeld<string, { name: string }>(2);
  const held = { name: "held" };
  kept.set("held", held);
  for (const name of ["old", "last", "newest"]) kept.set(name, { name });
  // What a WeakRef was made of lasts until the turn is over.
  await turn();
  if (typeof collect !== "function") throw new Error("there is no gc");
  collect();
  expect(kept.get("held")).toBe(held);
  expect(kept.get("old")).toBeUndefined();
  expect(kept.get("last")).toEqual({ name: "last" });
  expect(kept.get("newest")).toEqual({ name: "newest" });
});
