import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../../src/core/errors.ts";
import { McpBench } from "./mcp-bench.ts";

let bench: McpBench;
beforeEach(() => {
  bench = new McpBench();
});
afterEach(() => bench.remove());

describe("a secret", () => {
  const remote = ["add", "linear", "https://mcp.example.com/mcp", "--header", "Authorization"];
  const github = ["add", "github", "--env", "TOKEN", "--", "gh-mcp"];

  it("without a value is taken from the environment, by name", async () => {
    bench.variables = { TOKEN: "s3cret" };
    await bench.agent(...github);
    expect(bench.servers).toEqual({ github: { command: "gh-mcp", env: { TOKEN: "${TOKEN}" } } });
    expect(bench.kept.size).toBe(0);
    expect(bench.notes.join("\n")).not.toContain("s3cret");
  });

  it("else comes from stdin, and is kept apart", async () => {
    bench.pipe("s3cret-value\nmore\n");
    await bench.agent(...github);
    expect(bench.servers).toEqual({
      github: { command: "gh-mcp", env: { TOKEN: "${secret:github/TOKEN}" } },
    });
    expect([...bench.kept]).toEqual([["github/TOKEN", "s3cret-value"]]);
    expect(bench.notes).toContain("Kept github/TOKEN in the keychain");
    expect(bench.text + bench.stdout + bench.notes.join("\n")).not.toContain("s3cret-value");
  });

  it("or is asked for on a terminal, unseen", async () => {
    bench.onTerminal("first-value", "second-value");
    await bench.agent("add", "x", "--env", "A", "--env", "B", "--", "y");
    expect([...bench.kept]).toEqual([
      ["x/A", "first-value"],
      ["x/B", "second-value"],
    ]);
    expect(bench.notes).toContain("A of x:");
  });

  it.each([
    ["abc123", "Bearer abc123"],
    ["Bearer abc123", "Bearer abc123"],
    ["Basic dTpw", "Basic dTpw"],
  ])("for Authorization: %s is sent as %s", async (typed, sent) => {
    bench.pipe(`${typed}\n`);
    await bench.agent(...remote);
    expect(bench.kept.get("linear/Authorization")).toBe(sent);
    expect(bench.notes.some((note) => note.includes("Bearer is put before it"))).toBe(
      typed === "abc123",
    );
    expect(bench.servers).toMatchObject({
      linear: { headers: { Authorization: "${secret:linear/Authorization}" } },
    });
  });

  it("is not asked for again where the server is there with it; with --replace it is", async () => {
    bench.pipe("one");
    await bench.agent(...github);
    bench.stdin = undefined;
    await bench.agent(...github);
    expect(bench.stdout).toBe("Added github\nServer github is there already\n");
    bench.runGateway({ configurationFile: bench.file });
    bench.pipe("two");
    await bench.agent("add", "--replace", ...github.slice(1));
    expect(bench.kept.get("github/TOKEN")).toBe("two");
    expect(bench.notes.at(-1)).toContain("agent serve --restart");
    bench.pipe("three");
    await bench.agent("add", "github", "--env", "TOKEN", "--replace");
    expect(bench.kept.get("github/TOKEN")).toBe("three");
    expect(bench.servers).toMatchObject({ github: { command: "gh-mcp" } });
  });

  it.each<[what: string, stdin: string, words: string[], message: RegExp]>([
    ["none", "\n", github, /There is no value for TOKEN; nothing was changed/u],
    [
      "two for one pipe",
      "x",
      ["add", "x", "--env", "A", "--env", "B", "--", "y"],
      /several are wanted: A, B/u,
    ],
    ["control characters", "a\u{7}b\n", github, /control characters/u],
  ])("%s is refused, and nothing written", async (_what, stdin, words, message) => {
    bench.pipe(stdin);
    expect((await bench.failure(...words)).message).toMatch(message);
    expect(bench.text).toBe(undefined);
    expect(bench.kept.size).toBe(0);
  });

  it("that cannot be kept, or whose file cannot be saved, leaves everything as it was", async () => {
    bench.pipe("value");
    bench.storeFailure = new AppError("store_unavailable", "Keychain is locked");
    expect(await bench.failure(...github)).toMatchObject({ code: "store_unavailable" });
    expect(bench.text).toBe(undefined);

    bench.storeFailure = undefined;
    bench.kept.set("github/TOKEN", "before");
    bench.put("{}");
    bench.onSet = () => bench.put('{"port": 7}');
    bench.pipe("value");
    expect(await bench.failure(...github)).toMatchObject({
      code: "config_invalid",
      message: "FILE: was changed meanwhile, so nothing was written",
    });
    expect(bench.text).toBe('{"port": 7}');
    expect(bench.kept.get("github/TOKEN")).toBe("before");

    bench.restoreFailure = new AppError("store_unavailable", "the earlier one could not be read");
    bench.put("{}");
    bench.pipe("value");
    await bench.failure(...github);
    expect(bench.notes).toContain(
      "The secret github/TOKEN is the new one now, since the earlier one could not be read",
    );
  });

  it("of a server whose name differs only in blanks is kept beside it", async () => {
    bench.pipe("one");
    await bench.agent("add", "a-b", "--env", "K", "--", "x");
    bench.pipe("two");
    await bench.agent("add", "a b", "--env", "K", "--", "x");
    expect([...bench.kept.values()]).toEqual(["one", "two"]);
  });

  it("in the clear goes in as it is, with a note", async () => {
    await bench.agent(
      "add",
      "x",
      "--env",
      "API_KEY=abc",
      "--env",
      "LEVEL=2",
      "--",
      "y",
      "--token=sk1",
    );
    expect(bench.servers).toMatchObject({ x: { env: { API_KEY: "abc", LEVEL: "2" } } });
    const notes = bench.notes.join("\n");
    expect(notes).toContain("x: API_KEY looks like a secret");
    expect(notes).toContain("x: its command line or URL holds what looks like a secret");
    expect(notes).not.toContain("LEVEL");
    expect(notes).not.toMatch(/abc|sk1/u);
  });
});

