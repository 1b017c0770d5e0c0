import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../../src/core/errors.ts";
import { McpBench } from "./mcp-bench.ts";

let bench: McpBench;
beforeEach(() => {
  bench = new McpBench();
});
afterEach(() => bench.remove());

const text = `{
  // what I use
  "port": 3050, // the usual one
  "mcpServers": {
    // files
    "files": { "command": "npx", "args": ["-y", "x", "--token=abc"], "tags": ["a", "b"], "pin": "warn" }, // f
    "web": {
      "url": "https://me.example/mcp?api_key=abc",
      "disabled": true, // for now
    },
    "github": { "command": "gh", "env": {"T": "\${secret:github/T}"} }
  }
}
`;

describe("agent mcp list", () => {
  it("shows what the file has, without secrets, and without asking a gateway", async () => {
    bench.put(text);
    await bench.agent("list");
    expect(bench.stdout).toBe(
      `NAME    TYPE   STATE  TAGS  PIN   TARGET
files   stdio  on     a,b   warn  npx -y x --token=[redacted]
web     http   off    -     off   https://me.example/mcp?api_key=[redacted]
github  stdio  on     -     off   gh
`,
    );
    expect(await bench.json("list")).toEqual({
      file: bench.file,
      servers: [
        {
          name: "files",
          type: "stdio",
          target: "npx -y x --token=[redacted]",
          state: "on",
          tags: ["a", "b"],
          pin: "warn",
        },
        expect.objectContaining({ name: "web", type: "http", state: "off" }),
        expect.objectContaining({ name: "github", tags: [], pin: "off" }),
      ],
    });
  });

  it("fits the terminal", async () => {
    bench.put(text);
    bench.columns = 50;
    await bench.agent("list");
    expect(Math.max(...bench.stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(
      50,
    );
  });

  it("says that there are none, and shows what is no entry as such", async () => {
    await bench.agent("list");
    expect(bench.stdout).toBe("");
    expect(bench.notes).toEqual([expect.stringMatching(/^There is no .*agent mcp add.*import/u)]);
    bench.put('{"mcpServers": {"a": 5, "b": {"command": 7}}}');
    expect(await bench.json("list")).toMatchObject({
      servers: [
        { name: "a", type: null, target: null },
        { name: "b", type: "stdio", target: null },
      ],
    });
    bench.put("nothing");
    expect((await bench.failure("list")).message).toMatch(/^FILE:1: not valid JSON/u);
  });
});

describe("agent mcp enable and disable", () => {
  it("change one word, and say what was so already", async () => {
    bench.put(text);
    await bench.agent("enable", "web", "files");
    expect(bench.text).toBe(
      text.replace('"disabled": true, // for now', '"disabled": false, // for now'),
    );
    expect(bench.stdout).toBe("Server web is enabled\nServer files is enabled already\n");
    expect(await bench.json("disable", "web")).toEqual({
      file: bench.file,
      changed: ["web"],
      unchanged: [],
      gateway: "not running",
    });
    expect(bench.text).toBe(text);
    const changes = bench.notes.length;
    expect(await bench.json("disable", "web")).toMatchObject({ changed: [], unchanged: ["web"] });
    expect(bench.notes).toHaveLength(changes);
  });

  it.each(["enable", "disable", "remove"])(
    "%s of an unknown server changes nothing",
    async (verb) => {
      bench.put(text);
      const words = verb === "remove" ? ["--yes", "web", "fils"] : ["web", "fils"];
      expect(await bench.failure(verb, ...words)).toEqual({
        code: "not_found",
        message: 'No server "fils" in FILE',
        hint: "did you mean files?",
      });
      expect((await bench.failure(verb, "constructor")).code).toBe("not_found");
      expect(bench.text).toBe(text);
      expect((await bench.failure(verb)).message).toBe("<name> is missing");
    },
  );
});

describe("agent mcp remove", () => {
  it("takes the entries out, with the comment on their line, and leaves all else", async () => {
    bench.put(text);
    await bench.agent("remove", "files", "web");
    const start = text.indexOf('    "files"');
    expect(bench.text).toBe(text.slice(0, start) + text.slice(text.indexOf('    "github"')));
    expect(bench.stdout).toBe("Removed files\nRemoved web\n");
    expect(bench.notes).toEqual([
      `Changed ${bench.file}; next: agent serve --background`,
      expect.stringMatching(/^The file as it was: .*\.bak$/u),
    ]);
  });

  it("takes the server's own secrets along, not those that another one uses", async () => {
    bench.put(
      text.replace('"command": "npx"', '"command": "npx", "env": {"U": "${secret:github/U}"}'),
    );
    for (const name of ["github/T", "github/U", "github/V", "github2/T", "files/T"]) {
      bench.kept.set(name, "x");
    }
    expect(await bench.json("remove", "github")).toEqual({
      file: bench.file,
      removed: ["github"],
      secretsRemoved: ["github/T", "github/V"],
      secretsLeft: [],
      backup: expect.stringMatching(/\.bak$/u),
      gateway: "not running",
    });
    expect([...bench.kept.keys()]).toEqual(["github/U", "github2/T", "files/T"]);
  });

  it("leaves a secret that the rest of the file refers to", async () => {
    const options = { issuer: "https://i.example", audience: "a", secret: "${secret:github/T}" };
    const auth = JSON.stringify({ type: "jwt", options });
    bench.put(text.replace('"mcpServers"', `"auth": ${auth}, "mcpServers"`));
    bench.kept.set("github/T", "x".repeat(40));
    expect(await bench.json("remove", "github")).toMatchObject({ secretsRemoved: [] });
    expect([...bench.kept.keys()]).toEqual(["github/T"]);
  });

  it("names a secret that stays, and ends with 1", async () => {
    bench.put(text);
    bench.kept.set("github/T", "x");
    bench.storeFailure = new AppError("store_unavailable", "Keychain is locked");
    expect(await bench.agent("remove", "github")).toBe(1);
    expect(bench.text).not.toContain("github");
    expect(bench.notes).toContain("Its secret github/T stays: Keychain is locked");
  });

  it("asks on a terminal, and keeps the file where no gateway says that it remembers the entry", async () => {
    bench.put(text);
    bench.onTerminal("n");
    await bench.agent("remove", "web");
    expect(bench.notes).toEqual(["Remove web? [y/N]", "Nothing was removed"]);
    expect(bench.text).toBe(text);
    bench.runGateway({ configurationFile: bench.file });
    bench.notes.length = 0;
    bench.onTerminal("y");
    await bench.agent("remove", "web");
    expect(bench.notes).toEqual([
      "Remove web? [y/N]",
      `Changed ${bench.file}; the running gateway takes it up by itself`,
      expect.stringMatching(/^The file as it was: .*\.bak$/u),
    ]);
    bench.stdin = undefined;
    await bench.agent("remove", "files", "--yes");
    expect(bench.text).not.toContain('files"');
  });
});
