import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { McpBench } from "./mcp-bench.ts";

let bench: McpBench;
beforeEach(() => {
  bench = new McpBench();
});
afterEach(() => bench.remove());

describe("a snippet", () => {
  const map = { fs: { command: "npx", args: ["-y", "x"] } };
  it.each<[what: string, text: string]>([
    ["as every client has it", '{"mcpServers": {"fs": {"command": "npx", "args": ["-y", "x"]}}}'],
    ["without the outer braces", '"mcpServers": {"fs": {"command": "npx", "args": ["-y", "x"]}}'],
    ["of one member", '"fs": {"command": "npx", "args": ["-y", "x"]},'],
    ["with comments", '// mine\n{"fs": {"command": "npx", /* so */ "args": ["-y", "x",],},}'],
    ["that lost its last brace", '{"mcpServers": {"fs": {"command": "npx", "args": ["-y", "x"]}}'],
    ["that lost its first brace", '"mcpServers": {"fs": {"command": "npx", "args": ["-y", "x"]}}}'],
    [
      "in a fence",
      'Put this in:\n\n```jsonc\n{"fs": {"command": "npx", "args": ["-y", "x"]}}\n```\nand `restart`.',
    ],
    [
      "with curly quotes",
      "{\u{201c}fs\u{201d}: {\u{201c}command\u{201d}: \u{201c}npx\u{201d}, \u{201c}args\u{201d}: [\u{201c}-y\u{201d}, \u{201c}x\u{201d}]}}",
    ],
    ["of VS Code", '{"servers": {"fs": {"type": "stdio", "command": "npx", "args": ["-y", "x"]}}}'],
  ])("%s is taken, as a word and from a pipe", async (_what, text) => {
    bench.pipe(`\u{feff}${text}\n`);
    await bench.agent("add");
    expect(bench.servers).toMatchObject(map);
    expect(bench.stdout).toBe("Added fs\n");
    bench.stdin = undefined;
    await bench.agent("add", text);
    expect(bench.stdout).toBe("Added fs\nServer fs is there already\n");
  });

  it("never gets what is kept for another server, however it asks", async () => {
    bench.pipe("theirs");
    await bench.agent("add", "github", "--env", "KEY", "--", "x");
    bench.stdin = undefined;
    for (const asked of ["${secret:github/KEY}", "${secret:github${/}KEY}"]) {
      const entry = { url: "https://a.example", headers: { A: asked } };
      const { message } = await bench.failure("add", JSON.stringify({ weather: entry }));
      expect(message).toContain("asks for a secret that is not its own");
    }
    const told = {
      command: "y",
      instructions: "Pass ${secret:github/KEY}.",
      inheritEnv: ["A_KEY"],
    };
    await bench.agent("add", JSON.stringify({ weather: told }));
    expect(bench.servers["weather"]).toEqual({ command: "y" });
    expect(bench.notes.join("\n")).toMatch(/left out: inheritEnv[^]*left out: instructions/u);
  });

  it.each(["```", "`", "\u2028```", "\t"])("of a million of %j is read once", async (text) => {
    const { code } = await bench.failure(
      "add",
      `{${text.repeat(900_000 / Buffer.byteLength(text))}`,
    );
    expect(code).toBe("usage");
  });

  it("adds all its servers, in one go", async () => {
    await bench.agent(
      "add",
      '{"a": {"command": "x"}, "b": {"url": "https://b.example"}}',
      "--tag",
      "t",
    );
    expect(bench.servers).toMatchObject({
      a: { command: "x", tags: ["t"] },
      b: { url: "https://b.example", tags: ["t"] },
    });
    expect(bench.stdout).toBe("Added a\nAdded b\n");
  });

  it("is called as the word before it says", async () => {
    await bench.agent("add", "mine", '{"command": "x"}');
    await bench.agent("add", "other", '{"mcpServers": {"fs": {"command": "y"}}}');
    expect(Object.keys(bench.servers)).toEqual(["mine", "other"]);
  });

  it.each<[what: string, words: string[], message: RegExp, hint: RegExp]>([
    [
      "command and url",
      ['{"a": {"command": "x"}, "z": {"command": "x", "url": "https://y"}}'],
      /^z in the snippet cannot be added: it has both a command and a URL/u,
      /leave command or url out/u,
    ],
    ["nothing to start", ['{"a": {"comand": "x"}}'], /cannot be added|no MCP server/u, /./u],
    [
      "no JSON",
      ["{ nonsense"],
      /cannot be read: not valid JSON.*line 1/u,
      /agent mcp add <name> -- /u,
    ],
    ["a list of words", ['["a"]'], /no MCP server/u, /agent mcp add <name> <url>/u],
    ["nobody's name", ['{"command": "x"}'], /does not say what the server is called/u, /<name>/u],
    ["a key twice", ['{"a": {"command": "x", "command": "y"}}'], /stands here twice/u, /./u],
    [
      "two, with one name",
      ["n", '{"a": {"command": "x"}, "b": {"command": "y"}}'],
      /2 servers/u,
      /leave the name out/u,
    ],
    [
      "two, with --env",
      ['{"a": {"command": "x"}, "b": {"command": "y"}}', "--env", "A=1"],
      /--env is for one server/u,
      /one server at a time/u,
    ],
    [
      "words behind it",
      ['{"a": {"command": "x"}}', "more"],
      /follows the snippet/u,
      /single quotes/u,
    ],
    ["too much", [`{"a": {"command": "${"x".repeat(1024 * 1024)}"}}`], /larger than 1 MiB/u, /.?/u],
    ["too deep", ["[".repeat(200_000)], /nested too deeply/u, /.?/u],
  ])("with %s is refused, and nothing of it added", async (_what, words, message, hint) => {
    const failure = await bench.failure("add", ...words);
    expect(failure).toMatchObject({ code: "usage", message: expect.stringMatching(message) });
    expect(failure.hint ?? "").toMatch(hint);
    expect(bench.text).toBe(undefined);
  });

  it("that never came is said", async () => {
    bench.pipe("\n");
    expect(await bench.failure("add")).toMatchObject({
      code: "usage",
      message: "stdin was empty: did the command before the pipe fail?",
    });
    bench.onTerminal();
    expect(await bench.failure("add", "fs")).toMatchObject({ message: "What is the server?" });
  });

  it("from a pipe that does not end in time is cut at 1 MiB", async () => {
    bench.pipe("x".repeat(2 * 1024 * 1024));
    expect((await bench.failure("add")).message).toBe("What comes on stdin is larger than 1 MiB");
  });
});
