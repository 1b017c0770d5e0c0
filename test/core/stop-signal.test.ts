import { expect, it, vi } from "vitest";
import { abortSignalOf, Stop } from "../../src/core/stop-signal.ts";

it("tells each of its listeners once, with the first reason", () => {
  const stop = new Stop();
  const [told, left] = [vi.fn<() => void>(), vi.fn<() => void>()];
  stop.addEventListener("abort", told);
  stop.addEventListener("abort", left);
  stop.removeEventListener("abort", left);
  expect(stop.aborted).toBe(false);
  stop.abort("first");
  stop.abort("second");
  stop.addEventListener("abort", left);
  expect([stop.aborted, stop.reason]).toEqual([true, "first"]);
  expect(told).toHaveBeenCalledOnce();
  expect(left).not.toHaveBeenCalled();
});

it("has the reason of an AbortController when it is given none", () => {
  const [stop, controller] = [new Stop(), new AbortController()];
  stop.abort();
  controller.abort();
  expect(stop.reason).toMatchObject({ name: controller.signal.reason.name });
});

it("tells in the order of asking, and not who was left meanwhile or was never heard of", () => {
  const stop = new Stop();
  const told: string[] = [];
  const third = (): void => void told.push("third");
  stop.addEventListener("abort", () => told.push("first"));
  stop.removeEventListener("abort", third);
  stop.addEventListener("abort", () => {
    told.push("second");
    stop.removeEventListener("abort", third);
  });
  stop.addEventListener("abort", third);
  stop.addEventListener("abort", () => told.push("fourth"));
  stop.abort();
  expect(told).toEqual(["first", "second", "fourth"]);
});

it("throws its reason once it is aborted, and nothing before", () => {
  const stop = new Stop();
  expect(() => stop.throwIfAborted()).not.toThrow();
  stop.abort(new Error("over"));
  expect(() => stop.throwIfAborted()).toThrow("over");
});

it("becomes an AbortSignal for who takes nothing else", () => {
  const { signal } = new AbortController();
  expect(abortSignalOf(signal)).toBe(signal);
  const stop = new Stop();
  const before = abortSignalOf(stop);
  stop.abort("over");
  for (const made of [before, abortSignalOf(stop)]) {
    expect([made.aborted, made.reason]).toEqual([true, "over"]);
  }
});