describe("a placeholder", () => {
  const snippet = `{"gh": {"command": "x", "args": ["/path/to/data"], "env": {"TOKEN": "<YOUR_TOKEN>", "LEVEL": "2"}},
    "web": {"url": "https://w.example", "headers": {"Authorization": "Bearer YOUR_API_KEY"}}}`;

  it("is named where nobody can be asked", async () => {
    await bench.agent("add", snippet);
    expect(bench.servers).toMatchObject({
      gh: { env: { TOKEN: "<YOUR_TOKEN>" } },
      web: { headers: { Authorization: "Bearer YOUR_API_KEY" } },
    });
    const notes = bench.notes.join("\n");
    expect(notes).toContain("gh: TOKEN is only a placeholder");
    expect(notes).toContain("web: Authorization is only a placeholder");
    expect(notes).toContain('gh: "/path/to/data" is only a placeholder');
    expect(notes).not.toContain("LEVEL");
  });

  it("is asked for on a terminal, and stays where there is no value yet", async () => {
    bench.onTerminal("", "abc123");
    await bench.agent("add", snippet);
    expect(bench.servers).toMatchObject({
      gh: { env: { TOKEN: "<YOUR_TOKEN>", LEVEL: "2" } },
      web: { headers: { Authorization: "${secret:web/Authorization}" } },
    });
    expect([...bench.kept]).toEqual([["web/Authorization", "Bearer abc123"]]);
    expect(bench.notes).toContain("TOKEN stays the placeholder that it is");
  });

  it("of VS Code that asks for a value is a secret, too", async () => {
    const asking = `{"inputs": [{"id": "key", "type": "promptString", "description": "Key"}],
      "servers": {"a": {"command": "x", "env": {"KEY": "\${input:key}"}}}}`;
    await bench.agent("add", asking);
    const servers = { a: { command: "x", env: { KEY: "${secret:a/KEY}" }, disabled: true } };
    expect(bench.servers).toEqual(servers);
    expect(bench.notes).toContain(
      "a: it is disabled, since the secret a/KEY is not kept on this machine: agent mcp add a --env KEY --replace; then agent mcp enable a",
    );
    expect(await bench.failure("enable", "a")).toEqual({
      code: "usage",
      message: `Server "a" cannot be enabled: the secret a/KEY is not kept on this machine`,
      hint: "agent mcp add a --env KEY --replace",
    });
    expect(bench.servers).toEqual(servers);
    bench.pipe("value");
    await bench.agent("add", "a", "--env", "KEY", "--replace");
    expect(bench.kept.get("a/KEY")).toBe("value");
    expect(bench.notes).toContain("a: it is disabled: agent mcp enable a");
    await bench.agent("enable", "a");
    expect(bench.servers).toMatchObject({ a: { disabled: false } });
    bench.put("{}");
    bench.kept.clear();
    bench.onTerminal("value");
    await bench.agent("add", asking);
    expect(bench.kept.get("a/KEY")).toBe("value");
    expect(bench.servers).toEqual({ a: { command: "x", env: { KEY: "${secret:a/KEY}" } } });
  });

  it.each([
    ["headers", "--header", "Authorization", "Bearer ${secret:a/Authorization}"],
    ["env", "--env", "AUTH", "Bearer ${secret:a/AUTH}"],
  ])("in a longer text of %s is asked for alone", async (place, option, key, text) => {
    const entry = place === "env" ? { command: "x" } : { url: "https://a.example" };
    bench.put(JSON.stringify({ mcpServers: { a: { ...entry, [place]: { [key]: text } } } }));
    bench.pipe("Bearer tok-1");
    await bench.agent("add", "a", option, key, "--replace");
    expect(bench.kept.get(`a/${key}`)).toBe("tok-1");
    expect(bench.servers).toEqual({ a: { ...entry, [place]: { [key]: text } } });
  });

  it("in the arguments is asked for, and no variable made of it", async () => {
    const args = ["--key", "${secret:a/k-1}"];
    bench.put(JSON.stringify({ mcpServers: { a: { command: "x", args, disabled: true } } }));
    expect((await bench.failure("enable", "a")).hint).toBe(
      "agent mcp add a --header k-1 --replace",
    );
    bench.pipe("tok-1");
    await bench.agent("add", "a", "--header", "k-1", "--replace");
    expect([...bench.kept]).toEqual([["a/k-1", "tok-1"]]);
    expect(bench.servers).toEqual({ a: { command: "x", args, disabled: true } });
  });
});

