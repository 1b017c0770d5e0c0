import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { McpBench } from "./mcp-bench.ts";

let bench: McpBench;
beforeEach(() => {
  bench = new McpBench();
});
afterEach(() => bench.remove());

const fs = ["add", "fs", "--", "npx", "-y", "@modelcontextprotocol/server-filesystem", "/data"];
const fsEntry = {
  command: "npx",
  args: ["-y", "@modelcontextprotocol/server-filesystem", "/data"],
};

describe("a command line", () => {
  it("is written as it stands behind --, into a file that is made", async () => {
    await bench.agent(...fs);
    expect(bench.servers).toEqual({ fs: fsEntry });
    expect(bench.stdout).toBe("Added fs\n");
    expect(bench.notes).toEqual([`Changed ${bench.file}; next: agent serve --background`]);
  });

  it("starts in the folder that its relative paths mean, or where --cwd says", async () => {
    await bench.agent("add", "a", "--", "node", ".", "--json");
    await bench.agent("add", "b", "--cwd", "sub", "--", "./serve");
    expect(bench.servers).toEqual({
      a: { command: "node", args: [".", "--json"], cwd: "/home/me/project" },
      b: { command: "./serve", cwd: "/home/me/project/sub" },
    });
    expect(bench.notes.join("\n")).toContain("a: it starts in this folder, which . is relative to");
  });

  it("takes options before it, and its own ones as they are", async () => {
    bench.variables = { REGION: "eu" };
    const options = ["--env", "REGION", "-e", "MODE=a=b", "--tag", "t", "--tag", "u", "--disabled"];
    await bench.agent("add", "x", ...options, "--", "run", "--env", "KEY", "--tag=v");
    expect(bench.servers).toEqual({
      x: {
        command: "run",
        args: ["--env", "KEY", "--tag=v"],
        env: { REGION: "${REGION}", MODE: "a=b" },
        tags: ["t", "u"],
        disabled: true,
      },
    });
  });

  it.each<[words: string[], message: RegExp, hint: string]>([
    [["npx", "--", "-y", "x"], /needs a name before its command/u, "agent mcp add <name> -- npx …"],
    [["a/b", "--", "x"], /"a\/b" cannot be added: a server's name must not hold a \//u, ""],
    [[" ", "--", "x"], /name must not be empty/u, ""],
    [["a\u{7}b", "--", "x"], /must not hold control or invisible characters/u, ""],
    [["x".repeat(65), "--", "x"], /at most 64 characters/u, ""],
    [["x", "--type", "http", "--", "y"], /"http" needs url, not command/u, ""],
    [["x", "--header", "A: b", "--", "y"], /headers belongs to a server with url/u, ""],
    [["x", "--env", "=v", "--", "y"], /--env has no name: ""/u, "--env KEY"],
    [["x", "--env", "A=1", "--env", "A=2", "--", "y"], /--env A is given twice/u, ""],
    [["x", "--env", "ONEDOOR_TOKEN=1", "--", "y"], /never handed to a server/u, ""],
  ])("%j is refused", async (words, message, hint) => {
    const failure = await bench.failure("add", ...words);
    expect(failure).toMatchObject({ code: "usage", message: expect.stringMatching(message) });
    expect(failure.hint ?? "").toContain(hint);
    expect(bench.text).toBe(undefined);
  });
});

describe("a URL", () => {
  it("is a server; one that ends in /sse of the older kind, which is said", async () => {
    await bench.agent("add", "a", "https://mcp.example.com/mcp", "--header", "X-Team: blue");
    await bench.agent("add", "b", "https://mcp.example.com/sse");
    await bench.agent("add", "c", "https://mcp.example.com/sse", "--type", "http");
    expect(bench.servers).toEqual({
      a: { url: "https://mcp.example.com/mcp", headers: { "X-Team": "blue" } },
      b: { type: "sse", url: "https://mcp.example.com/sse" },
      c: { url: "https://mcp.example.com/sse", type: "http" },
    });
    expect(bench.notes.filter((note) => note.includes("HTTP+SSE"))).toHaveLength(1);
  });

  it.each<[words: string[], message: RegExp, hint: string | undefined]>([
    [["https://mcp.linear.app/mcp"], /needs a name/u, "agent mcp add linear <url>"],
    [["a", "ftp://x.example"], /must begin with http/u, undefined],
    [["a", "https://x.example", "more"], /Unexpected behind the URL: "more"/u, undefined],
    [["a", "https://me:pw@x.example"], /must not hold a user name/u, "put them into headers"],
    [["a", "https://x.example", "--header", "a b: c"], /--header has no name/u, undefined],
  ])("%j is refused", async (words, message, hint) => {
    const failure = await bench.failure("add", ...words);
    expect(failure).toMatchObject({ code: "usage", message: expect.stringMatching(message) });
    expect(failure.message).not.toContain("pw");
    expect(failure.hint ?? "").toContain(hint ?? "");
    expect(bench.text).toBe(undefined);
  });
});

describe("a name that exists", () => {
  it("is refused, unless it is the same entry", async () => {
    await bench.agent(...fs);
    const before = bench.text;
    expect(await bench.failure("add", "fs", "https://x.example")).toMatchObject({
      code: "usage",
      message: "There is a server fs already",
      hint: expect.stringContaining("--replace"),
    });
    await bench.agent(...fs);
    expect(bench.stdout).toBe("Added fs\nServer fs is there already\n");
    expect(bench.text).toBe(before);
    expect(bench.notes).toHaveLength(1);
  });

  it("is replaced with --replace, and keeps what was configured for it, and comments", async () => {
    bench.put(`{
  "mcpServers": {
    // mine
    "fs": { "command": "old", "env": {"A": "1"}, "access": {"organizations": ["acme"]}, "tags": ["t"] },
    "last": { "command": "x" } // the last one
  }
}
`);
    await bench.agent("add", "--replace", ...fs.slice(1));
    expect(bench.stdout).toBe("Replaced fs\n");
    expect(bench.text).toContain("// mine");
    expect(bench.text).toContain("// the last one");
    const { servers } = {
      servers: JSON.parse((bench.text ?? "").replaceAll(/\/\/.*/gu, "")).mcpServers,
    };
    expect(servers.fs).toEqual({ access: { organizations: ["acme"] }, tags: ["t"], ...fsEntry });
  });

  it("is replaced by a snippet in how it is reached alone", async () => {
    bench.put(
      '{"mcpServers": {"fs": {"command": "old", "tools": {"deny": ["x"]}, "tags": ["t"]}}}',
    );
    const snippet = { command: "new", tools: { deny: [] }, tags: ["public"], timeout: 5 };
    const text = JSON.stringify({ mcpServers: { fs: snippet } });
    await bench.agent("add", "--replace", "--tag", "u", text);
    expect(JSON.parse(bench.text ?? "").mcpServers.fs).toEqual({
      command: "new",
      tools: { deny: ["x"] },
      tags: ["t", "u"],
    });
  });

  it("is refused with a reference to a secret of another server", async () => {
    bench.put('{"mcpServers": {}}');
    const snippet = JSON.stringify({ a: { url: "https://a.example/${secret:github/T}" } });
    expect(await bench.failure("add", snippet)).toMatchObject({ code: "usage" });
    expect(bench.text).toBe('{"mcpServers": {}}');
  });
});

it("--dry-run asks and writes nothing, and shows no secret", async () => {
  const words = ["--dry-run", "--env", "KEY", "--env", "PASSWORD=abc"];
  await bench.agent("add", "x", ...words, "--", "y");
  expect(bench.stdout).toContain("Server x would be added:\n{");
  expect(bench.stdout).not.toContain("abc");
  expect(await bench.json("add", "x", ...words, "--", "y")).toEqual({
    file: bench.file,
    dryRun: true,
    gateway: null,
    servers: [
      {
        name: "x",
        outcome: "added",
        entry: { command: "y", env: { KEY: "${secret:x/KEY}", PASSWORD: "[redacted]" } },
        secrets: ["x/KEY"],
        notes: [expect.stringContaining("PASSWORD looks like a secret")],
      },
    ],
  });
  expect(bench.text).toBe(undefined);
});

describe("the file", () => {
  it("is the one of --config, of ONEDOOR_CONFIG, of the running gateway, or the usual one", async () => {
    const other = `${bench.folder}/other.json`;
    writeFileSync(other, "{}", { mode: 0o600 });
    await bench.agent("add", "a", "--config", other, "--", "x");
    expect(bench.notes).toEqual([
      `Changed ${other}; next: agent serve --background --config ${other}`,
    ]);
    bench.variables = { ONEDOOR_CONFIG: other };
    bench.notes.length = 0;
    expect(await bench.json("list")).toMatchObject({ file: other, servers: [{ name: "a" }] });
    expect(bench.notes).toEqual([`ONEDOOR_CONFIG names ${other}`]);
    bench.variables = {};
    bench.notes.length = 0;
    bench.runGateway({ configurationFile: other });
    await bench.agent("add", "b", "--", "x");
    expect(bench.notes).toEqual([
      `The running gateway's configuration is ${other}`,
      `Changed ${other}; the running gateway takes it up by itself`,
    ]);
    await bench.agent("add", "c", "--config", bench.file, "--", "x");
    expect(bench.notes.at(-1)).toBe(
      `Changed ${bench.file}; next: agent serve --background --config ${bench.file}`,
    );
  });

  it.each<[what: string, make: () => void, message: RegExp]>([
    ["others may write", () => bench.put("{}", 0o620), /group or others may write it/u],
    ["is wrong", () => bench.put('{\n"port" 1}'), /^FILE:2: not valid JSON/u],
    [
      "has servers of another kind",
      () => bench.put('{"mcpServers": []}'),
      /expected an object of servers/u,
    ],
    ["is huge", () => bench.put(`{}${" ".repeat(1024 * 1024)}`), /larger than 1 MiB/u],
    [
      "is a link",
      () => {
        bench.put("{}");
        symlinkSync(bench.file, `${bench.folder}/link.json`);
        bench.variables = { ONEDOOR_CONFIG: `${bench.folder}/link.json` };
      },
      /link\.json: is a link, and nothing is written through one/u,
    ],
    [
      "lies in a folder that others may write",
      () => {
        bench.put("{}");
        chmodSync(`${bench.folder}/config`, 0o777);
      },
      /may write its folder/u,
    ],
  ])("that %s is refused", async (_what, make, message) => {
    make();
    const before = bench.text;
    expect(await bench.failure(...fs)).toMatchObject({
      code: "config_invalid",
      message: expect.stringMatching(message),
    });
    expect(bench.text).toBe(before);
  });
});
