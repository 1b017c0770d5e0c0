import { EventEmitter, once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEverything } from "../client/support/everything-server.ts";
import type { EverythingServer } from "../client/support/everything-server.ts";
import { sendJson, startFakeServer } from "../client/support/fake-server.ts";
import { startLegacyServer } from "../client/support/legacy-server.ts";
import { errorLine, startSignedInGateway } from "./run-bench.ts";
import type { SignedInGateway } from "./run-bench.ts";
import { startAgent } from "./support/agent.ts";

let up: SignedInGateway;
beforeAll(async () => {
  up = await startSignedInGateway();
});
afterAll(async () => {
  await up.stop();
});

describe("arguments", () => {
  test.each([
    ["key=value", ["everything/echo", "message=hello"], "Echo: hello\n"],
    [
      "typed by the schema",
      ["everything/get-sum", "a=1", "b=2.5"],
      "The sum of 1 and 2.5 is 3.5.\n",
    ],
    ["key:=<json>", ["everything/get-sum", "a:=1", "b:=2"], "The sum of 1 and 2 is 3.\n"],
    ["text that looks like a number", ["everything/echo", "message=007"], "Echo: 007\n"],
    ["--args", ["everything/echo", "--args", '{"message": "hi"}'], "Echo: hi\n"],
    ["--args @file", ["everything/echo", "--args", "@args.json"], "Echo: from a file\n"],
  ])("%s", async (_what, args, expected) => {
    writeFileSync(join(up.home.folder, "args.json"), '{"message": "from a file"}');
    expect(await up.agent(["run", ...args])).toMatchObject({ code: 0, stdout: expected });
  });

  test.each([
    ["a JSON object", '{"message": "object"}', "Echo: object\n"],
    ["text", "some text\n", "Echo: some text\n"],
    ["a BOM before JSON", '\ufeff{"message": "bom"}', "Echo: bom\n"],
  ])("piped: %s", async (_what, text, expected) => {
    expect(await up.agent(["run", "everything/echo"], { stdin: { text } })).toMatchObject({
      code: 0,
      stdout: expected,
    });
  });

  test("--args - reads the pipe", async () => {
    const stdin = { text: '{"message": "dash"}' };
    expect(await up.agent(["run", "everything/echo", "--args", "-"], { stdin })).toMatchObject({
      code: 0,
      stdout: "Echo: dash\n",
    });
  });

  test("an empty pipe is no arguments", async () => {
    const result = await up.agent(["run", "everything/echo", "--json", "-q"], {
      stdin: { text: "" },
    });
    expect(result.code).toBe(2);
    expect(errorLine(result)).toMatchObject({
      error: { code: "usage", message: expect.stringContaining('"message" is missing') },
    });
  });

  test("a pipe that stays open and silent: a read tool is called without", async () => {
    const result = await up.agent(["run", "everything/get-tiny-image", "--raw"], {
      stdin: "open",
    });
    expect(result.code).toBe(0);
    expect(result.stderr).toContain("stdin is silent: called without arguments");
    expect(result.stdout).toContain("Here's the image you requested");
  });

  test("a pipe that stays open and silent: anything else waits, and then says what to do", async () => {
    const args = ["run", "everything/echo", "--timeout", "1.5"];
    const result = await up.agent(args, { stdin: "open" });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("Waiting for the arguments on stdin");
    expect(result.stderr).toMatch(/stayed silent for 1\.5 s\nhint: .*<\/dev\/null/u);
  });

  test("an open pipe is not waited for where arguments are given", async () => {
    const result = await up.agent(["run", "everything/echo", "message=x"], { stdin: "open" });
    expect(result).toMatchObject({ code: 0, stdout: "Echo: x\n" });
  });
});

describe("bad input", () => {
  test.each([
    [["evrything/echo"], 2, "not_found", "Did you mean everything?"],
    [["everything/ecko"], 2, "not_found", "Did you mean everything/echo?"],
    [["down/anything"], 3, "upstream_unavailable", "agent inspect down"],
    [["everything"], 2, "usage", "agent inspect everything"],
    [["everything/get-sum", "a=1"], 2, "usage", "agent inspect everything/get-sum"],
    [["everything/get-sum", "a=1", "b=x"], 2, "usage", "agent inspect everything/get-sum"],
    [["everything/echo", "message"], 2, "usage", "key=value, or key:=<json>"],
    [
      ["everything/echo", "--args", "{"],
      2,
      "usage",
      expect.stringContaining("Arguments are an object"),
    ],
    [
      ["everything/echo", "message:=x"],
      2,
      "usage",
      expect.stringContaining("Behind := stands JSON"),
    ],
    [[], 2, "usage", "agent run --help"],
  ])("%j", async (args, exitCode, code, hint) => {
    const result = await up.agent(["run", ...args, "--json", "-q"]);
    expect(result).toMatchObject({ code: exitCode, stdout: "" });
    const said = { code, message: expect.any(String) };
    expect(errorLine(result)).toEqual({ error: { ...said, hint } });
  });

  test("an error of the tool: its words on stdout, 5", async () => {
    const args = ["run", "everything/get-resource-reference", "resourceType=Text", "resourceId=-1"];
    const result = await up.agent([...args, "-q"]);
    expect(result.code).toBe(5);
    expect(result.stdout).not.toBe("");
    expect(result.stderr).toBe("agent: everything/get-resource-reference reported an error\n");
  });
});

