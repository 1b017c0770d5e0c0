import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FoundServers, HostId, Machine } from "../../src/hosts/host.ts";
import { hostFiles, namedFile } from "../../src/hosts/host-files.ts";
import { readHostFile } from "../../src/hosts/read-host-file.ts";
import { literalDollar } from "../../src/config/references.ts";

let home: string;
let machine: Machine;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "onedoor-hosts-"));
  machine = { platform: "linux", home, environment: {} };
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, "fixtures", name), "utf8");
}

function windowsText(name: string): string {
  return `\u{feff}${fixture(name).replaceAll("\n", "\r\n")}`;
}

/** Puts a text where the host keeps its servers on this system, and reads it there. */
async function readAt(host: HostId, text: string, on: NodeJS.Platform, at = 0) {
  const place = hostFiles({ ...machine, platform: on === "win32" ? "linux" : on })
    .filter((file) => file.host === host)
    .at(at);
  if (place === undefined) throw new Error("no such place");
  mkdirSync(dirname(place.path), { recursive: true });
  writeFileSync(place.path, text);
  return readHostFile({ ...place }, { ...machine, platform: on });
}

async function found(host: HostId, text: string, on: NodeJS.Platform = "linux", at = 0) {
  const content = await readAt(host, text, on, at);
  if (content.kind !== "read") throw new Error(content.kind);
  return content.found;
}

function entries({ servers }: FoundServers): Record<string, unknown> {
  return Object.fromEntries(servers.map(({ name, entry }) => [name, entry]));
}

async function reason(path: string): Promise<string> {
  const content = await readHostFile(namedFile(path, machine), machine);
  return content.kind === "unreadable" ? content.reason : content.kind;
}

