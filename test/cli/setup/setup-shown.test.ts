import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SetupBench } from "./bench.ts";

let bench: SetupBench;
beforeEach(() => {
  bench = new SetupBench();
});
afterEach(() => {
  bench.remove();
});

const secrets = /(?:oauth|args|env)-token-of-ann/u;

describe("what is shown", () => {
  test("of a file in one long line only what is around the change, without values", async () => {
    const file = bench.place(bench.home, ".claude.json");
    const many = Object.fromEntries(
      Array.from({ length: 500 }, (_, at) => [`k${at}`, "env-token-of-ann"]),
    );
    writeFileSync(file, JSON.stringify({ ...many, mcpServers: {}, z: many }));
    await bench.run({ dryRun: true });
    expect(bench.stdout).toContain('"onedoor"');
    expect(bench.stdout.length).toBeLessThan(2_000);
    expect(bench.stdout).not.toMatch(secrets);
  });

  test("comments, TOML values and texts of several lines are not", async () => {
    const file = bench.place(bench.project, ".vscode", "mcp.json");
    writeFileSync(
      file,
      '{\n  "servers": {\n    "a": { "url": "u" } // env-token-of-ann\n    /* env-token-of-ann */\n  }\n}\n',
    );
    await bench.run({ client: "vscode", scope: "project", dryRun: true });
    expect(bench.stdout).toContain('"onedoor"');
    expect(bench.stdout).not.toMatch(secrets);
    const toml = bench.place(bench.project, ".codex", "config.toml");
    const lines = [
      'args = ["args-token-of-ann"]',
      "key = 'env-token-of-ann'",
      'text = """\nenv-token-of-ann\nenv-token-of-ann\n"""',
      "# env-token-of-ann",
    ];
    for (const line of lines) {
      writeFileSync(toml, `[mcp_servers.a]\ncommand = "a"\n${line}\n`);
      await bench.run({ client: "codex", scope: "project", dryRun: true });
      expect(bench.stdout).toContain("+[mcp_servers.onedoor]");
      expect(bench.stdout).toContain('+args = ["-y", "@onedoor/agent", "proxy"]');
      expect(bench.stdout).not.toMatch(secrets);
    }
  });

  test("keys that look like secrets, and numbers, are not", async () => {
    const key = "a1B2c3D4e5F6g7H8i9J0";
    const file = bench.place(bench.project, ".vscode", "mcp.json");
    writeFileSync(file, `{\n  "servers": { "${key}": 4242424242424242 }\n}\n`);
    await bench.run({ client: "vscode", scope: "project", dryRun: true });
    const toml = bench.place(bench.project, ".codex", "config.toml");
    writeFileSync(toml, `[a.${key}]\n${key} = 4242424242424242\n`);
    await bench.run({ client: "codex", scope: "project", dryRun: true });
    expect(bench.stdout).toContain("+[mcp_servers.onedoor]");
    expect(bench.stdout).not.toMatch(/a1B2c3|424242/u);
  });

  test("what somebody added to our own entry is masked when it goes", async () => {
    await bench.run({ scope: "project", yes: true });
    const file = join(bench.project, ".mcp.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace('"proxy"]', '"proxy", "--token=args-token-of-ann"]'));
    await bench.run({ scope: "project", undo: true, yes: true });
    expect(bench.stdout).toContain('-      "command": "npx"');
    expect(bench.stdout).not.toMatch(secrets);
    expect(existsSync(file)).toBe(false);
  });
});
