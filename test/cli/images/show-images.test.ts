/* oxlint-disable no-control-regex -- what a terminal is sent begins with one */
import { PassThrough } from "node:stream";
import { deflateSync, inflateSync } from "node:zlib";
import { encode as encodePng } from "fast-png";
import { encode as encodeJpeg } from "jpeg-js";
import { decode as decodeSixel } from "sixel";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createImageBudget } from "../../../src/cli/images/image-budget.ts";
import { showImages } from "../../../src/cli/images/show-images.ts";
import { readEnvironment } from "../../../src/config/environment.ts";
import { bundleImageWorker } from "./support/image-worker-bundle.ts";

let bundle: Awaited<ReturnType<typeof bundleImageWorker>>;
beforeAll(async () => {
  bundle = await bundleImageWorker();
});
afterAll(() => bundle.remove());

/** Red, but for a blue lower right quarter. */
function picture(width: number, height: number): Uint8Array {
  const rgba = new Uint8Array(width * height * 4);
  for (let at = 0; at < width * height; at += 1) {
    const isBlue = at % width >= width / 2 && at >= (width * height) / 2;
    rgba.set(isBlue ? [0, 0, 255, 255] : [255, 0, 0, 255], at * 4);
  }
  return rgba;
}

const png = encodePng({ width: 20, height: 12, data: picture(20, 12), channels: 4 });
const jpeg = encodeJpeg({ width: 64, height: 32, data: picture(64, 32) }, 90).data;

interface Shown {
  text: string;
  left: number;
  raw: boolean[];
  interrupted: boolean;
}

/** What a terminal with these variables is sent, which answers so when it is asked. */
async function show(
  images: readonly Uint8Array[],
  variables: Record<string, string>,
  answer?: string,
  { limitMs = 60_000, typed = "", endsAtOnce = false } = {},
): Promise<Shown> {
  const shown: Shown = { text: "", left: 0, raw: [], interrupted: false };
  const controller = new AbortController();
  const end = (): void => controller.abort(new Error("Ctrl-C"));
  const stdin = Object.assign(new PassThrough(), {
    fd: 0,
    setRawMode: (on: boolean) => {
      shown.raw.push(on);
      if (on && typed !== "") stdin.write(typed);
    },
  });
  const io = {
    stdin,
    stdinIsTerminal: true,
    stdoutIsTerminal: true,
    stderrIsTerminal: true,
    spinners: false,
    columns: 80,
    out: (text: string | Uint8Array) => {
      const sent = Buffer.from(text).toString("latin1");
      shown.text += sent;
      if (answer !== undefined && sent.includes("\u001b[c")) {
        for (const byte of answer) stdin.write(byte);
      }
      return Promise.resolve();
    },
    note: () => undefined,
    spin: () => ({ update: () => undefined, stop: () => undefined }),
    foreign: (text: string) => text,
  };
  const showing = showImages(
    images.map((bytes) => ({ bytes })),
    {
      io,
      environment: readEnvironment(variables),
      onForcedEnd: () => undefined,
      signal: controller.signal,
      interrupt: end,
    },
    (left) => {
      shown.left = left.length;
      return Promise.resolve();
    },
    { url: bundle.url, limitMs },
  );
  if (endsAtOnce) setImmediate(end);
  await showing.catch((error: unknown) => {
    if (error !== controller.signal.reason) throw error;
    shown.interrupted = true;
  });
  return shown;
}

/** The keys of the first of kitty's sequences, and what all bring. */
function fromKitty(text: string): { keys: string; data: Buffer; longest: number } {
  const parts = [...text.matchAll(/\u001b_G([^;]*);([^\u001b]*)\u001b\\/gu)];
  expect(parts.map(([all]) => all).join("")).toBe(text.trimEnd());
  expect(parts.map(([, keys = ""]) => /m=(\d)/u.exec(keys)?.[1]).join("")).toMatch(/^1*0$/u);
  return {
    keys: parts[0]?.[1] ?? "",
    data: Buffer.from(parts.map(([, , data]) => data).join(""), "base64"),
    longest: Math.max(...parts.map(([, , data = ""]) => data.length)),
  };
}

test.each<Record<string, string>>([
  { TERM: "xterm-kitty" },
  { TERM: "xterm-256color", KITTY_WINDOW_ID: "1" },
  { TERM: "xterm-ghostty" },
])("kitty's protocol: %j", async (variables) => {
  const noisy = encodePng({
    width: 60,
    height: 60,
    data: Uint8Array.from(
      { length: 14_400 },
      (_, index) => (Math.imul(index, 2_654_435_761) ^ Math.imul(index * index, 40_503)) >>> 13,
    ),
    channels: 4,
  });
  const { text, left, raw } = await show([noisy], { ...variables, NO_COLOR: "1" });
  const { keys, data, longest } = fromKitty(text);
  expect(keys).toContain("a=T,f=100,q=2");
  expect(data.equals(Buffer.from(noisy))).toBe(true);
  expect(longest).toBe(4096);
  expect({ left, raw }).toEqual({ left: 0, raw: [] });
});

