import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseJsonDocument } from "../../src/config/json-document.ts";
import { isJsonObject, parseJson } from "../../src/core/json.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { runAgent } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { agentOnTerminal } from "./support/on-terminal.ts";

const fixtures = join(import.meta.dirname, "..", "hosts", "fixtures");
const secret = "made-up-word";
const which = "Import which?";
const keep = "in the keychain, where there is one, and not in the file?";

let home: Home;
beforeEach(() => {
  home = createHome();
});
afterEach(() => home.remove());

/** Puts a fixture where the program looks for it on this system. */
function put(fixture: string, ...place: string[]): string {
  const path = join(home.folder, ...place);
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(join(fixtures, fixture), path);
  return path;
}

const putClaudeDesktop = (): string =>
  put("claude-desktop.json", ".config", "Claude", "claude_desktop_config.json");

function servers(): JsonObject {
  const result = parseJsonDocument(readFileSync(join(home.configDir, "mcp.json"), "utf8"));
  if (result.kind === "broken") throw new Error("broken");
  return objectIn(result.document.value, "mcpServers");
}

function objectIn(value: Json | undefined, key: string): JsonObject {
  const inner = isJsonObject(value) ? value[key] : undefined;
  if (!isJsonObject(inner)) throw new Error(`no ${key}`);
  return inner;
}

const names = (): string[] => Object.keys(servers());

const importing = (...args: string[]) => runAgent(["mcp", "import", ...args], { home });

const ask = (typed: Parameters<typeof agentOnTerminal>[2], ...args: string[]) =>
  agentOnTerminal(home, ["mcp", "import", ...args], typed);

