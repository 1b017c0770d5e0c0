import { PassThrough } from "node:stream";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cleanToken, maskToken } from "../../../src/cli/sign-in/clean-token.ts";
import { pipedLine } from "../../../src/cli/sign-in/read-secret-line.ts";
import { Bench } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.remove());

function read(stdin: Readable, limitMs = 60_000): Promise<string | undefined> {
  bench.stdin = stdin;
  return pipedLine("token", limitMs, bench.context);
}

function closedPipe(...chunks: readonly (string | Buffer)[]): PassThrough {
  const stream = new PassThrough();
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  return stream;
}

describe("the first line", () => {
  test.each([
    ["plain", ["od_token"], "od_token"],
    ["with a newline", ["od_token\n"], "od_token"],
    ["with CRLF", ["od_token\r\n"], "od_token"],
    ["with a byte order mark", ["\ufeffod_token\n"], "od_token"],
    [
      "with a byte order mark in pieces",
      [Buffer.from([0xef]), Buffer.from([0xbb, 0xbf]), "t\n"],
      "t",
    ],
    ["with spaces", ["  od_token \t\n"], "od_token"],
    ["of two", ["od_token\nsecond line\n"], "od_token"],
    ["in pieces", ["od_", "tok", "en", "\n"], "od_token"],
    ["of 64 KiB", [`${"x".repeat(65_536)}\n`], "x".repeat(65_536)],
    ["before a lot more", [`od_token\n${"y".repeat(200_000)}`], "od_token"],
  ])("%s", async (_, chunks, token) => {
    expect(cleanToken((await read(closedPipe(...chunks))) ?? "", "stdin")).toBe(token);
  });

  test.each([
    ["with a newline", [`${"x".repeat(65_537)}\n`]],
    ["without one", ["x".repeat(40_000), "x".repeat(40_000)]],
  ])("of more than 64 KiB is refused, %s", async (_, chunks) => {
    await expect(read(closedPipe(...chunks))).rejects.toMatchObject({
      code: "usage",
      message: "The token on stdin is longer than 64 KiB",
    });
  });

  test("of an endless one, no more is taken than is needed", async () => {
    let written = 0;
    const endless = new PassThrough({ highWaterMark: 16 * 1024 });
    const feed = (): void => {
      while (!endless.destroyed && endless.write("x".repeat(1024))) written += 1024;
    };
    endless.on("drain", feed);
    feed();
    await expect(read(endless)).rejects.toMatchObject({ code: "usage" });
    expect(written).toBeLessThan(256 * 1024);
  });

  test("does not wait for the end of the file, and lets go of the pipe", async () => {
    const open = new PassThrough();
    open.write("od_token\n");
    expect(await read(open)).toBe("od_token");
    expect(open.destroyed).toBe(true);
  });

  test("an empty pipe brought none, which is said", async () => {
    expect(await read(closedPipe())).toBeUndefined();
    expect(bench.notes).toEqual(["stdin was empty: did the command before the pipe fail?"]);
  });

  test("a stream that fails is an input error", async () => {
    const broken = new PassThrough();
    queueMicrotask(() => broken.destroy(new Error("EIO")));
    await expect(read(broken)).rejects.toMatchObject({ code: "usage" });
  });
});

describe("silence", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("is said after a second and given up after the limit", async () => {
    const silent = new PassThrough();
    const waiting =
      "Waiting for a token on stdin (--local takes one from your own gateway; </dev/null reads none)";
    const reading = read(silent);
    const failure = reading.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(999);
    expect(bench.notes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(bench.notes).toEqual([waiting]);
    await vi.advanceTimersByTimeAsync(58_999);
    expect(silent.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await failure).toMatchObject({ code: "usage" });
    expect(silent.destroyed).toBe(true);
  });

  test("after half a line is given up as well", async () => {
    const half = new PassThrough();
    half.write("od_tok");
    const failure = read(half, 5000).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await failure).toMatchObject({ code: "usage" });
  });

  test("ends with the command", async () => {
    const reading = read(new PassThrough());
    bench.context.interrupt();
    await expect(reading).rejects.toThrow("interrupted");
  });
});

test.each([
  ["", "…"],
  ["short", "…"],
  ["nineteen-characters", "…"],
  ["twenty-characters-xy", "…s-xy"],
  [`od_${"a".repeat(40)}1234`, "…1234"],
])("maskToken(%s) is %s", (token, masked) => {
  expect(maskToken(token)).toBe(masked);
});
