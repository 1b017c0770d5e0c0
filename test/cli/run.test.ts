import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createRun } from "../../src/cli/commands/run.ts";
import { AppError } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { Bench, pipeOf } from "./calling/bench.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "onedoor-run-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

interface Given {
  target?: string;
  arguments?: readonly string[];
  args?: string;
  raw?: boolean;
  output?: string;
  format?: "text" | "json" | "compact" | "toon";
  maxChars?: number;
  timeoutMs?: number;
  url?: string;
}

function run(bench: Bench, given: Given = {}): Promise<number | void> {
  const defaults = { target: "everything/echo", arguments: [], raw: false };
  return bench.run(createRun(bench.source), { ...defaults, ...given });
}

function answering(result: JsonObject): Bench {
  const bench = new Bench();
  bench.answer = () => Promise.resolve(result);
  return bench;
}

const base64 = Buffer.from("PNG\u0000").toString("base64");
const image = { type: "image", data: base64, mimeType: "image/png" };

test("calls the tool with what was given, and prints its text", async () => {
  const bench = new Bench();
  await run(bench, { arguments: ["a=1", "b:=[2]"], args: '{"b": 0, "c": 3}' });
  expect(bench.calls).toMatchObject([
    {
      server: "everything",
      tool: "echo",
      call: { arguments: { b: [2], c: 3 }, untyped: { a: "1" }, timeoutMs: 120_000 },
    },
  ]);
  expect(bench).toMatchObject({ stdout: "done\n", closed: 1, notes: [] });
});

test("says what the call belongs to, and who calls", async () => {
  const bench = new Bench();
  bench.project = { project: "shop" };
  bench.variables = { ONEDOOR_CLIENT_NAME: "ci", ONEDOOR_SESSION_ID: "s1" };
  await run(bench);
  expect(bench.connected).toMatchObject([{ projectId: "shop", clientName: "ci", sessionId: "s1" }]);
});

test.each([
  ["a JSON object", '\ufeff {"message": "hi"}\n', { arguments: { message: "hi" } }],
  ["a line", "hello\r\n", { arguments: {}, text: "hello" }],
  ["lines", "a\nb\n", { arguments: {}, text: "a\nb\n" }],
  ["JSON that is no object", "[1]", { arguments: {}, text: "[1]" }],
  ["broken JSON", '{"a":', { arguments: {}, text: '{"a":' }],
  ["nothing", "", { arguments: {} }],
  ["white space", " \n", { arguments: {} }],
])("piped: %s", async (_what, text, expected) => {
  const bench = new Bench();
  bench.stdin = pipeOf(text);
  await run(bench);
  const call = bench.calls[0]?.call;
  expect({
    arguments: call?.arguments,
    ...(call?.text !== undefined && { text: call.text }),
  }).toEqual(expected);
});

test("stdin is not read where arguments are given, or where it is /dev/null", async () => {
  for (const given of [{ arguments: ["message=x"] }, { args: "{}" }]) {
    const bench = new Bench();
    bench.stdin = new PassThrough();
    await run(bench, given);
    expect(bench.stdout).toBe("done\n");
    expect(bench.stdin.listenerCount("data")).toBe(0);
  }
  const bench = new Bench();
  await run(bench);
  expect(bench.calls).toHaveLength(1);
});

test("--args - reads stdin, which must be a JSON object then", async () => {
  const bench = new Bench();
  bench.stdin = pipeOf('{"message": "hi"}');
  await run(bench, { args: "-", arguments: ["extra=1"] });
  expect(bench.calls[0]?.call).toMatchObject({
    arguments: { message: "hi" },
    untyped: { extra: "1" },
  });
  bench.stdin = pipeOf("text");
  await expect(run(bench, { args: "-" })).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining("stdin is not valid JSON"),
  });
});

