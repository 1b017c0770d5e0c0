import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AppError } from "../../../src/core/errors.ts";
import { SetupBench } from "./bench.ts";

let bench: SetupBench;
beforeEach(() => {
  bench = new SetupBench();
});
afterEach(() => {
  bench.remove();
});

async function problemOf(work: Promise<unknown>): Promise<AppError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

const claudeFile = `{
  "numStartups": 12,
  "oauthAccount": { "accessToken": "oauth-token-of-ann" },
  "mcpServers": {
    "github": {
      "type": "stdio",
      "command": "github-mcp",
      "args": ["--token", "args-token-of-ann"],
      "env": { "GITHUB_TOKEN": "env-token-of-ann" }
    }
  },
  "projects": {}
}
`;
const secrets = /(?:oauth|args|env)-token-of-ann/u;

describe("the whole way", () => {
  test("shows the change without a secret, writes it, says so again, and undoes it to the byte", async () => {
    const file = bench.place(bench.home, ".claude.json");
    writeFileSync(file, claudeFile, { mode: 0o600 });
    await bench.run({ dryRun: true });
    expect(readFileSync(file, "utf8")).toBe(claudeFile);
    expect(bench.stdout).toContain(`--- ${file}\n+++ ${file}\n`);
    expect(bench.stdout).toContain('+    "onedoor": {');
    expect(bench.stdout).toContain('/opt/onedoor/dist/main.js", "proxy"]');
    expect(bench.stdout).toContain('"GITHUB_TOKEN": "…"');
    expect(bench.stdout).not.toMatch(secrets);

    await bench.run({ yes: true });
    const written = JSON.parse(readFileSync(file, "utf8"));
    expect(written).toEqual({
      ...JSON.parse(claudeFile),
      mcpServers: {
        ...JSON.parse(claudeFile).mcpServers,
        onedoor: {
          type: "stdio",
          command: "/usr/bin/node",
          args: ["/opt/onedoor/dist/main.js", "proxy"],
        },
      },
    });
    expect(bench.stdout).toContain("Set up claude in ~/.claude.json\n");
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const state = join(bench.base, "state", "setup");
    for (const name of readdirSync(state)) {
      expect(readFileSync(join(state, name), "utf8")).not.toMatch(secrets);
      expect(statSync(join(state, name)).mode & 0o777).toBe(0o600);
    }

    await bench.run({ yes: true });
    expect(bench.stdout).toBe("claude is set up already, in ~/.claude.json\n");
    await bench.run({ undo: true, yes: true });
    expect(bench.stdout).not.toMatch(secrets);
    expect(readFileSync(file, "utf8")).toBe(claudeFile);
    await bench.run({ undo: true, yes: true });
    expect(bench.stdout).toBe("There is nothing to undo in ~/.claude.json\n");
    expect(readdirSync(state)).toEqual([]);
    expect(readdirSync(bench.home)).toEqual([".claude.json"]);
  });

  test.each([
    ["claude", "project", "mcp", ".mcp.json"],
    ["claude", "project", "cli", ".claude/skills/onedoor/SKILL.md"],
    ["claude", "user", "cli", ".claude/skills/onedoor/SKILL.md"],
    ["claude-desktop", "user", "mcp", ".config/Claude/claude_desktop_config.json"],
    ["codex", "project", "mcp", ".codex/config.toml"],
    ["codex", "user", "mcp", ".codex/config.toml"],
    ["codex", "project", "cli", "AGENTS.md"],
    ["codex", "user", "cli", ".codex/AGENTS.md"],
    ["cursor", "project", "mcp", ".cursor/mcp.json"],
    ["cursor", "user", "mcp", ".cursor/mcp.json"],
    ["cursor", "project", "cli", ".cursor/rules/onedoor.mdc"],
    ["vscode", "project", "mcp", ".vscode/mcp.json"],
    ["vscode", "user", "mcp", ".config/Code/User/mcp.json"],
    ["vscode", "project", "cli", ".github/instructions/onedoor.instructions.md"],
    ["vscode", "user", "cli", ".copilot/instructions/onedoor.instructions.md"],
  ] as const)(
    "%s, %s, %s: makes what is missing and removes it again",
    async (client, scope, way, words) => {
      const root = scope === "user" ? bench.home : bench.project;
      const before = readdirSync(root);
      await bench.run({ client, scope, way, yes: true });
      const file = join(root, words);
      const text = readFileSync(file, "utf8");
      expect(text).toContain(way === "cli" ? "agent instructions" : "proxy");
      expect(statSync(file).mode & 0o077).toBe(scope === "user" ? 0 : 0o066 & ~process.umask());
      await bench.run({ client, scope, way, yes: true });
      expect(bench.stdout).toContain("is set up already");
      await bench.run({ client, scope, way, undo: true, yes: true });
      expect(readdirSync(root)).toEqual(before);
    },
  );

  test("folders that were there, or have got something else, stay", async () => {
    mkdirSync(join(bench.project, ".cursor"));
    await bench.run({ client: "cursor", scope: "project", way: "cli", yes: true });
    await bench.run({ client: "cursor", scope: "project", way: "cli", undo: true, yes: true });
    expect(existsSync(join(bench.project, ".cursor"))).toBe(true);
    expect(existsSync(join(bench.project, ".cursor", "rules"))).toBe(false);
    await bench.run({ client: "cursor", scope: "project", way: "cli", yes: true });
    writeFileSync(join(bench.project, ".cursor", "rules", "mine.mdc"), "");
    await bench.run({ client: "cursor", scope: "project", way: "cli", undo: true, yes: true });
    expect(readdirSync(join(bench.project, ".cursor", "rules"))).toEqual(["mine.mdc"]);
  });

  test("says so where Codex reads another file in place of the one that is written", async () => {
    const flags = { client: "codex", scope: "project", way: "cli", yes: true } as const;
    await bench.run(flags);
    expect(bench.notes.join("\n")).not.toContain("AGENTS.override.md");
    await bench.run({ ...flags, undo: true });
    writeFileSync(join(bench.project, "AGENTS.override.md"), "# Mine\n");
    await bench.run(flags);
    expect(bench.notes.join("\n")).toContain("AGENTS.override.md stands beside it");
  });

  test("with --json: the result, and the change where there is one", async () => {
    const file = join(bench.project, ".mcp.json");
    const common = { client: "claude", scope: "project", way: "mcp", file };
    await bench.run({ scope: "project", dryRun: true, json: true, format: "json" });
    const shown = JSON.parse(bench.stdout);
    expect(shown).toMatchObject({ ...common, changed: false });
    expect(shown.diff).toMatch(/^--- \/dev\/null\n/u);
    await bench.run({ scope: "project", yes: true, json: true, format: "json" });
    expect(JSON.parse(bench.stdout)).toEqual({ ...common, changed: true, diff: shown.diff });
    await bench.run({ scope: "project", yes: true, json: true, format: "json" });
    expect(JSON.parse(bench.stdout)).toEqual({ ...common, changed: false });
  });
});

