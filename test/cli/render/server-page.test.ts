import { expect, test } from "vitest";
import { serverPageJson, serverPageText } from "../../../src/cli/render/server-page.ts";
import type { ServerPage } from "../../../src/client/tool-server.ts";

const server: ServerPage = {
  name: "one",
  state: "ready",
  toolCount: 2,
  tags: [],
  tools: [],
  stderrTail: [],
};
const page = { entries: [], left: 0 };
const pipe = { foreign: (text: string) => text, stdoutIsTerminal: false, columns: 80 };
const shown = (more: Partial<ServerPage>, io = pipe): string =>
  serverPageText({ ...server, ...more }, page, undefined, io);

test("tools are counted as people count", () => {
  expect([0, 1, 2].map((toolCount) => shown({ toolCount }))).toEqual([
    "one: ready, 0 tools\n",
    "one: ready, 1 tool\n",
    "one: ready, 2 tools\n",
  ]);
});

test("instructions are cut with a note, from whomever they come", () => {
  const instructions = "z".repeat(5_000_000);
  expect(serverPageJson({ ...server, instructions }, page, undefined)).toMatchObject({
    instructions: `${"z".repeat(4_000)}\n… (cut)`,
  });
  const text = shown({ instructions });
  expect(text).toContain("| … (cut)\n");
  expect(text.length).toBeLessThan(5_000);
});

test("a server that is down: the reason, what it said last once, and what it repeats once", () => {
  const stderrTail = [..."started,fatal: no key,".repeat(4).split(","), "  "];
  expect(shown({ state: "unavailable", reason: "it ended with exit code 1", stderrTail })).toBe(
    [
      "one: unavailable",
      "Reason: it ended with exit code 1",
      "",
      "Last lines of its stderr:",
      "| started",
      "| fatal: no key",
      "(the same 2 lines 4 times)",
      "|",
      "",
    ].join("\n"),
  );
});

test("of its stderr the last ten lines are shown", () => {
  const stderrTail = Array.from({ length: 30 }, (_none, index) => `line ${index}`);
  const text = shown({ stderrTail: [...stderrTail, "end", "end"] });
  expect(text).toContain(
    `:\n${stderrTail
      .slice(-9)
      .map((line) => `| ${line}\n`)
      .join("")}| end\n(the same line 2 times)\n`,
  );
  expect(text).not.toContain("line 20\n");
});

test("on a terminal its words are broken between words, and indented; in a pipe they are whole", () => {
  const description = "Reads the beginning of a file and says how long it is, in bytes";
  const tools = [{ name: "head", description, inputSchema: { type: "object" } }];
  const terminal = { ...pipe, stdoutIsTerminal: true, columns: 40 };
  const whole = { entries: tools, left: 0 };
  expect(serverPageText({ ...server, tools }, whole, "one", terminal)).toContain(
    "\n    Reads the beginning of a file and\n    says how long it is, in bytes\n",
  );
  expect(serverPageText({ ...server, tools }, whole, "one", pipe)).toContain(
    `    ${description}\n`,
  );
  expect(shown({ instructions: `First.\n  - ${"word ".repeat(10)}` }, terminal)).toContain(
    "| First.\n|   - word word word word word word word\n|   word word word\n",
  );
});