describe("the answer", () => {
  test("whole as JSON", async () => {
    const { stdout } = await up.agent([
      "run",
      "everything/get-structured-content",
      "location=Chicago",
      "--json",
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      content: [{ type: "text" }],
      structuredContent: { temperature: expect.any(Number) },
    });
  });

  test("an image, into a file or a folder that is named", async () => {
    const chosen = await up.agent(["run", "everything/get-tiny-image", "--output", "logo.png"]);
    expect(chosen.code).toBe(0);
    const png = Buffer.from("\u0089PNG", "latin1");
    expect(readFileSync(join(up.home.folder, "logo.png")).subarray(0, 4)).toEqual(png);
    const kept = await up.agent(["run", "everything/get-tiny-image", "-q"], {
      env: { TMPDIR: up.home.folder },
    });
    const path = /image\/png, .*: (\S+) \(--output/u.exec(kept.stderr)?.[1] ?? "";
    expect(readFileSync(path).subarray(0, 4)).toEqual(png);
  });

  test.each([
    ["run everything/get-env --json | head -1", "{\n"],
    ["run everything/get-env | true", ""],
  ])("a reader who leaves is no failure: %s", async (line, expected) => {
    const { codes, stdout, stderr } = await up.bash(`agent -q ${line}`);
    expect(stdout).toBe(expected);
    expect(stderr).toBe("");
    expect(codes).toEqual([0, 0]);
  });
});

describe("time", () => {
  const long = ["run", "everything/trigger-long-running-operation"];

  test("progress extends the deadline; silence does not", async () => {
    const going = await up.agent([...long, "duration=1.5", "steps=10", "--timeout", "1"]);
    expect(going).toMatchObject({ code: 0, stdout: expect.stringContaining("completed") });
    const silent = await up.agent([
      ...long,
      "duration=20",
      "steps=1",
      "--timeout",
      "0.5",
      "--json",
      "-q",
    ]);
    expect(silent.code).toBe(3);
    expect(errorLine(silent)).toMatchObject({ error: { code: "timeout" } });
  });

  test("Ctrl-C ends it with 130, and hangs up, which cancels the call upstream", async () => {
    const called = new EventEmitter();
    const gateway = await startFakeServer((request, response) => {
      if (request.path === "/status") sendJson(response, 200, { name: "onedoor" });
      else called.emit("call", request);
    });
    try {
      const underWay = once(called, "call");
      const args = ["run", "--url", gateway.url, "slow/work", "--token", "any", "--json", "-q"];
      const agent = startAgent(args, { home: up.home });
      await underWay;
      agent.process.kill("SIGINT");
      expect(await agent.ended).toMatchObject({ code: 130, stdout: "", stderr: "" });
      await gateway.requests.at(-1)?.hungUp;
    } finally {
      await gateway.close();
    }
  });
});

describe("a server that is no OneDoor gateway", () => {
  let everything: EverythingServer;
  beforeAll(async () => {
    everything = await startEverything();
  });
  afterAll(async () => {
    await everything.close();
  });

  test.each([
    ["a tool's own name", "echo"],
    ["the server's name before it", "mcp-servers/everything/echo"],
  ])("is called by %s", async (_what, target) => {
    const result = await up.agent(["run", "--url", everything.url, target, "message=hello"]);
    expect(result).toMatchObject({ code: 0, stdout: "Echo: hello\n" });
  });

  test("checks arguments before the call, and suggests", async () => {
    const wrong = await up.agent([
      "run",
      "--url",
      everything.url,
      "get-sum",
      "a=1",
      "--json",
      "-q",
    ]);
    expect(wrong.code).toBe(2);
    expect(errorLine(wrong)).toMatchObject({
      error: { code: "usage", message: expect.stringContaining('"b" is missing') },
    });
    const unknown = await up.agent(["run", "--url", everything.url, "ecko", "--json", "-q"]);
    expect(unknown.code).toBe(2);
    expect(errorLine(unknown)).toMatchObject({ error: { hint: "Did you mean echo?" } });
  });

  test("is told that nobody can be asked", async () => {
    const result = await up.agent(["run", "--url", everything.url, "trigger-elicitation-request"]);
    expect(result).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("declined"),
      stderr: expect.stringContaining("Declined: there is no terminal to answer on"),
    });
  });

  test("hears of Ctrl-C", async () => {
    const called = new EventEmitter();
    const server = await startLegacyServer({ onCall: () => called.emit("call") });
    try {
      const underWay = once(called, "call");
      const args = ["run", "--url", `${server.url}/mcp`, "work", "--json", "-q"];
      const agent = startAgent(args, { home: up.home });
      await underWay;
      agent.process.kill("SIGINT");
      expect(await agent.ended).toMatchObject({ code: 130, stdout: "", stderr: "" });
      const methods = server.requests.map(({ body }) => /"method":"([^"]+)"/u.exec(body)?.[1]);
      expect(methods).toContain("notifications/cancelled");
    } finally {
      await server.close();
    }
  });
});