function entry(): { command: string; args: string[] } {
  return JSON.parse(readFileSync(join(bench.project, ".mcp.json"), "utf8")).mcpServers.onedoor;
}

describe("what is written", () => {
  test("a project's entry starts npx with what was given", async () => {
    const given = { url: "https://gw.example.com/mcp", profile: "work", preset: "dev" };
    const more = { tags: ["web", "db,x"], filter: "a and not b", configDir: "/etc/onedoor" };
    await bench.run({ scope: "project", yes: true, ...given, ...more });
    expect(entry()).toMatchObject({
      command: "npx",
      args: [
        "-y",
        "@onedoor/agent",
        "proxy",
        "--url=https://gw.example.com/mcp",
        "--profile=work",
        "--preset=dev",
        "--tags=web",
        "--tags=db,x",
        "--filter=a and not b",
        "--config-dir=/etc/onedoor",
      ],
    });
  });

  test("on Windows through cmd, which must not act on a word", async () => {
    bench.platform = "win32";
    const { createSetup } = await import("../../../src/cli/commands/setup.ts");
    const command = createSetup(() => ({
      machine: { platform: "win32", home: String.raw`C:\Users\ann`, environment: {} },
      folder: String.raw`C:\work`,
      program: { node: String.raw`C:\node.exe`, script: String.raw`C:\onedoor\dist\main.js` },
    }));
    const given = {
      client: "claude",
      scope: "project",
      way: "mcp",
      undo: false,
      dryRun: true,
    } as const;
    const common = { yes: false, insecureHttp: false, json: false, quiet: false, debug: false };
    const options = { ...given, ...common, format: "text", filter: "a & b" } as const;
    const problem = await problemOf(command.run(options, bench.context));
    expect([problem.code, problem.message]).toEqual([
      "usage",
      "An option has a character in it that cmd would act on",
    ]);
  });

  test("a program in npx's cache is not named by its path", async () => {
    bench.script = "/home/ann/.npm/_npx/1a/node_modules/@onedoor/agent/dist/main.js";
    await bench.run({ yes: true });
    expect(readFileSync(join(bench.home, ".claude.json"), "utf8")).toContain('"command": "npx"');
    expect(bench.notes.join("\n")).toContain("npm install --global @onedoor/agent");
  });

  test("the folder of ONEDOOR_CONFIG_DIR goes into a user's entry, not into a shared one", async () => {
    bench.variables = { ONEDOOR_CONFIG_DIR: "/data/onedoor" };
    await bench.run({ yes: true, configDir: "/data/onedoor" });
    expect(readFileSync(join(bench.home, ".claude.json"), "utf8")).toContain(
      "--config-dir=/data/onedoor",
    );
    await bench.run({ scope: "project", yes: true, configDir: "/data/onedoor" });
    expect(entry().args).toEqual(["-y", "@onedoor/agent", "proxy"]);
  });

  test.each([
    [{ url: "https://gw.example.com/mcp?token=od_0123456789abcdef" }, /credential|token/iu],
    [{ url: "https://ann:secret@gw.example.com/mcp" }, /./u],
    [{ url: "http://gw.example.com/mcp" }, /http/u],
    [{ filter: "a and (" }, /./u],
    [{ preset: "" }, /--preset is empty/u],
    [{ preset: "a\nb" }, /--preset is empty, too long, or has a control character/u],
    [{ name: "a b" }, /--name takes letters/u],
    [{ name: "mine", way: "cli" }, /--name is of an entry/u],
    [{ client: "cursor", way: "cli" }, /Cursor keeps the rules of a user in its settings/u],
  ] as const)("%j is refused, and nothing is written", async (flags, message) => {
    const problem = await problemOf(bench.run({ yes: true, ...flags }));
    expect(problem.code).toBe("usage");
    expect(problem.message).toMatch(message);
    expect(problem.message).not.toMatch(/od_0123|secret/u);
    expect(readdirSync(bench.home)).toEqual([]);
  });
});

describe("asking", () => {
  test("nobody there: exit 2 with what to do, nothing written", async () => {
    const problem = await problemOf(bench.run({}));
    expect([problem.code, problem.hint]).toEqual([
      "usage",
      "--dry-run shows the change, --yes makes it",
    ]);
    expect(readdirSync(bench.home)).toEqual([]);
  });

  test.each([
    ["n\n", false],
    ["\n", true],
    ["y\n", true],
    ["", false],
  ])("somebody types %j", async (typed, isWritten) => {
    bench.typed = typed;
    await bench.run({});
    expect(bench.stdout).toContain("+++ ");
    expect(existsSync(join(bench.home, ".claude.json"))).toBe(isWritten);
    expect(bench.notes.includes("Nothing was changed")).toBe(!isWritten);
  });
});
