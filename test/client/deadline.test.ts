import { EventEmitter, once } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createDeadline } from "../../src/client/deadline.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = new AbortController().signal;
const hour = 60 * 60 * 1000;

test("is over after the time given, as a timeout", () => {
  const { signal } = createDeadline(1000, never);
  vi.advanceTimersByTime(999);
  expect(signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(signal.reason).toMatchObject({ code: "timeout", message: "No answer within 1 s" });
});

test("progress starts the silence again, for an hour in all", () => {
  const deadline = createDeadline(1000, never);
  for (let passed = 0; passed < hour - 1000; passed += 500) {
    vi.advanceTimersByTime(500);
    deadline.extend();
  }
  expect(deadline.signal.aborted).toBe(false);
  vi.advanceTimersByTime(500);
  deadline.extend();
  vi.advanceTimersByTime(500);
  expect(deadline.signal.aborted).toBe(true);
});

test("a limit beyond an hour holds as it is", () => {
  const { signal } = createDeadline(2 * hour, never);
  vi.advanceTimersByTime(2 * hour - 1);
  expect(signal.aborted).toBe(false);
});

test("a person's time does not count", async () => {
  const deadline = createDeadline(1000, never);
  vi.advanceTimersByTime(600);
  await deadline.outside(() => {
    vi.advanceTimersByTime(hour);
    // Progress in the meantime does not start the clock.
    deadline.extend();
    vi.advanceTimersByTime(hour);
    return Promise.resolve();
  });
  expect(deadline.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1000);
  expect(deadline.signal.aborted).toBe(true);
});

test("ends with its parent and for the parent's reason, now or later", () => {
  const interruption = new Error("interrupted");
  const parent = new AbortController();
  const later = createDeadline(1000, parent.signal);
  parent.abort(interruption);
  expect(later.signal.reason).toBe(interruption);
  expect(createDeadline(1000, parent.signal).signal.reason).toBe(interruption);
});

test("after it is closed nothing ends any more", async () => {
  const deadline = createDeadline(1000, never);
  const person = new EventEmitter();
  const waiting = deadline.outside(() => once(person, "answer"));
  deadline.close();
  person.emit("answer");
  await waiting;
  vi.advanceTimersByTime(hour);
  expect(deadline.signal.aborted).toBe(false);
});