test("kitty's protocol: JPEG as pixels", async () => {
  const { keys, data } = fromKitty((await show([jpeg], { TERM: "xterm-kitty" })).text);
  expect(keys).toContain("f=32,s=64,v=32,o=z");
  const pixels = inflateSync(data);
  expect(pixels).toHaveLength(64 * 32 * 4);
  expect(pixels[0]).toBeGreaterThan(200);
  expect(pixels.at(-2)).toBeGreaterThan(200);
});

test("iTerm2's protocol: the file as it is", async () => {
  const { text } = await show([jpeg], { TERM: "xterm-256color", TERM_PROGRAM: "WezTerm" });
  const [, size, data = ""] =
    /^\u001b\]1337;File=inline=1;size=(\d+):([^\u0007]*)\u0007\n$/u.exec(text) ?? [];
  expect(Number(size)).toBe(jpeg.length);
  expect(Buffer.from(data, "base64").equals(jpeg)).toBe(true);
});

/** The picture that was sent as sixels. */
function fromSixel(text: string): {
  width: number;
  height: number;
  at: (x: number, y: number) => number[];
} {
  const from = text.indexOf("\u001bP");
  const body = text.slice(text.indexOf("q", from) + 1, text.indexOf("\u001b\\", from));
  const { width, height, data32 } = decodeSixel(body);
  const at = (x: number, y: number): number[] => {
    const pixel = data32[y * width + x] ?? 0;
    return [pixel & 0xff, (pixel >> 8) & 0xff, (pixel >> 16) & 0xff];
  };
  return { width, height, at };
}

test.each([
  ["PNG", png, 20, 12],
  ["JPEG", jpeg, 64, 32],
] as const)("sixel: %s, to a terminal that says it can", async (_what, bytes, width, height) => {
  const { text, left, raw } = await show([bytes], { TERM: "xterm" }, "\u001b[?62;4;22c");
  const sent = fromSixel(text);
  expect(sent).toMatchObject({ width, height });
  const [red = 0, , noBlue = 255] = sent.at(0, 0);
  const [noRed = 255, , blue = 0] = sent.at(width - 1, height - 1);
  expect(Math.min(red, blue)).toBeGreaterThan(220);
  expect(Math.max(noBlue, noRed)).toBeLessThan(35);
  expect({ left, raw }).toEqual({ left: 0, raw: [true, false] });
});

test("sixel: no wider than the terminal", async () => {
  const wide = encodePng({ width: 900, height: 300, data: picture(900, 300), channels: 4 });
  const own = fromSixel((await show([wide], { TERM: "xterm" }, "\u001b[?4c")).text);
  expect(own).toMatchObject({ width: 640, height: 213 });
  const told = fromSixel(
    (await show([wide], { TERM: "xterm" }, "\u001b[4;600;450t\u001b[?4c")).text,
  );
  expect(told).toMatchObject({ width: 450, height: 150 });
});

test.each([
  ["another answer", { TERM: "xterm" }, "\u001b[?62;22c"],
  ["no answer", { TERM: "xterm" }, undefined],
  [
    "tmux that has none, in kitty",
    { TERM: "tmux-256color", TMUX: "/x", KITTY_WINDOW_ID: "1" },
    "\u001b[?1;2c",
  ],
])("saved: %s", async (_what, variables, answer) => {
  const { text, left, raw } = await show([png, png], variables, answer);
  expect(text).toBe("\u001b[14t\u001b[c");
  expect(left).toBe(2);
  // Who has not answered is listened to once more at the end.
  expect(raw).toEqual(answer === undefined ? [true, false, true, false] : [true, false]);
});

test.each<Record<string, string>>([
  { TERM: "dumb" },
  { TERM: "xterm-kitty", CI: "1" },
  { TERM: "linux" },
  {},
])("saved, and nobody asked: %j", async (variables) => {
  expect(await show([png], variables, "\u001b[?4c")).toMatchObject({
    text: "",
    left: 1,
    raw: [],
  });
});

function chunk(type: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]);
}

/** A PNG of a header, pixels as given, and a chunk between them. */
function craftedPng(
  width: number,
  height: number,
  pixels: Buffer,
  between = Buffer.alloc(0),
): Buffer {
  const header = Buffer.from(png.subarray(0, 33));
  header.writeUInt32BE(width, 16);
  header.writeUInt32BE(height, 20);
  const idat = chunk("IDAT", deflateSync(pixels));
  return Buffer.concat([header, between, idat, chunk("IEND", Buffer.alloc(0))]);
}

