import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { choose, everything, shop } from "./choice-world.ts";
import { echoTool } from "./fakes.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const choices = ["local", "local or web", "not slow", "slow", "web"];

const listening = () => {
  const world = shop();
  const { gateway, pool, upstreams } = world;
  const [files, git] = upstreams;
  if (files === undefined || git === undefined) throw new Error("no server");
  const order: string[] = [];
  for (const filter of choices) {
    gateway.onListsChanged(choose(gateway, { filter }), (kinds) => {
      order.push(`${filter}: ${[...kinds].join(" ")}`);
      setImmediate(() => order.push("a call"));
    });
  }
  const change = (upstream: typeof files, part: object): void => {
    upstream.listing = { ...upstream.listing, ...part };
    pool.changed();
  };
  return { ...world, files, git, order, change };
};

it("others get a turn between the choices that a change is looked at for", async () => {
  const { files, order, change } = listening();
  change(files, { tools: [echoTool] });
  await vi.runAllTimersAsync();
  expect(order).toEqual([
    "local: tools",
    "a call",
    "local or web: tools",
    "a call",
    "not slow: tools",
    "a call",
  ]);
});

it("what changes while some are told is told to all, once, and in its order", async () => {
  const { gateway, files, git, order, change } = listening();
  let isFirst = true;
  const stop = gateway.onListsChanged(choose(gateway, { filter: "local and web" }), () => {
    throw new Error("nothing of it changed");
  });
  gateway.onListsChanged(choose(gateway, { filter: "slow or local" }), () => {
    if (!isFirst) return;
    isFirst = false;
    change(git, { prompts: [] });
    // It is looked for while the others are not told yet of what was before.
    vi.advanceTimersByTime(150);
  });
  change(files, { tools: [echoTool] });
  await vi.runAllTimersAsync();
  stop();
  const told = order.filter((line) => line !== "a call");
  expect(told).toEqual([
    "local: tools",
    "local or web: tools",
    "not slow: tools",
    "local: prompts",
    "local or web: prompts",
    "slow: prompts",
  ]);
  // And nobody is behind: what is as it was before is news again.
  order.length = 0;
  change(git, everything("git"));
  await vi.runAllTimersAsync();
  expect(order.filter((line) => line !== "a call")).toEqual([
    "local: prompts",
    "local or web: prompts",
    "slow: prompts",
  ]);
});

it("who stops to listen while others are told hears nothing more; who begins has nothing to unlearn", async () => {
  const { gateway, files, order, change } = listening();
  const late: string[] = [];
  let stop: (() => void) | undefined;
  gateway.onListsChanged(choose(gateway, { filter: "local and not slow" }), () => {
    setImmediate(() => {
      stop?.();
      gateway.onListsChanged(choose(gateway, { filter: "local or slow" }), () => late.push("new"));
    });
  });
  stop = gateway.onListsChanged(choose(gateway, { tags: ["local", "web"] }), () =>
    late.push("stopped"),
  );
  change(files, { tools: [echoTool] });
  await vi.runAllTimersAsync();
  expect(order.filter((line) => line !== "a call")).toHaveLength(3);
  expect(late).toEqual([]);
});
