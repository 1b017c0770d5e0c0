import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeRuntimeFile } from "../../../src/runtime/runtime-file.ts";
import { SetupBench } from "./bench.ts";

let bench: SetupBench;
beforeEach(() => {
  bench = new SetupBench();
});
afterEach(() => {
  bench.remove();
});

const configure = (value: object): void =>
  writeFileSync(bench.place(bench.base, "config", "mcp.json"), JSON.stringify(value), {
    mode: 0o600,
  });
const told = (): string => bench.notes.join("\n");

test("without a gateway and a profile both next commands are named, also when it was set up before", async () => {
  const both = [
    "No gateway of yours runs, so the client has no tools yet: agent serve --background",
    "Nobody is signed in; then: agent auth login",
  ];
  await bench.run({ yes: true });
  expect(bench.notes).toEqual(expect.arrayContaining(both));
  await bench.run({ yes: true });
  expect(bench.notes).toEqual(both);
  await bench.run({ dryRun: true });
  expect(bench.notes).toEqual([]);
  await bench.run({ undo: true, yes: true });
  expect(told()).not.toContain("No gateway");
});

test("with a gateway that runs, only the sign-in", async () => {
  await writeRuntimeFile(join(bench.base, "state"), {
    url: "http://127.0.0.1:3051",
    pid: process.pid,
    startedAtMs: 1,
    secret: "x".repeat(43),
    instanceId: "7b0c41a3-6a55-4a26-8d3e-0a7a5f4f1c11",
  });
  await bench.run({ yes: true });
  expect(told()).toContain("Nobody is signed in to http://127.0.0.1:3051 yet: agent auth login");
  expect(told()).not.toContain("No gateway");
});

test("for another server the sign-in names it", async () => {
  const url = "https://gw.example.com";
  await bench.run({ url, profile: "work", yes: true });
  expect(bench.notes).toContain(
    `Nobody is signed in to ${url} yet: agent auth login --url ${url} --profile work`,
  );
});

test("a preset that the configuration has not is told, and the entry is written", async () => {
  configure({ mcpServers: {}, presets: { dev: { tags: ["web"] } } });
  await bench.run({ preset: "dve", yes: true });
  expect(told()).toContain(
    `There is no preset dve in ${join(bench.base, "config", "mcp.json")} yet: did you mean dev?`,
  );
  expect(readFileSync(join(bench.home, ".claude.json"), "utf8")).toContain("--preset=dve");
  await bench.run({ preset: "dev", yes: true });
  expect(told()).not.toContain("There is no preset");
});

test.each(["mcp", "cli"] as const)(
  "servers that client and gateway both have are named, and nothing of them (%s)",
  async (way) => {
    configure({ mcpServers: { github: { command: "github-mcp" }, other: { command: "x" } } });
    const file = bench.place(bench.home, ".claude.json");
    const entry = { command: "github-mcp", env: { TOKEN: "env-token-of-ann" } };
    writeFileSync(file, JSON.stringify({ mcpServers: { github: entry, mine: { command: "m" } } }));
    await bench.run({ way, yes: true });
    expect(told()).toContain(
      "The gateway has github too, so the client has these twice: take them out of ~/.claude.json by hand",
    );
    expect(told()).not.toMatch(/env-token|mine|other/u);
  },
);

test("--mode is passed on to agent proxy, and refused where none is started", async () => {
  await bench.run({ mode: "discover", yes: true });
  const file = join(bench.home, ".claude.json");
  expect(JSON.parse(readFileSync(file, "utf8")).mcpServers.onedoor.args).toEqual([
    "/opt/onedoor/dist/main.js",
    "proxy",
    "--mode=discover",
  ]);
  await expect(bench.run({ mode: "discover", way: "cli", yes: true })).rejects.toThrow(
    "--mode is of agent proxy",
  );
});

test("what agent proxy would refuse is refused at once", async () => {
  await expect(bench.run({ tags: ["web,,db"], yes: true })).rejects.toThrow("a name is missing");
  await expect(bench.run({ filter: "web and", yes: true })).rejects.toThrow("filter");
});

test("--undo that finds nothing names the command for where something is", async () => {
  await bench.run({ client: "codex", way: "cli", yes: true });
  await bench.run({ client: "codex", scope: "project", name: "gate", yes: true });
  await bench.run({ client: "codex", undo: true, yes: true });
  expect(bench.stdout).toBe("There is nothing to undo in ~/.codex/config.toml\n");
  expect(bench.notes).toEqual([
    "~/.codex/AGENTS.md has what setup wrote: agent setup codex --way cli --undo",
  ]);
  await bench.run({ client: "codex", name: "gate", undo: true, yes: true });
  expect(told()).toContain("agent setup codex --scope project --name gate --undo");
});
