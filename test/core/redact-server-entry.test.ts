import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { redactServerEntry } from "../../src/core/redact-server-entry.ts";

/** How one argument is shown, behind those before it. */
function argument(...args: string[]): Json | undefined {
  const shown = redactServerEntry({ command: "x", args })["args"];
  return Array.isArray(shown) ? shown.at(-1) : undefined;
}

function url(text: string): Json | undefined {
  return redactServerEntry({ url: text })["url"];
}

describe("headers and env", () => {
  test.each([
    ["abc", "[redacted]"],
    ["", ""],
    ["${NAME}", "${NAME}"],
    ["Bearer ${NAME}", "Bearer ${NAME}"],
    ["bearer ${NAME}", "bearer ${NAME}"],
    ["Bearer abc", "Bearer [redacted]"],
    ["Basic ${USER}:${PASSWORD}", "Basic ${USER}[redacted]${PASSWORD}"],
    ["pre-${NAME}-post", "[redacted]${NAME}[redacted]"],
    ["${NAME:-fallback}", "${NAME:-[redacted]}"],
    ["${NAME:-}", "${NAME:-}"],
    ["${secret:github/TOKEN}", "${secret:github/TOKEN}"],
    ["Bearer ${secret:a.b-c}", "Bearer ${secret:a.b-c}"],
    ["${secret:a:-ghp_default}", "[redacted]"],
    ["${secret:no name}", "[redacted]"],
    ["${not a name}", "[redacted]"],
    ["${OPEN", "[redacted]"],
    ["\u{e000}${NAME}\u{e001}", "[redacted]${NAME}[redacted]"],
  ])("%j is shown as %j", (value, shown) => {
    expect(redactServerEntry({ env: { LEVEL: value }, headers: { Accept: value } })).toEqual({
      env: { LEVEL: shown },
      headers: { Accept: shown },
    });
  });

  test("of another shape are hidden all the same", () => {
    const odd = { a: 5, b: ["secret", null, true], c: { d: "secret" } };
    const shown = { a: "[redacted]", b: ["[redacted]", null, true], c: { d: "[redacted]" } };
    expect(redactServerEntry({ env: odd })).toEqual({ env: shown });
    expect(redactServerEntry({ headers: "secret", env: 7 })).toEqual({
      headers: "[redacted]",
      env: "[redacted]",
    });
  });
});

describe("addresses", () => {
  test.each([
    ["https://example.com/mcp?page=2#top", "https://example.com/mcp?page=2#top"],
    [
      "https://example.com/mcp?api_key=abc&page=2",
      "https://example.com/mcp?api_key=[redacted]&page=2",
    ],
    [
      "https://example.com/?a=1&access_token=abc#x",
      "https://example.com/?a=1&access_token=[redacted]#x",
    ],
    ["https://example.com/#access_token=abc", "https://example.com/#access_token=[redacted]"],
    ["https://example.com/?api%5Fkey=abc", "https://example.com/?api%5Fkey=[redacted]"],
    ["https://example.com/?%=abc&key=abc", "https://example.com/?%=abc&key=[redacted]"],
    ["https://example.com/?token=${TOKEN}", "https://example.com/?token=${TOKEN}"],
    ["https://example.com/?token=${TOKEN:-abc}", "https://example.com/?token=${TOKEN:-[redacted]}"],
    ["https://me:pass@example.com/", "https://[redacted]@example.com/"],
    ["https://token@example.com/", "https://[redacted]@example.com/"],
    ["https://me:p@ss@example.com/", "https://[redacted]@example.com/"],
    ["https://${USER}:${PASS}@example.com/", "https://${USER}[redacted]${PASS}@example.com/"],
    [
      "${URL:-https://me:pass@example.com/?sig=abc}",
      "${URL:-https://[redacted]@example.com/?sig=[redacted]}",
    ],
    ["https://example.com/od_abcdefghijklmnopqrst", "https://example.com/[redacted]"],
  ])("%s", (written, shown) => {
    expect(url(written)).toBe(shown);
  });
});