describe.each(["linux", "darwin", "win32"] as const)("the documented forms on %s", (system) => {
  it("Claude Desktop", async () => {
    expect(entries(await found("claude-desktop", fixture("claude-desktop.json"), system))).toEqual({
      filesystem: {
        command: "npx",
        args: [
          "-y",
          "@modelcontextprotocol/server-filesystem",
          "/Users/ada/Desktop",
          "/Users/ada/Downloads",
        ],
      },
      remote: {
        command: "npx",
        args: [
          "mcp-remote",
          "https://mcp.example.com/sse",
          "--header",
          `Authorization:${literalDollar}{AUTH_HEADER}`,
        ],
        env: { AUTH_HEADER: "Bearer made-up-word" },
      },
    });
  });

  it("Claude Code, of the user and of each project", async () => {
    const all = await found("claude-code", fixture("claude-code.json"), system);
    expect(entries(all)).toEqual({
      notion: { url: "https://mcp.notion.com/mcp" },
      airtable: {
        command: "npx",
        args: ["-y", "airtable-mcp-server"],
        env: { AIRTABLE_API_KEY: "${AIRTABLE_API_KEY}" },
      },
      api: {
        type: "sse",
        url: "${API_BASE_URL:-https://api.example.com}/mcp",
        headers: { Authorization: "Bearer ${API_KEY}" },
      },
      "shop-db": { command: "node", args: ["./tools/db.js"], cwd: "/home/ada/shop" },
      sentry: { url: "https://mcp.sentry.dev/mcp" },
      "notion-2": { url: "https://mcp.notion.com/other" },
    });
    expect(all.servers.find(({ name }) => name === "sentry")?.notes).toEqual([
      "of the project /home/ada/shop",
    ]);
    expect(all.skipped).toEqual([]);
  });

  it("Cursor", async () => {
    const all = await found("cursor", fixture("cursor.json"), system);
    expect(entries(all)).toEqual({
      "local-server": {
        command: "python",
        args: [`${home}/mcp-server.py`],
        env: { API_KEY: "${MY_API_KEY}" },
      },
      "web-api": {
        url: "https://api.example.com/mcp",
        headers: { Authorization: "Bearer ${MY_SERVICE_TOKEN}" },
      },
    });
    expect(all.skipped).toEqual([
      { name: "project-only", reason: "it needs ${workspaceFolder}, which is not known here" },
    ]);
  });

  it("VS Code, with comments and inputs", async () => {
    const all = await found("vscode", fixture("vscode-mcp.json"), system);
    expect(entries(all)).toEqual({
      github: { url: "https://api.githubcopilot.com/mcp/" },
      perplexity: {
        command: "npx",
        args: ["-y", "server-perplexity-ask"],
        env: { PERPLEXITY_API_KEY: "${secret:perplexity/PERPLEXITY_API_KEY}" },
      },
    });
    expect(all.servers[1]?.notes).toEqual([
      "perplexity/PERPLEXITY_API_KEY is to be asked for (Perplexity API Key)",
      "left out: sandboxEnabled, sandbox",
      "VS Code runs it in a sandbox, the gateway does not",
    ]);
    expect(all.skipped).toEqual([
      { name: "socket", reason: "url must begin with http:// or https://" },
    ]);
  });

  it("VS Code's older settings, and nothing else of them", async () => {
    const all = await found("vscode", fixture("vscode-settings.json"), system, 1);
    expect(entries(all)).toEqual({
      "mcp-server-time": {
        command: "python",
        args: ["-m", "mcp_server_time", "--local-timezone=America/Los_Angeles"],
      },
    });
    expect(all.skipped).toEqual([]);
  });

  it("Codex", async () => {
    const all = await found("codex", fixture("codex.toml"), system);
    expect(entries(all)).toEqual({
      context7: {
        command: "npx",
        args: ["-y", "@upstash/context7-mcp"],
        env: { MY_ENV_VAR: "MY_ENV_VALUE" },
        inheritEnv: ["LOCAL_TOKEN"],
      },
      figma: {
        url: "https://mcp.figma.com/mcp",
        headers: { "X-Figma-Region": "us-east-1", Authorization: "Bearer ${FIGMA_OAUTH_TOKEN}" },
      },
      chrome_devtools: {
        url: "http://localhost:3000/mcp",
        tools: { allow: ["open", "screenshot"], deny: ["screenshot"] },
        disabled: true,
      },
    });
    expect(all.skipped).toEqual([]);
  });

  it("Windsurf", async () => {
    expect(entries(await found("windsurf", fixture("windsurf.json"), system))).toEqual({
      "github-mcp-server": {
        command: "docker",
        args: [
          "run",
          "-i",
          "--rm",
          "-e",
          "GITHUB_PERSONAL_ACCESS_TOKEN",
          "ghcr.io/github/github-mcp-server",
        ],
        env: { GITHUB_PERSONAL_ACCESS_TOKEN: "<YOUR_PERSONAL_ACCESS_TOKEN>" },
        tools: { deny: ["delete_file"] },
      },
      "remote-http-mcp": {
        url: "https://mcp.example.com/mcp",
        headers: { API_KEY: "Bearer ${AUTH_TOKEN}" },
        disabled: true,
      },
    });
  });
});

describe("texts as editors leave them", () => {
  it("reads a byte order mark and CRLF, in JSON and TOML", async () => {
    expect(
      entries(await found("claude-desktop", windowsText("claude-desktop-windows.json"), "win32")),
    ).toEqual({
      filesystem: {
        command: String.raw`C:\Program Files\nodejs\npx.cmd`,
        args: ["-y", "@modelcontextprotocol/server-filesystem", String.raw`C:\Users\ada\Desktop`],
        env: { APPDATA: "C:\\Users\\ada\\AppData\\Roaming\\" },
      },
    });
    expect((await found("vscode", windowsText("vscode-mcp.json"))).servers).toHaveLength(2);
    expect((await found("codex", windowsText("codex.toml"))).servers).toHaveLength(3);
  });

  it("takes an empty file for one without servers", async () => {
    expect(await found("cursor", " \n")).toEqual({ servers: [], skipped: [] });
    expect(await found("codex", "")).toEqual({ servers: [], skipped: [] });
    expect(await found("cursor", "[]")).toEqual({ servers: [], skipped: [] });
  });

  it("reads a project's file, and starts its programs in the project", async () => {
    const path = join(home, "app", ".mcp.json");
    mkdirSync(dirname(path));
    writeFileSync(path, fixture("project.mcp.json"));
    const content = await readHostFile(namedFile(path, machine), machine);
    if (content.kind !== "read") throw new Error(content.kind);
    const cwd = join(home, "app");
    expect(entries(content.found)).toEqual({
      "shared-server": { command: "/path/to/server", cwd },
      local: { command: "node", args: [`${cwd}/build/index.js`], cwd },
    });
  });

  it("reads TOML with dates, large numbers and quoted names", async () => {
    const text = `
since = 2026-01-01T00:00:00Z
[mcp_servers."my server"]
command = "x"
env = { "A B" = "c", since = "d" }
made = 2026-01-01
size = 9223372036854775807
`;
    expect(entries(await found("codex", text))).toEqual({
      "my server": { command: "x", env: { "A B": "c", since: "d" } },
    });
  });
});