test("a silent pipe: a read tool that needs nothing is called, with a note", async () => {
  const bench = new Bench();
  bench.stdin = new PassThrough();
  bench.tools = [{ name: "echo", inputSchema: {}, annotations: { readOnlyHint: true } }];
  await run(bench);
  expect(bench.stdout).toBe("done\n");
  expect(bench.notes).toEqual([
    expect.stringContaining("stdin is silent: called without arguments"),
  ]);
});

test.each([
  ["needs an argument", { inputSchema: { required: ["a"] }, annotations: { readOnlyHint: true } }],
  ["may write", { inputSchema: {} }],
  ["may destroy", { inputSchema: {}, annotations: { readOnlyHint: true, destructiveHint: true } }],
])("a silent pipe: a tool that %s waits for it, up to the limit", async (_what, tool) => {
  const bench = new Bench();
  bench.stdin = new PassThrough();
  bench.tools = [{ name: "echo", ...tool }];
  await expect(run(bench, { timeoutMs: 1200 })).rejects.toMatchObject({
    code: "usage",
    hint: expect.stringContaining("</dev/null"),
  });
  expect(bench.notes).toEqual([expect.stringContaining("Waiting for the arguments on stdin")]);
  expect(bench.calls).toEqual([]);
});

test("what is wrong with the command line is said before anybody is asked", async () => {
  const bench = new Bench();
  for (const given of [
    { args: "{" },
    { arguments: ["word"] },
    { output: join(folder, "no", "file") },
    { output: folder },
  ]) {
    await expect(run(bench, given)).rejects.toMatchObject({ code: "usage" });
  }
  expect(bench.connected).toEqual([]);
});

test("a server is no tool", async () => {
  const bench = new Bench();
  await expect(
    run(bench, { target: "every thing/", url: "http://localhost:1" }),
  ).rejects.toMatchObject({
    code: "usage",
    message: "'every thing' names no tool: a tool is <server>/<tool>",
    hint: "agent inspect --url http://localhost:1",
  });
});

test.each([
  ["echo", "Did you mean everything/echo?"],
  ["everything__echo", "Did you mean everything/echo?"],
  ["everything", "agent inspect everything"],
  ["nothing", "agent inspect"],
])("a word that is no <server>/<tool>, %s: the tools it may mean", async (target, hint) => {
  const bench = new Bench();
  await expect(run(bench, { target })).rejects.toMatchObject({ code: "usage", hint });
  expect(bench.calls).toEqual([]);
});

test("wrong arguments get the way to the tool's page, where there is no better word", async () => {
  const bench = new Bench();
  bench.answer = () => Promise.reject(new AppError("usage", 'Argument "a" must be a number'));
  await expect(run(bench)).rejects.toMatchObject({
    code: "usage",
    message: 'Argument "a" must be a number',
    hint: "agent inspect everything/echo",
  });
});

test("a refused credential names the server that was asked for", async () => {
  const bench = new Bench();
  bench.answer = () =>
    Promise.reject(new AppError("auth_rejected", "rejected", { hint: "agent auth login" }));
  await expect(run(bench, { url: "http://localhost:1" })).rejects.toMatchObject({
    code: "auth_rejected",
    hint: "agent auth login --url http://localhost:1",
  });
  expect(bench.closed).toBe(1);
});

test("an error of the tool is printed and is a failure", async () => {
  const bench = answering({ isError: true, content: [{ type: "text", text: "no such file" }] });
  await expect(run(bench)).rejects.toMatchObject({
    code: "tool_error",
    message: "everything/echo reported an error",
  });
  expect(bench.stdout).toBe("no such file\n");
});

test("--json is the result as it came", async () => {
  const result = { content: [image], structuredContent: { a: 1 }, "x-unknown": [true] };
  const bench = answering(result);
  await run(bench, { format: "json" });
  expect(JSON.parse(bench.stdout)).toEqual(result);
});

test("--raw is the answer's own bytes", async () => {
  const bench = answering({
    content: [{ type: "text", text: "a\u001b" }, image, { type: "text", text: "b" }],
  });
  await run(bench, { raw: true });
  expect(bench.stdout).toBe("a\u001bPNG\u0000b");
});