describe("arguments", () => {
  test.each([
    [["--token=abc"], "--token=[redacted]"],
    [["--token=a b&c"], "--token=[redacted]"],
    [["--token=${TOKEN}"], "--token=${TOKEN}"],
    [["--token=${TOKEN:-abc}"], "--token=${TOKEN:-[redacted]}"],
    [["--api-key", "abc"], "[redacted]"],
    [["--api-key", "${KEY}"], "${KEY}"],
    [["--api-key", "-y"], "-y"],
    [["-y", "abc"], "abc"],
    [["--max-tokens=100"], "--max-tokens=100"],
    [["--max-tokens", "100"], "100"],
    [["API_KEY=abc"], "API_KEY=[redacted]"],
    [["LEVEL=abc"], "LEVEL=abc"],
    [["-e", "LEVEL=abc"], "LEVEL=[redacted]"],
    [["-e", "LEVEL"], "LEVEL"],
    [["--env=LEVEL=abc"], "--env=LEVEL=[redacted]"],
    [["-eLEVEL=abc"], "-eLEVEL=[redacted]"],
    [["--header", "X-What: abc"], "X-What: [redacted]"],
    [["--header", "Authorization: Bearer ${TOKEN}"], "Authorization: Bearer ${TOKEN}"],
    [["--header", "abc"], "[redacted]"],
    [["--header=X-What:abc"], "--header=X-What:[redacted]"],
    [["-H", "Authorization:${AUTH}"], "Authorization:${AUTH}"],
    [["X-Api-Key: abc"], "X-Api-Key: [redacted]"],
    [["https://example.com/mcp?key=abc&page=1"], "https://example.com/mcp?key=[redacted]&page=1"],
    [
      ["-c", "env TOKEN=abc run --password 'a b' --to x"],
      "env TOKEN=[redacted] run --password [redacted] --to x",
    ],
    [["-c", 'run --secret="a b" -v'], "run --secret=[redacted] -v"],
    [["--config", '{"apiKey": "abc", "page": 1}'], '{"apiKey":"[redacted]","page":1}'],
    [["--config", '{"page": 1}'], '{"page": 1}'],
    [["--config", "{not json} token=abc"], "{not json} token=[redacted]"],
    [["/home/me/notes"], "/home/me/notes"],
    [["-y", "@scope/server-filesystem@1.2.3"], "@scope/server-filesystem@1.2.3"],
    [["Bearer abcdefghijkl"], "Bearer [redacted]"],
  ])("%j ends in %j", (args, shown) => {
    expect(argument(...args)).toBe(shown);
  });

  test("of another shape stay, without their secrets", () => {
    expect(redactServerEntry({ args: [1, null, ["x"], { token: "abc" }] })).toEqual({
      args: [1, null, ["x"], { token: "[redacted]" }],
    });
    expect(redactServerEntry({ args: "--token=abc" })).toEqual({ args: "--token=[redacted]" });
  });
});

describe("an entry", () => {
  test("keeps its keys, their order, and what it does not know", () => {
    const entry: JsonObject = JSON.parse(
      '{"zeta": {"clientSecret": "abc", "max_tokens": 5, "on": true}, "command": "x", "__proto__": {"a": 1}, "access": {"read": ["get_*"]}}',
    );
    expect(JSON.stringify(redactServerEntry(entry))).toBe(
      '{"zeta":{"clientSecret":"[redacted]","max_tokens":5,"on":true},"command":"x","__proto__":{"a":1},"access":{"read":["get_*"]}}',
    );
  });

  test("is not changed itself", () => {
    const entry = { env: { A: "secret" }, args: ["--token=abc"] };
    redactServerEntry(entry);
    expect(entry).toEqual({ env: { A: "secret" }, args: ["--token=abc"] });
  });

  test("nested far deeper than any is cut", () => {
    let deep: Json = "secret";
    for (let level = 0; level < 5_000; level += 1) deep = { token: [deep] };
    expect(JSON.stringify(redactServerEntry({ deep, env: deep })).length).toBeLessThan(2_000);
  });

  test("a megabyte long is looked through before anybody loses patience", () => {
    const long = "token=".repeat(80_000) + "://x".repeat(60_000) + "${A:-".repeat(200);
    expect(JSON.stringify(redactServerEntry({ args: [long] }))).not.toContain("token=token=token");
  });
});

test.each([
  [{ args: ["-u", "ada:hunter2"] }, { args: ["-u", "ada:[redacted]"] }],
  [{ args: ["-k", "a1B2c3D4e5"] }, { args: ["-k", "[redacted]"] }],
  [{ args: ["a1b2c3d4e5f6a7b8c9d0e1f2a3b4"] }, { args: ["[redacted]"] }],
  [
    { url: "https://h/mcp/a1b2c3d4e5f6a7b8c9d0e1f2a3b4?k=a1B2c3D4e5" },
    { url: "https://h/mcp/[redacted]?k=[redacted]" },
  ],
  [{ args: ["@scope/server-filesystem-2025"] }, { args: ["@scope/server-filesystem-2025"] }],
])("%j is listed as %j, by its looks alone", (entry, shown) => {
  expect(redactServerEntry(entry)).toEqual(shown);
});