describe("what cannot be read is named", () => {
  it.each([
    ["not JSON", "a.json", "{", "cannot be read: not valid JSON: close brace expected (line 1)"],
    ["a key twice", "a.json", '{"a": 1, "a": 2, }', "cannot be read: stands here twice (line 1)"],
    ["not TOML", "config.toml", "\n[mcp_servers", "not valid TOML (line 2)"],
    ["no text", "a.json", Buffer.from([0xff, 0xfe, 0x7b, 0]), "is not UTF-8 text"],
    ["too much", "a.json", `{"a": "${"x".repeat(4 * 1024 * 1024)}"}`, "is larger than 4 MiB"],
    ["nested JSON", "a.json", "[".repeat(200_000), /nested too deeply|not valid JSON/u],
    ["nested TOML", "config.toml", `a = ${"[".repeat(100_000)}`, /not valid TOML|nested/u],
  ])("%s", async (_what, name, text, expected) => {
    writeFileSync(join(home, name), text);
    expect(await reason(join(home, name))).toMatch(expected);
  });

  it("never repeats what stands in the file", async () => {
    for (const [name, text] of [
      ["a.json", '{"mcpServers": {"a": {"env": {"TOKEN": "s3cret-word" "b"}}}}'],
      ["config.toml", '[mcp_servers.a.env]\nTOKEN = "s3cret-word" "b"'],
    ] as const) {
      writeFileSync(join(home, name), text);
      expect(await reason(join(home, name))).not.toContain("s3cret");
    }
  });

  it("a missing file, a folder, a pipe, a device", async () => {
    expect(await reason(join(home, "none.json"))).toBe("absent");
    expect(await reason(join(home, "none", "none.json"))).toBe("absent");
    expect(await reason(home)).toBe("is no file");
    execFileSync("mkfifo", [join(home, "pipe.json")]);
    expect(await reason(join(home, "pipe.json"))).toBe("is no file");
    expect(await reason("/dev/zero")).toBe("is no file");
  });

  it("links that lead nowhere, or around", async () => {
    symlinkSync(join(home, "gone.json"), join(home, "dangling.json"));
    expect(await reason(join(home, "dangling.json"))).toBe("is a link to nothing");
    symlinkSync(join(home, "loop.json"), join(home, "loop.json"));
    expect(await reason(join(home, "loop.json"))).toBe("cannot be read (ELOOP)");
  });

  it("a file that may not be read", async () => {
    const path = join(home, "closed.json");
    writeFileSync(path, "{}");
    chmodSync(path, 0o000);
    // Root may read everything.
    const expected = process.getuid?.() === 0 ? "read" : "cannot be read (EACCES)";
    expect(await reason(path)).toBe(expected);
  });

  it("follows a link and says where it led", async () => {
    const real = join(home, "dotfiles.json");
    writeFileSync(real, fixture("cursor.json"));
    mkdirSync(join(home, ".cursor"));
    symlinkSync(real, join(home, ".cursor", "mcp.json"));
    const content = await readHostFile(
      namedFile(join(home, ".cursor", "mcp.json"), machine),
      machine,
    );
    expect(content).toMatchObject({ kind: "read", linkedTo: real });
  });
});