describe("a variable that is not set", () => {
  const snippet = '{"a": {"command": "x", "env": {"A": "${NOT_SET}", "B": "${IS_SET}"}}}';

  it("has the server written down disabled, and enabled only once it is set", async () => {
    bench.variables = { IS_SET: "1" };
    await bench.agent("add", snippet);
    expect(bench.servers).toMatchObject({ a: { disabled: true } });
    expect(bench.notes).toContain(
      "a: it is disabled, since the environment variable NOT_SET is not set: set NOT_SET, here and for the gateway; then agent mcp enable a",
    );
    expect(bench.notes).toContain(
      "a: IS_SET is read from the environment of the gateway, where it must be set too",
    );
    expect(await bench.failure("enable", "a")).toMatchObject({
      message: `Server "a" cannot be enabled: the environment variable NOT_SET is not set`,
      hint: "set NOT_SET, here and for the gateway",
    });
    bench.variables = { IS_SET: "1", NOT_SET: "" };
    await bench.agent("enable", "a");
    expect(bench.servers).toMatchObject({ a: { disabled: false } });
  });

  it("does not stop a server that runs with it where the gateway is", async () => {
    bench.put('{"mcpServers": {"a": {"command": "x", "env": {"A": "${NOT_SET}"}}}}');
    await bench.agent("add", "a", "--tag", "t", "--replace");
    expect(bench.servers).toMatchObject({ a: { tags: ["t"] } });
    expect(bench.servers["a"]).not.toHaveProperty("disabled");
  });
});
