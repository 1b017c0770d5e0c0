import { closeSync, openSync } from "node:fs";
import { PassThrough } from "node:stream";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readPipedInput } from "../../../src/cli/calling/piped-input.ts";
import { isPiped } from "../../../src/cli/is-piped.ts";
import { pipeOf } from "./bench.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const never = new AbortController().signal;

function read(
  stdin: Readable,
  answer: "wait" | "go-on" = "wait",
  signal = never,
): { text: Promise<string | undefined>; onSilent: ReturnType<typeof vi.fn> } {
  const onSilent = vi.fn<() => Promise<"wait" | "go-on">>().mockResolvedValue(answer);
  const text = readPipedInput({ io: { stdin }, signal, limitMs: 5000, onSilent });
  // Looked at only later, when time has passed.
  text.catch(() => undefined);
  return { text, onSilent };
}

test("reads to the end, characters that fall between two chunks included", async () => {
  const bytes = Buffer.from("grüße");
  expect(await read(pipeOf(bytes.subarray(0, 3), bytes.subarray(3))).text).toBe("grüße");
  expect(await read(pipeOf()).text).toBe("");
});

test("after a second of silence it asks, once, and can do without", async () => {
  const pipe = new PassThrough();
  const { text, onSilent } = read(pipe, "go-on");
  await vi.advanceTimersByTimeAsync(999);
  expect(onSilent).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(await text).toBeUndefined();
  expect(onSilent).toHaveBeenCalledTimes(1);
  expect(pipe.isPaused()).toBe(true);
});

test("what came first is waited for, however long the rest takes", async () => {
  const pipe = new PassThrough();
  const { text, onSilent } = read(pipe, "go-on");
  pipe.write("a");
  await vi.advanceTimersByTimeAsync(4999);
  pipe.write("b");
  await vi.advanceTimersByTimeAsync(4999);
  pipe.end("c");
  vi.useRealTimers();
  expect(await text).toBe("abc");
  expect(onSilent).not.toHaveBeenCalled();
});

test("what comes while it thinks about the silence is taken", async () => {
  const pipe = new PassThrough();
  const text = readPipedInput({
    io: { stdin: pipe },
    signal: never,
    limitMs: 5000,
    onSilent: async () => {
      pipe.write("late");
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      return "go-on";
    },
  });
  await vi.advanceTimersByTimeAsync(1000);
  pipe.end();
  vi.useRealTimers();
  expect(await text).toBe("late");
});

test.each(["", "half"])("silence after %j ends at the limit", async (first) => {
  const pipe = new PassThrough();
  const { text } = read(pipe);
  if (first !== "") pipe.write(first);
  await vi.advanceTimersByTimeAsync(5000);
  await expect(text).rejects.toMatchObject({
    code: "usage",
    message: "stdin is a pipe that stayed silent for 5 s",
    hint: expect.stringContaining("</dev/null"),
  });
});

test("too much, an interruption and a failed look-up end it", async () => {
  await expect(read(pipeOf(Buffer.alloc(16 * 1024 * 1024 + 1))).text).rejects.toMatchObject({
    code: "usage",
    message: "stdin holds more than 16 MiB",
  });
  const interruption = new Error("interrupted");
  const controller = new AbortController();
  const interrupted = read(new PassThrough(), "wait", controller.signal);
  controller.abort(interruption);
  await expect(interrupted.text).rejects.toBe(interruption);
  const failure = new Error("unknown tool");
  const failed = readPipedInput({
    io: { stdin: new PassThrough() },
    signal: never,
    limitMs: 5000,
    onSilent: () => Promise.reject(failure),
  });
  failed.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(1000);
  await expect(failed).rejects.toBe(failure);
});

const pipeWith = (fd: number): PassThrough & { fd: number } =>
  Object.assign(new PassThrough(), { fd });

test("a file is something to read, a device and a closed descriptor are not", () => {
  const file = openSync(import.meta.filename, "r");
  const device = openSync("/dev/null", "r");
  try {
    expect(isPiped(pipeWith(file))).toBe(true);
    expect(isPiped(pipeWith(device))).toBe(false);
    expect(isPiped(pipeWith(9999))).toBe(false);
  } finally {
    closeSync(file);
    closeSync(device);
  }
});