describe("without a terminal", () => {
  it("imports all of them disabled, and says so", async () => {
    putClaudeDesktop();
    put("cursor.json", ".cursor", "mcp.json");
    put("codex.toml", ".codex", "config.toml");
    const { code, stdout, stderr } = await importing();
    expect(code).toBe(0);
    expect(names()).toEqual(expect.arrayContaining(["filesystem", "remote", "web-api"]));
    for (const entry of Object.values(servers())) expect(entry).toHaveProperty("disabled", true);
    expect(stdout).toContain("npx -y @modelcontextprotocol/server-filesystem /Users/ada/Desktop");
    expect(stdout).toMatch(/nobody was asked: agent mcp enable filesystem remote (?!.*web-api)/u);
    expect(stdout).toMatch(
      /web-api: it is disabled, since the environment variable \w+ is not set/u,
    );
    expect((await runAgent(["mcp", "enable", "web-api"], { home })).code).toBe(2);
    expect(stderr).toContain("holds secrets as they were: remote/AUTH_HEADER");
    expect(stdout + stderr).not.toContain(secret);
    expect(statSync(join(home.configDir, "mcp.json")).mode & 0o777).toBe(0o600);
  });

  it("keeps comments, order and the file as it was beside it, and finds nothing new then", async () => {
    putClaudeDesktop();
    const text =
      '{\n  // mine\n  "port": 0,\n  "mcpServers": { "filesystem": { "command": "x" } }\n}\n';
    const file = home.writeConfiguration(text);
    const first = await importing("--only", "filesystem", "--json");
    const result = parseJson(first.stdout);
    expect(result).toMatchObject({
      file,
      imported: [{ name: "filesystem-2", foundAs: "filesystem", entry: { disabled: true } }],
      conflicts: [{ name: "filesystem", as: "filesystem-2", replaced: false }],
    });
    const backup = isJsonObject(result) ? result["backup"] : undefined;
    if (typeof backup !== "string") throw new Error("no backup");
    expect(readFileSync(backup, "utf8")).toBe(text);
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toContain("// mine");
    expect(names()).toEqual(["filesystem", "filesystem-2"]);
    const before = readdirSync(home.configDir);
    const again = await importing("--only", "filesystem");
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("it is there already, as filesystem-2");
    expect(readdirSync(home.configDir)).toEqual(before);
  });

  it("changes nothing with --dry-run, and shows no secret", async () => {
    putClaudeDesktop();
    for (const args of [["--dry-run"], ["--dry-run", "--json"]]) {
      const { code, stdout, stderr } = await importing(...args);
      expect(code).toBe(0);
      expect(stdout).toContain("mcp-remote");
      expect(stdout + stderr).not.toContain(secret);
    }
    expect(existsSync(home.configDir)).toBe(false);
  });

  it("names the command for a secret that nobody was asked for", async () => {
    put("vscode-mcp.json", ".config", "Code", "User", "mcp.json");
    const { code, stdout } = await importing("vscode");
    expect(code).toBe(0);
    expect(names()).toEqual(["github", "perplexity"]);
    expect(stdout).toContain("agent mcp add perplexity --env PERPLEXITY_API_KEY --replace");
    expect(objectIn(servers(), "perplexity")["disabled"]).toBe(true);
  });

  it("looks into a project only where it is named", async () => {
    const path = put("project.mcp.json", ".mcp.json");
    expect((await importing()).stdout).toContain("Nothing to import: no file of another program");
    expect((await importing("claude-code")).code).toBe(0);
    expect(existsSync(home.configDir)).toBe(false);
    expect((await importing(path)).code).toBe(0);
    expect(names()).toEqual(["shared-server", "local"]);
    expect(objectIn(servers(), "local")["cwd"]).toBe(home.folder);
  });

  it("names what cannot be read, and goes on", async () => {
    putClaudeDesktop();
    mkdirSync(join(home.folder, ".cursor"));
    execFileSync("mkfifo", [join(home.folder, ".cursor", "mcp.json")]);
    const broken = join(home.folder, "broken.json");
    writeFileSync(broken, '{"mcpServers": {"a": {"env": {"KEY": "made-up-word"');
    const all = await importing();
    expect(all.code).toBe(0);
    expect(all.stdout).toContain("mcp.json) is no file; skipped");
    expect(names()).toEqual(["filesystem", "remote"]);
    const named = await importing(broken, "claude-desktop", "--json");
    expect(named.code).toBe(1);
    expect(parseJson(named.stdout)).toMatchObject({
      skipped: expect.arrayContaining([
        expect.objectContaining({ name: null, from: { host: null, path: broken } }),
      ]),
    });
    expect(named.stdout + named.stderr).not.toContain(secret);
  });

  it.each([
    [["cusor"], "did you mean cursor?"],
    [["./none.json"], "There is no file"],
    [["--all", "--only", "a"], "exclude each other"],
    [["--only", "filesystm"], "did you mean filesystem?"],
  ])("refuses %j", async (args, message) => {
    putClaudeDesktop();
    const { code, stderr } = await importing(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(existsSync(home.configDir)).toBe(false);
  });

  it("writes nothing into a file that would not be read", async () => {
    putClaudeDesktop();
    const file = home.writeConfiguration("{ broken");
    const { code } = await importing();
    expect(code).toBe(2);
    expect(readFileSync(file, "utf8")).toBe("{ broken");
    expect(readdirSync(home.configDir)).toEqual(["mcp.json"]);
  });
});

describe("on a terminal", () => {
  it("shows the commands, asks which, and keeps secrets out of the file", async () => {
    putClaudeDesktop();
    const result = await ask([
      [which, "9\n"],
      [which, "2\n"],
      [keep, "y\n"],
    ]);
    expect(result.code).toBe(0);
    expect(result.isRestored).toBe(true);
    expect(result.shown).toContain("1. filesystem");
    expect(result.shown).not.toContain(secret);
    expect(servers()).toEqual({
      remote: {
        command: "npx",
        args: [
          "mcp-remote",
          "https://mcp.example.com/sse",
          "--header",
          "Authorization:${ONEDOOR_LITERAL:-$}{AUTH_HEADER}",
        ],
        env: { AUTH_HEADER: "Bearer ${secret:remote/AUTH_HEADER}" },
      },
    });
    expect((await importing("--json")).stdout).toContain("it is there already");
  });

  it("takes all for nothing typed, and leaves secrets where they were for a no", async () => {
    putClaudeDesktop();
    const result = await ask([
      [which, "\n"],
      [keep, "n\n"],
    ]);
    expect(result.code).toBe(0);
    expect(names()).toEqual(["filesystem", "remote"]);
    expect(objectIn(servers(), "remote")["env"]).toEqual({
      AUTH_HEADER: `Bearer ${secret}`,
    });
    expect(result.shown).not.toContain(secret);
  });

  it.each([
    ["none", "none\n"],
    ["the end of the input", "\u0004"],
  ])("imports nothing for %s", async (_what, keys) => {
    putClaudeDesktop();
    const result = await ask([[which, keys]]);
    expect(result.code).toBe(0);
    expect(result.shown).toContain("Nothing was imported");
    expect(existsSync(join(home.configDir, "mcp.json"))).toBe(false);
  });

  it("overwrites nothing that somebody else saved while it asked", async () => {
    putClaudeDesktop();
    const file = home.writeConfiguration("{}");
    const changed = '{ "port": 0 }';
    const saveAndAnswer = (type: (keys: string) => void): void => {
      writeFileSync(file, changed);
      type("1\n");
    };
    const result = await ask([[which, saveAndAnswer]]);
    expect(result.code).toBe(2);
    expect(result.shown).toContain("was changed meanwhile, so nothing was written");
    expect(readFileSync(file, "utf8")).toBe(changed);
    expect(readdirSync(home.configDir).filter((name) => name.endsWith(".bak"))).toEqual([]);
  });

  it("imports nothing after Ctrl-C", async () => {
    putClaudeDesktop();
    const result = await ask([[which, "\u0003"]]);
    expect(result.code).toBe(130);
    expect(existsSync(join(home.configDir, "mcp.json"))).toBe(false);
  });

  it("asks for what VS Code asks for, unseen, and leaves out what is not given", async () => {
    put("vscode-mcp.json", ".config", "Code", "User", "mcp.json");
    const question = "perplexity/PERPLEXITY_API_KEY (Perplexity API Key)";
    const without = await ask([[question, "\n"]], "--only", "perplexity");
    expect(without.shown).toContain("a secret of it was not given");
    const result = await ask([[question, "pplx-typed\n"]], "--all");
    expect(result.code).toBe(0);
    expect(result.shown).not.toContain("pplx-typed");
    expect(objectIn(servers(), "perplexity")["env"]).toEqual({
      PERPLEXITY_API_KEY: "${secret:perplexity/PERPLEXITY_API_KEY}",
    });
    expect(names()).toEqual(["github", "perplexity"]);
  });

  it("shows what acts on a terminal as it is written", async () => {
    const path = join(home.folder, "evil.json");
    const evil = { "a\u001b[2Jb": { command: "x", args: ["\u001b]0;title\u0007", "\u202egnp"] } };
    writeFileSync(path, JSON.stringify({ mcpServers: evil }));
    const result = await ask([[which, "none\n"]], path);
    expect(result.shown).not.toContain("\u001b");
    expect(result.shown).not.toContain("\u202e");
    expect(result.shown).toContain(String.raw`\u202e`);
  });
});