test.each([
  ["text", Buffer.from("no image")],
  ["nothing", Buffer.alloc(0)],
  ["the beginning of an image", png.subarray(0, 40)],
  ["a broken image", Buffer.concat([png.subarray(0, 60), Buffer.alloc(300, 7)])],
  ["a broken JPEG", Buffer.concat([jpeg.subarray(0, 200), Buffer.alloc(9)])],
  ["more pixels than anybody looks at", craftedPng(50_000, 50_000, Buffer.alloc(10))],
  ["no width", craftedPng(0, 10, Buffer.alloc(10))],
  ["far more pixels than its header says", craftedPng(4, 4, Buffer.alloc(100_000_000))],
  [
    "many scans",
    Buffer.concat([
      jpeg.subarray(0, -2),
      ...Array.from({ length: 200_000 }, () => Buffer.from("ffda0002", "hex")),
    ]),
  ],
])("saved: %s", async (_what, bytes) => {
  const { left } = await show([bytes], { TERM: "xterm" }, "\u001b[?4c");
  expect(left).toBe(1);
});

/** A JPEG of a few bytes whose header says this. */
function forgedJpeg(width: number, height: number): Buffer {
  const forged = Buffer.from(jpeg);
  const frame = forged.indexOf(Buffer.from("ffc0", "hex"));
  forged.writeUInt16BE(height, frame + 5);
  forged.writeUInt16BE(width, frame + 7);
  return forged;
}

test("no image, and no answer, is more than a budget", () => {
  const tall = craftedPng(1, 8193, Buffer.alloc(1));
  const wide = craftedPng(8193, 1, Buffer.alloc(1));
  const many = craftedPng(4096, 2049, Buffer.alloc(1));
  for (const bytes of [tall, wide, many, Buffer.alloc(10_000_001)]) {
    expect(createImageBudget().take(bytes)).toBeUndefined();
  }
  const budget = createImageBudget();
  const whole = forgedJpeg(4096, 2048);
  const taken = Array.from({ length: 20 }, () => budget.take(whole));
  expect(taken.filter((header) => header !== undefined)).toHaveLength(4);
  const small = createImageBudget();
  const tried = Array.from({ length: 50 }, () => small.take(png));
  expect(tried.filter((header) => header !== undefined)).toHaveLength(20);
  expect([small.write(19_999_999), small.write(2), small.write(1), small.write(1)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

test("what cannot be drawn in time is saved, with all that come after it", async () => {
  const slow = Array.from({ length: 3 }, () => forgedJpeg(4096, 2048));
  const { left, text } = await show([...slow, jpeg], { TERM: "xterm-kitty" }, undefined, {
    limitMs: 1,
  });
  expect({ left, text }).toEqual({ left: 4, text: "" });
});

test("Ctrl-C ends the decoding, and what was not drawn is saved", async () => {
  const slow = Array.from({ length: 4 }, () => forgedJpeg(4096, 2048));
  const { left, interrupted } = await show(slow, { TERM: "xterm-kitty" }, undefined, {
    endsAtOnce: true,
  });
  expect({ left, interrupted }).toEqual({ left: 4, interrupted: true });
});

test("a GIF is for iTerm2 alone", async () => {
  const gif = Buffer.concat([Buffer.from("GIF89a"), Buffer.from("01000100000000", "hex")]);
  expect((await show([gif], { TERM: "xterm-kitty" })).left).toBe(1);
  expect((await show([gif], { TERM: "xterm" }, "\u001b[?4c")).left).toBe(1);
  expect((await show([gif], { TERM: "xterm", TERM_PROGRAM: "iTerm.app" })).left).toBe(0);
});

test("sixel: no more than four screens high", async () => {
  const tall = encodePng({ width: 100, height: 900, data: picture(100, 900), channels: 4 });
  const answer = "\u001b[4;150;450t\u001b[?4c";
  const sent = fromSixel((await show([tall], { TERM: "xterm" }, answer)).text);
  expect(sent).toMatchObject({ width: 67, height: 600 });
});

test("who types ahead is not asked", async () => {
  const { text, left } = await show([png], { TERM: "xterm" }, "\u001b[?4c", { typed: "ls\r" });
  expect({ text, left }).toEqual({ text: "", left: 1 });
});

test("Ctrl-C is heard while the terminal is asked", async () => {
  const asked = await show([png, png], { TERM: "xterm" }, "\u0003");
  expect(asked).toMatchObject({ left: 2, interrupted: true, text: "\u001b[14t\u001b[c" });
  const before = await show([png], { TERM: "xterm" }, undefined, { typed: "\u0003" });
  expect(before).toMatchObject({ left: 1, interrupted: true, text: "" });
});
