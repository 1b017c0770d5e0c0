import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { createProcessIo } from "../../src/cli/io.ts";
import type { ProcessStreams } from "../../src/cli/io.ts";
import { KnownSecrets } from "../../src/cli/known-secrets.ts";

interface FakeStream extends Writable {
  isTTY?: boolean;
  columns?: number;
  text: string;
}

function fakeStream(terminal: boolean): FakeStream {
  const stream: FakeStream = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        stream.text += chunk.toString();
        done();
      },
    }),
    { text: "", ...(terminal ? { isTTY: true, columns: 100 } : {}) },
  );
  return stream;
}

function fakeStreams(terminal: boolean) {
  const stdin = Object.assign(new PassThrough(), { fd: 0 as const });
  const stdout = fakeStream(terminal);
  const stderr = fakeStream(terminal);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a terminal has a hundred members that io does not use
  const streams = { stdin, stdout, stderr } as unknown as ProcessStreams;
  return { streams, stdin, stdout, stderr };
}

const defaults = { quiet: false, plainOutput: false, secrets: new KnownSecrets() };
const hostile = "a\u001b[31mb\u202Ec\td\ne";

describe("on a terminal", () => {
  it("escapes what others wrote, and notes", () => {
    const { streams, stderr } = fakeStreams(true);
    const io = createProcessIo(streams, defaults);
    expect(io.foreign(hostile)).toBe("a\\x1b[31mb\\u202ec\td\ne");
    io.note("Using \u001b[2J");
    expect(stderr.text).toBe("Using \\x1b[2J\n");
    expect(io).toMatchObject({ spinners: true, columns: 100 });
  });

  it.each([
    ["CI, NO_COLOR or TERM=dumb", { ...defaults, plainOutput: true }],
    ["--quiet", { ...defaults, quiet: true }],
  ])("moves nothing with %s", (_name, options) => {
    const { streams, stderr } = fakeStreams(true);
    const io = createProcessIo(streams, options);
    expect(io.spinners).toBe(false);
    const spinner = io.spin("working");
    spinner.update("still");
    spinner.stop();
    expect(stderr.text).toBe("");
  });
});

it("moves nothing on a terminal without a width", () => {
  const { streams, stdout, stderr } = fakeStreams(true);
  stdout.columns = 0;
  stderr.columns = 0;
  expect(createProcessIo(streams, defaults)).toMatchObject({ spinners: false, columns: 80 });
});

describe("in a pipe", () => {
  it("hands bytes on as they are", async () => {
    const { streams, stdout } = fakeStreams(false);
    const io = createProcessIo(streams, defaults);
    await io.out(io.foreign(hostile));
    expect(stdout.text).toBe(hostile);
    expect(io).toMatchObject({ spinners: false, columns: 80 });
  });

  it("fails a write nobody reads", async () => {
    const { streams, stdout } = fakeStreams(false);
    stdout.on("error", () => undefined);
    stdout.destroy(Object.assign(new Error("gone"), { code: "EPIPE" }));
    await expect(createProcessIo(streams, defaults).out("x")).rejects.toThrow("destroyed");
  });
});

it("keeps notes for itself with --quiet, except those that must be said", () => {
  const { streams, stderr } = fakeStreams(false);
  const io = createProcessIo(streams, { ...defaults, quiet: true });
  io.note("nice to know");
  io.note("must be known", { always: true });
  expect(stderr.text).toBe("must be known\n");
});

it("says a note once, however often a command comes by, and what must be said each time", () => {
  const { streams, stderr } = fakeStreams(false);
  const io = createProcessIo(streams, defaults);
  for (const line of ["Using it", "Using it", "another"]) io.note(line);
  for (const line of ["a log line", "a log line"]) io.note(line, { always: true });
  expect(stderr.text).toBe("Using it\nanother\na log line\na log line\n");
});

it("lets go of stdin only where a command has used it", () => {
  const unused = fakeStreams(false);
  createProcessIo(unused.streams, defaults).close();
  expect(unused.stdin.destroyed).toBe(false);
  const used = fakeStreams(false);
  const io = createProcessIo(used.streams, defaults);
  expect(io.stdin.fd).toBe(0);
  io.close();
  expect(used.stdin.destroyed).toBe(true);
});

describe("a bearer that the command knows", () => {
  it("is masked in notes and results, but not in what was asked for as it is", async () => {
    const { streams, stdout, stderr } = fakeStreams(false);
    const secrets = new KnownSecrets();
    const io = createProcessIo(streams, { ...defaults, secrets });
    // Learnt later than the streams were opened, as from stdin.
    secrets.add("od_sec/ret");
    io.note("bad token od_sec/ret, od_sec%2Fret");
    expect(stderr.text).toBe("bad token ****, ****\n");
    await io.out("user  od_sec/ret\n");
    await io.out("od_sec/ret\n", { exact: true });
    await io.out(Buffer.from("od_sec/ret\n"));
    expect(stdout.text).toBe("user  ****\nod_sec/ret\nod_sec/ret\n");
  });
});

it("repeats --config-dir in the commands that notes suggest", () => {
  const { streams, stderr } = fakeStreams(false);
  createProcessIo(streams, { ...defaults, folder: "/a b" }).note("hint: agent auth login --url x");
  expect(stderr.text).toBe("hint: agent auth login -d '/a b' --url x\n");
});