test("--raw never puts binary onto a terminal", async () => {
  vi.stubEnv("TMPDIR", folder);
  const bench = answering({ content: [{ type: "text", text: "a" }, image] });
  bench.terminal = true;
  await run(bench, { raw: true });
  expect(bench.stdout).toBe("a");
  expect(bench.notes).toEqual([expect.stringContaining("image/png, 4 bytes: ")]);
});

test("an image nobody made room for is kept, and where is said", async () => {
  vi.stubEnv("TMPDIR", folder);
  const bench = answering({ content: [image, { ...image, mimeType: "../../etc/passwd" }] });
  await run(bench);
  const [made] = readdirSync(folder);
  const kept = join(folder, made ?? "");
  expect(readdirSync(kept).toSorted()).toEqual(["answer-1.png", "answer-2.bin"]);
  expect(readFileSync(join(kept, "answer-1.png"), "utf8")).toBe("PNG\u0000");
  expect(bench.notes[0]).toBe(
    `image/png, 4 bytes: ${join(kept, "answer-1.png")} (--output <file> chooses where)`,
  );
});

test("--output keeps images, numbered from the second one, over what was there", async () => {
  const file = join(folder, "logo.png");
  writeFileSync(file, "old");
  const bench = answering({ content: [{ type: "text", text: "two" }, image, image] });
  await run(bench, { output: file });
  expect(bench.stdout).toBe("two\n");
  expect(readdirSync(folder).toSorted()).toEqual(["logo-2.png", "logo.png"]);
  expect(readFileSync(file, "utf8")).toBe("PNG\u0000");
});

test("--output without anything to keep is said, and writes nothing", async () => {
  const bench = new Bench();
  await run(bench, { output: join(folder, "logo.png") });
  expect(bench.stdout).toBe("done\n");
  expect(bench.notes).toEqual([expect.stringContaining("no file was written")]);
  expect(readdirSync(folder)).toEqual([]);
});

test("an answer that cannot be kept where it should be goes to stdout whole", async () => {
  const result = { content: [image] };
  const bench = answering(result);
  const file = join(folder, "logo.png");
  bench.answer = () => {
    // The place is gone by the time the answer comes.
    rmSync(folder, { recursive: true });
    return Promise.resolve(result);
  };
  await expect(run(bench, { output: file })).rejects.toThrow("ENOENT");
  expect(JSON.parse(bench.stdout)).toEqual(result);
  folder = mkdtempSync(join(tmpdir(), "onedoor-run-"));
});

test("foreign text is escaped on a terminal, and as it is in a pipe", async () => {
  const bench = answering({ content: [{ type: "text", text: "a\u001b[2J\nb\u202e\n" }] });
  await run(bench);
  expect(bench.stdout).toBe("a\u001b[2J\nb\u202e\n");
  bench.stdout = "";
  bench.terminal = true;
  bench.stdin = undefined;
  await run(bench);
  expect(bench.stdout).toBe(`${String.raw`a\x1b[2J`}\n${String.raw`b\u202e`}\n`);
});

test("nothing is said to be nothing", async () => {
  const bench = answering({ content: [] });
  await run(bench);
  expect(bench).toMatchObject({ stdout: "", notes: ["The tool answered with nothing"] });
});

test("progress moves the bar; a question is put on a terminal", async () => {
  const bench = new Bench();
  bench.terminal = true;
  bench.stdin = Object.assign(pipeOf("yes\nAda\n"), { fd: -1 });
  bench.answer = async (call) => {
    call.onProgress?.({ progress: 1, total: 2 });
    const requestedSchema = { properties: { name: { type: "string" } } };
    const answer = await call.onElicitation?.({ message: "Name?", requestedSchema });
    return { content: [{ type: "text", text: JSON.stringify(answer) }] };
  };
  await run(bench);
  expect(bench.spun).toContain("everything/echo [##########----------] 50 %");
  expect(bench.notes[0]).toBe("everything/echo asks: Name?");
  expect(JSON.parse(bench.stdout)).toEqual({ action: "accept", content: { name: "Ada" } });
});

test("without a terminal what a tool asks is declined, with a note", async () => {
  const bench = new Bench();
  bench.answer = async (call) => {
    const answer = await call.onElicitation?.({ message: "Delete\nall?", requestedSchema: {} });
    return { content: [{ type: "text", text: JSON.stringify(answer) }] };
  };
  await run(bench);
  expect(JSON.parse(bench.stdout)).toEqual({ action: "decline" });
  expect(bench.notes).toEqual([
    "everything/echo asks: Delete all?\nDeclined: there is no terminal to answer on",
  ]);
});

/** Never answers. */
function hang({ signal }: { signal: AbortSignal }): Promise<JsonObject> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => {
      reject(signal.reason);
    });
  });
}

