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
