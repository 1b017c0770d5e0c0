/* oxlint-disable no-control-regex -- what a terminal is sent begins with one */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decode } from "@toon-format/toon";
import { decode as decodeSixel } from "sixel";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { realServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { agentOnTerminal } from "./support/on-terminal.ts";

const servers = ["everything", "filesystem", "memory"] as const;
const tsc = fileURLToPath(new URL("../../node_modules/typescript/lib/tsc.js", import.meta.url));
let home: Home;
let gateway: RunningGateway;
const agent = (...args: string[]): Promise<AgentResult> => runAgent(args, { home });

beforeAll(async () => {
  home = createHome();
  const filesystem = realServer("filesystem");
  gateway = await startGateway(home, {
    mcpServers: {
      everything: realServer("everything"),
      filesystem: { ...filesystem, args: [...filesystem.args, home.folder] },
      memory: realServer("memory"),
    },
  });
  await agent("auth", "login");
  await agent("wait");
});
afterAll(async () => {
  await gateway.stop();
  home.remove();
});

test.each(servers)("the tools of %s as TypeScript that compiles", async (server) => {
  const { stdout } = await agent("inspect", server, "--format", "ts");
  const file = join(home.folder, `${server}.ts`);
  writeFileSync(file, `${stdout}export type { Tools };\n`);
  const flags = ["--noEmit", "--ignoreConfig", "--strict", "--target", "es2022", "--types", ""];
  expect(execFileSync(process.execPath, [tsc, ...flags, file], { encoding: "utf8" })).toBe("");
  expect(stdout).toMatch(/^interface Tools \{\n/mu);
});

test("TOON says what JSON says", async () => {
  for (const target of [["memory"], ["everything/echo"]]) {
    const toon = await agent("inspect", ...target, "--format", "toon");
    const json = await agent("inspect", ...target, "--json");
    expect(decode(toon.stdout)).toEqual(JSON.parse(json.stdout));
  }
  // The list is a flat row for each server.
  const list: unknown = decode((await agent("inspect", "--format", "toon")).stdout);
  const names = ["everything", "filesystem", "memory"];
  expect(list).toMatchObject({ servers: names.map((name) => ({ name, state: "ready" })) });
});

test("an answer in few characters, and no more of them than asked for", async () => {
  const call = ["run", "everything/get-structured-content", "location=New York"];
  const compact = await agent(...call, "--format", "compact");
  const text = await agent(...call);
  expect(JSON.parse(compact.stdout)).toEqual(JSON.parse(text.stdout));
  expect(compact.stdout).not.toMatch(/[{,:] /u);
  const cut = await agent(...call, "--format", "toon", "--max-chars", "10");
  expect(cut.stdout).toMatch(/^.{9,10}\n*.*… \(cut: 10 of \d+ characters shown; .*\)\n$/su);
  const image = await agent("run", "everything/get-tiny-image", "--format", "compact");
  expect(image.stdout).toMatch(/^\[image\/png [\d.]+ (?:kB|bytes)\]$/mu);
  expect(image.stderr).not.toContain("image/png");
  expect(await agent(...call, "--json", "--max-chars", "10")).toMatchObject({ code: 2 });
});

test("ONEDOOR_FORMAT goes for the commands that have that form", async () => {
  const env = { ONEDOOR_FORMAT: "toon" };
  expect(await runAgent(["auth", "status"], { home, env })).toMatchObject({ code: 0 });
  const { stdout } = await runAgent(["inspect"], { home, env });
  expect(decode(stdout)).toMatchObject({ servers: [{ name: "everything" }, {}, {}] });
});

test("an image on a terminal that says it draws sixels", async () => {
  const { shown, code, isRestored } = await agentOnTerminal(
    home,
    ["run", "everything/get-tiny-image"],
    [["\u001b[c", "\u001b[?62;4;22c"]],
    { TERM: "xterm-256color" },
  );
  const [, body = ""] = /\u001bP[\d;]*q([^\u001b]*)\u001b\\/u.exec(shown) ?? [];
  const { width, height } = decodeSixel(body);
  expect(width * height).toBeGreaterThan(100);
  expect({ code, isRestored }).toEqual({ code: 0, isRestored: true });
  expect(shown).not.toContain("--output");
});

test("an image on kitty, and saved where nobody answers", async () => {
  const call = ["run", "everything/get-tiny-image"];
  const kitty = await agentOnTerminal(home, call, [], { TERM: "xterm-kitty" });
  const parts = [...kitty.shown.matchAll(/\u001b_G[^;]*;([^\u001b]*)\u001b\\/gu)];
  const sent = Buffer.from(parts.map(([, data]) => data).join(""), "base64");
  expect(sent.toString("latin1", 1, 4)).toBe("PNG");
  const mute = await agentOnTerminal(home, call, [], { TERM: "xterm-256color" });
  expect(mute).toMatchObject({ code: 0, isRestored: true });
  expect(mute.shown).toMatch(/image\/png, .*answer-1\.png.*--output/u);
});

test("what the servers cost a language model", async () => {
  const { stdout } = await agent("mcp", "tokens", "--json");
  const found: unknown = JSON.parse(stdout);
  const number: unknown = expect.any(Number);
  expect(found).toMatchObject({ total: number, discover: number, instructions: number });
  const [, total = 0] = /"total": (\d+)/u.exec(stdout) ?? [];
  const [, discover = 0] = /"discover": (\d+)/u.exec(stdout) ?? [];
  expect(Number(total)).toBeGreaterThan(3000);
  expect(Number(discover)).toBeLessThan(Number(total) / 5);
});