test("silence ends at the limit, an interruption at once", async () => {
  const bench = new Bench();
  bench.answer = hang;
  await expect(run(bench, { timeoutMs: 20 })).rejects.toMatchObject({ code: "timeout" });
  const interruption = new Error("interrupted");
  bench.answer = (call) => {
    setImmediate(() => {
      bench.interruption.abort(interruption);
    });
    return hang(call);
  };
  await expect(run(bench)).rejects.toBe(interruption);
});

test.each([
  [{ format: "compact" }, /^\{"a":1\}\nlog\n\nend\n\[image\/png 4 bytes\]\n$/u, 0],
  [{ format: "toon" }, /^a: 1\nlog {2}\n{4}end\n$/u, 1],
  [
    { format: "compact", maxChars: 10 },
    /^\{"a":1\}\nlo\n… \(cut: 10 of \d+ characters shown; .*\)\n$/u,
    0,
  ],
  [{ maxChars: 4 }, /^\{ "a\n… \(cut: 4 of \d+ characters shown; .*\)\n$/u, 1],
] as const)("%j", async (given, stdout, saved) => {
  const texts = ['{ "a": 1 }', "log  \n\n\n\nend"].map((text) => ({ type: "text", text }));
  const bench = answering({ content: [...texts, image] });
  vi.stubEnv("TMPDIR", folder);
  await run(bench, given);
  expect(bench.stdout).toMatch(stdout);
  expect(readdirSync(folder)).toHaveLength(saved);
});

test("compact keeps images where --output says so", async () => {
  const output = join(folder, "a.png");
  const bench = answering({ content: [image] });
  await run(bench, { format: "compact", output });
  expect(bench.stdout).toBe("[image/png 4 bytes]\n");
  expect(readFileSync(output, "latin1")).toBe("PNG\u0000");
});

test.each([
  [{ maxChars: 10, format: "json" }, "--max-chars does not go with --json"],
  [{ maxChars: 10, raw: true }, "--max-chars does not go with --raw"],
  [{ maxChars: 0 }, "--max-chars must be a whole number from 1"],
  [{ maxChars: 1.5 }, "--max-chars must be a whole number from 1"],
] as const)("nobody is asked: %j", async (given, message) => {
  const bench = new Bench();
  await expect(run(bench, given)).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining(message),
  });
  expect(bench.calls).toEqual([]);
});

test("what a project's .onedoorrc leaves out: the hint names the way to all servers", async () => {
  const bench = new Bench();
  bench.project = { file: "/srv/.onedoorrc", preset: "dev" };
  const message = 'Tool "echo" is not among what was chosen';
  bench.answer = () => Promise.reject(new AppError("not_found", message, { hint: "other" }));
  await expect(run(bench, { target: "everything/echo" })).rejects.toMatchObject({
    code: "not_found",
    message: "everything/echo is not among what was chosen",
    hint: "/srv/.onedoorrc chooses preset dev; --all-servers asks all of them",
  });
});
