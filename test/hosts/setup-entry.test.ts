import { expect, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { instructionText } from "../../src/hosts/instruction-file.ts";
import { isInstalled, proxyCommand, startsOurProxy } from "../../src/hosts/setup-entry.ts";

const program = { node: "/usr/bin/node", script: "/opt/onedoor/dist/main.js" };

test("a user's entry starts this program by its path, a project's npx, on Windows through its shell", () => {
  expect(proxyCommand(program, ["--preset=dev"], "linux")).toEqual({
    command: "/usr/bin/node",
    args: ["/opt/onedoor/dist/main.js", "proxy", "--preset=dev"],
  });
  expect(proxyCommand(undefined, [], "darwin")).toEqual({
    command: "npx",
    args: ["-y", "@onedoor/agent", "proxy"],
  });
  expect(proxyCommand(undefined, [], "win32")).toEqual({
    command: "cmd",
    args: ["/c", "npx", "-y", "@onedoor/agent", "proxy"],
  });
});

test("what was fetched for one run alone is not installed", () => {
  const scripts: [string, boolean][] = [
    ["/usr/lib/node_modules/@onedoor/agent/dist/main.js", true],
    ["/home/ann/src/onedoor/dist/main.js", true],
    ["/home/ann/.npm/_npx/1a2b/node_modules/@onedoor/agent/dist/main.js", false],
    [
      String.raw`C:\Users\ann\AppData\Local\npm-cache\_npx\1a\node_modules\@onedoor\agent\dist\main.js`,
      false,
    ],
    ["/home/ann/.cache/pnpm/dlx/1a/node_modules/@onedoor/agent/dist/main.js", false],
  ];
  for (const [script, expected] of scripts) {
    expect([script, isInstalled({ ...program, script })]).toEqual([script, expected]);
  }
});

test.each<[boolean, JsonObject]>([
  [true, { command: "npx", args: ["-y", "@onedoor/agent", "proxy"] }],
  [
    true,
    { command: "npx", args: ["--yes", "@onedoor/agent@1.2.3", "proxy", "--url=https://a.example"] },
  ],
  [true, { command: "cmd", args: ["/c", "npx", "-y", "@onedoor/agent", "proxy"] }],
  [true, { command: "agent", args: ["proxy"] }],
  [true, { command: String.raw`C:\Program Files\nodejs\onedoor.cmd`, args: ["proxy"], env: {} }],
  [true, { command: "/usr/bin/node", args: ["/opt/onedoor/dist/main.js", "proxy"] }],
  [true, { command: "C:\\node.exe", args: [String.raw`D:\onedoor\dist\main.js`, "proxy"] }],
  [false, { command: "agent", args: ["serve"] }],
  [false, { command: "agent" }],
  [false, { command: "npx", args: ["-y", "@onedoor/agent", "serve"] }],
  [false, { command: "npx", args: ["-y", "@onedoor/agent-other", "proxy"] }],
  [false, { command: "npx", args: ["-y", "somebody", "@onedoor/agent", "proxy"] }],
  [false, { command: "node", args: ["/opt/other/server.js", "proxy"] }],
  [false, { command: "npx", args: ["-y", 1, "@onedoor/agent", "proxy"] }],
  [false, { url: "https://mcp.example.com/mcp" }],
  [false, {}],
])("ours: %s for %j", (expected, entry) => {
  expect(startsOurProxy(entry)).toBe(expected);
});

test("the instructions are short, of this version, and begin with agent instructions", () => {
  const text = instructionText();
  expect(text.length).toBeLessThan(1500);
  expect(text).toMatch(/\(@onedoor\/agent \d+\.\d+\.\d+/u);
  const order = [
    "agent instructions",
    "agent inspect",
    "agent run",
    "Exit codes",
    "Never put a token",
  ];
  const places = order.map((words) => text.indexOf(words));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  for (const code of [0, 2, 3, 4, 5, 6]) expect(text).toContain(`${code} `);
});

test("the options for each command stand behind each", () => {
  const text = instructionText(["--preset=dev"]);
  for (const command of ["instructions", "inspect <server>", "inspect <server>/<tool>"]) {
    expect(text).toContain(`\`agent ${command} --preset=dev\``);
  }
  expect(text).toMatch(/`agent run [^`]* --preset=dev`/u);
});
