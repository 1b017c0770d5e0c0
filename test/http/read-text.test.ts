import { PassThrough, Readable } from "node:stream";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bodyText } from "../../src/http/body-text.ts";
import { readText } from "../../src/http/read-text.ts";
import { inOnePiece } from "./pieces.ts";

afterEach(() => void vi.useRealTimers());

describe("readText", () => {
  it.each([
    ["", 0],
    ["x", 1],
    ["ä€😀".repeat(500), 100_000],
    ["x".repeat(5000), 5000],
  ])("gives the text, in however small pieces it comes (%#)", async (text, mostBytes) => {
    expect(await readText(inOnePiece(text), { mostBytes })).toEqual({ kind: "text", text });
    expect(await readText(Readable.from([Buffer.from(text)]), { mostBytes })).toEqual({
      kind: "text",
      text,
    });
  });

  it("takes in no byte more than it may", async () => {
    const stream = inOnePiece("x".repeat(3000));
    expect(await readText(stream, { mostBytes: 2999 })).toEqual({ kind: "too large" });
    expect(stream.listenerCount("data")).toBe(0);
  });

  it("asks for memory before it is taken, doubled each time, and for no more than there may be", async () => {
    const asked: number[] = [];
    const mayHold = (moreBytes: number): boolean => {
      asked.push(moreBytes);
      return true;
    };
    await readText(inOnePiece("x".repeat(5000)), { mostBytes: 6000, mayHold });
    expect(asked).toEqual([1024, 1024, 2048, 1904]);
    const read = await readText(inOnePiece("x".repeat(5000)), {
      mostBytes: 6000,
      mayHold: (moreBytes) => moreBytes <= 1024,
    });
    expect(read).toEqual({ kind: "no room" });
  });

  it("ends a body that drips, however regularly", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const stream = new PassThrough();
    const read = readText(stream, { mostBytes: 1000, mostMs: 10_000 });
    for (let second = 1; second <= 10; second += 1) {
      stream.write("x");
      vi.advanceTimersByTime(1000);
    }
    expect(await read).toEqual({ kind: "too slow" });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps no timer once it is done", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    await readText(inOnePiece("x"), { mostBytes: 1000, mostMs: 10_000 });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("readText, told how many bytes there will be", () => {
  const text = "ä€😀";
  const wholeBytes = Buffer.byteLength(text);
  const mostBytes = 1000;
  const whole = (): Readable => Readable.from([Buffer.from(text)]);

  it("is done with the last of them, wherever the text is cut", async () => {
    for (let cut = 1; cut <= wholeBytes; cut += 1) {
      const stream = new PassThrough();
      stream.write(Buffer.from(text).subarray(0, cut));
      if (cut < wholeBytes) setImmediate(() => stream.write(Buffer.from(text).subarray(cut)));
      expect(await readText(stream, { mostBytes, wholeBytes })).toEqual({ kind: "text", text });
      expect(stream.listenerCount("data") + stream.listenerCount("end")).toBe(0);
    }
  });

  it.each([wholeBytes - 1, wholeBytes + 1])(
    "gives all there is where it is not %i",
    async (told) => {
      const read = await readText(whole(), { mostBytes, wholeBytes: told });
      expect(read).toEqual({ kind: "text", text });
    },
  );

  it("takes in no byte more than it may, and asks for memory, in one piece too", async () => {
    expect(await readText(whole(), { mostBytes: wholeBytes - 1, wholeBytes })).toEqual({
      kind: "too large",
    });
    expect(await readText(whole(), { mostBytes, wholeBytes, mayHold: () => false })).toEqual({
      kind: "no room",
    });
  });
});

function readBody(stream: Readable, length?: number): Promise<unknown> {
  const headers = length === undefined ? {} : { "content-length": String(length) };
  return bodyText({ headers }, stream, { mostBytes: 1000 }).catch((error: unknown) => error);
}

describe("bodyText", () => {
  it("refuses what is announced as too large without reading", async () => {
    const stream = new PassThrough();
    expect(await readBody(stream, 1001)).toMatchObject({ status: 413 });
    expect(stream.listenerCount("data")).toBe(0);
  });

  it("is done when what was announced has come, and waits for the rest of it", async () => {
    const stream = new PassThrough();
    stream.write("abc");
    expect(await readBody(stream, 3)).toBe("abc");
    const short = new PassThrough();
    short.write("ab");
    const answered = readBody(short, 3);
    setImmediate(() => short.destroy());
    expect(await answered).toMatchObject({ status: 400 });
  });

  it("is no fault of ours when its sender goes away, before or while it is read", async () => {
    const gone = new PassThrough().on("error", () => undefined);
    gone.destroy();
    expect(await readBody(gone)).toMatchObject({ status: 400 });
    const going = new PassThrough();
    const answered = readBody(going);
    going.destroy(new Error("aborted"));
    expect(await answered).toMatchObject({ status: 400 });
    const closing = new PassThrough();
    const closed = readBody(closing);
    closing.destroy();
    expect(await closed).toMatchObject({ status: 400 });
  });
});
