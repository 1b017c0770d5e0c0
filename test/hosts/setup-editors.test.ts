import * as fc from "fast-check";
import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { parseJsonDocument } from "../../src/config/json-document.ts";
import { AppError } from "../../src/core/errors.ts";
import { putChange, undoChange } from "../../src/hosts/setup-change.ts";
import type { SetupChange } from "../../src/hosts/setup-change.ts";
import type { SetupEditor } from "../../src/hosts/setup-editor.ts";
import type { SetupRecord } from "../../src/hosts/setup-record.ts";
import { blockEditor, documentEditor } from "../../src/hosts/write-instructions.ts";
import { jsonEntryEditor } from "../../src/hosts/write-json-entry.ts";
import { tomlEntryEditor } from "../../src/hosts/write-toml-entry.ts";
import { instructionText } from "../../src/hosts/instruction-file.ts";

const entry = { command: "npx", args: ["-y", "@onedoor/agent", "proxy"] };
const other = { command: "npx", args: ["-y", "@onedoor/agent", "proxy", "--preset=dev"] };
const json = (of: typeof entry = entry, key = "mcpServers"): SetupEditor =>
  jsonEntryEditor("/f.json", key, "onedoor", of);
const toml = (of: typeof entry = entry): SetupEditor => tomlEntryEditor("/f.toml", "onedoor", of);

function changed(change: SetupChange): {
  after: string | undefined;
  record: SetupRecord | undefined;
} {
  if (change.kind !== "change") throw new Error(`it is ${change.kind}`);
  return change;
}

function putIn(
  editor: SetupEditor,
  text: string | undefined,
): { after: string; record: SetupRecord } {
  const { after, record } = changed(putChange(editor, text, "onedoor"));
  if (after === undefined || record === undefined) throw new Error("nothing was put in");
  return { after, record };
}

function problemOf(work: () => unknown): AppError {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

function objectIn(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function valueOf(text: string): unknown {
  const result = parseJsonDocument(text);
  if (result.kind === "broken") throw new Error(result.problems[0].reason);
  return result.document.value;
}

const jsonFiles: readonly (readonly [what: string, text: string])[] = [
  ["nothing at all", ""],
  ["an empty object", "{}"],
  ["an empty object with a line end", "{}\n"],
  ["a comment alone in an object", "{\n  // nothing yet\n}\n"],
  ["servers that are empty", '{ "mcpServers": {} }'],
  [
    "what Claude Code writes",
    JSON.stringify(
      {
        numStartups: 3,
        mcpServers: { a: { type: "stdio", command: "a", args: [] } },
        projects: {},
      },
      null,
      2,
    ),
  ],
  [
    "VS Code's file with comments, tabs and trailing commas",
    '// mine\n{\n\t"inputs": [\n\t\t{ "type": "promptString", "id": "k", "password": true },\n\t],\n\t"mcpServers": {\n\t\t"github": { // the one\n\t\t\t"url": "https://api.githubcopilot.com/mcp",\n\t\t}, // last\n\t},\n}\n',
  ],
  [
    "Windows line ends",
    '{\r\n    "mcpServers": {\r\n        "a": { "command": "a" }\r\n    }\r\n}\r\n',
  ],
  ["a byte order mark", '\u{feff}{"mcpServers":{"a":{"command":"a"}}}'],
  ["one line", '{"mcpServers":{"a":{"command":"a","env":{"KEY":"secret"}}},"x":1}'],
];

describe("an entry in JSON", () => {
  test.each(jsonFiles)("in %s: put, put again, undone to the very bytes", (_, text) => {
    const { after, record } = putIn(json(), text);
    const value = text.trim() === "" ? {} : objectIn(valueOf(text));
    const servers = objectIn(value["mcpServers"]);
    expect(valueOf(after)).toEqual({
      ...value,
      mcpServers: { ...servers, onedoor: entry },
    });
    expect(putChange(json(), after, "onedoor", record)).toEqual({ kind: "none" });
    expect(changed(undoChange(json(), after, "onedoor", record)).after).toBe(text);
  });

  test("a file that setup made goes with its folders; one that has got something else stays", () => {
    const { after, record } = putIn(json(), undefined);
    const made = { ...record, madeFolders: ["/a", "/a/b"] };
    expect(undoChange(json(), after, "onedoor", made)).toEqual({
      kind: "change",
      after: undefined,
      record: undefined,
      folders: ["/a", "/a/b"],
    });
    const grown = after.replace("{", '{\n  "theme": "dark",');
    const left = changed(undoChange(json(), grown, "onedoor", made));
    expect(valueOf(left.after ?? "")).toEqual({ theme: "dark" });
  });

  test("a client that wrote its file meanwhile keeps what it wrote", () => {
    const { after, record } = putIn(json(), '{\n  "numStartups": 1\n}\n');
    const later = after.replace('"numStartups": 1', '"numStartups": 2');
    const left = changed(undoChange(json(), later, "onedoor", record));
    expect(left.after).toBe('{\n  "numStartups": 2\n}\n');
  });

  test("without a record the entry goes and what held it stays", () => {
    const left = changed(undoChange(json(), putIn(json(), "{}\n").after, "onedoor"));
    expect(valueOf(left.after ?? "")).toEqual({ mcpServers: {} });
  });

  test("an older one of ours is brought up to date, and is undone to the first", () => {
    const first = '{\n  "mcpServers": { "a": { "command": "a" } } // mine\n}\n';
    const { after, record } = putIn(json(), first);
    const newer = changed(putChange(json(other), after, "onedoor", record));
    expect(valueOf(newer.after ?? "")).toMatchObject({ mcpServers: { onedoor: other } });
    expect(changed(undoChange(json(), newer.after, "onedoor", newer.record)).after).toBe(first);
  });

  test("one that starts our program with more than we write does not pass for ours", () => {
    const { after, record } = putIn(json(), undefined);
    const strange = { env: { NODE_OPTIONS: "--require=./evil.js" }, cwd: "/evil" };
    const members = JSON.stringify(strange).slice(1, -1);
    const own = after.replace('"command": "npx"', `${members}, "command": "npx"`);
    expect(putChange(json(), own, "onedoor")).toEqual({ kind: "foreign", strange });
    expect(putChange(json(other), own, "onedoor", record)).toEqual({ kind: "foreign", strange });
    const left = changed(undoChange(json(), own, "onedoor", record));
    expect(left.after).toBe(undefined);
  });

  test("two names in one file are undone one after the other, in any order", () => {
    const second = jsonEntryEditor("/f.json", "mcpServers", "second", entry);
    const first = putIn(json(), undefined);
    const both = changed(putChange(second, first.after, "second", first.record));
    const inOrder = changed(undoChange(second, both.after, "second", both.record));
    expect(inOrder.after).toBe(first.after);
    expect(changed(undoChange(json(), inOrder.after, "onedoor", inOrder.record)).after).toBe(
      undefined,
    );
    const crossed = changed(undoChange(json(), both.after, "onedoor", both.record));
    expect(valueOf(crossed.after ?? "")).toEqual({ mcpServers: { second: entry } });
    expect(changed(undoChange(second, crossed.after, "second", crossed.record)).after).toBe(
      undefined,
    );
  });

  test("what is not ours is left alone", () => {
    const text = '{"mcpServers":{"onedoor":{"command":"somebody-else"}}}';
    expect(putChange(json(), text, "onedoor")).toEqual({ kind: "foreign" });
    expect(undoChange(json(), text, "onedoor")).toEqual({ kind: "foreign" });
    const odd = '{"mcpServers":{"onedoor":"text"}}';
    expect(putChange(json(), odd, "onedoor")).toEqual({ kind: "foreign" });
    expect(undoChange(json(), "{}", "onedoor")).toEqual({ kind: "none" });
    expect(undoChange(json(), undefined, "onedoor")).toEqual({ kind: "none" });
  });

  test.each([
    ['{"mcpServers": [}', /cannot be read in line 1: not valid JSON/u],
    ['{"a": 1,\n"a": 2}', /cannot be read in line 2/u],
    ["[1]", /holds no JSON object/u],
    ['{"mcpServers": []}', /something else than an object at "mcpServers"/u],
    ['{"mcpServers": "x"}', /something else than an object at "mcpServers"/u],
  ])("%s is refused", (text, message) => {
    const problem = problemOf(() => putChange(json(), text, "onedoor"));
    expect(problem.code).toBe("config_invalid");
    expect(problem.message).toMatch(message);
    expect(problem.message).toContain("nothing was changed");
  });

  test("any file with comments is undone to the very bytes", () => {
    const blank = fc.constantFrom("", " ", "\n", "\r\n  ", " // c\n", "/* c */", "\t");
    const value = fc.constantFrom('{"command":"x"}', '{\n "url": "u", }', "{ // c\n}", "{}");
    const name = fc.constantFrom("a", "b b", "é", "__x", "c");
    const members = fc.uniqueArray(fc.tuple(name, value), {
      selector: ([key]) => key,
      maxLength: 3,
    });
    const file = fc
      .tuple(
        fc.array(blank, { minLength: 1, maxLength: 5 }),
        members,
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
      )
      .map(([blanks, servers, hasServers, trailing, mark]) => {
        let at = 0;
        const next = (): string => blanks[(at += 1) % blanks.length] ?? "";
        const list = (items: readonly string[]): string =>
          `{${next()}${items.map((item) => `${item}${next()}`).join(`,${next()}`)}${trailing && items.length > 0 ? "," : ""}${next()}}`;
        const inner = list(
          servers.map(([key, text]) => `${JSON.stringify(key)}${next()}:${next()}${text}`),
        );
        const outer = [
          `"theme"${next()}: 1`,
          ...(hasServers ? [`"mcpServers":${next()}${inner}`] : []),
        ];
        return `${mark ? "\u{feff}" : ""}${next()}${list(outer)}${next()}`;
      });
    fc.assert(
      fc.property(file, (text) => {
        const { after, record } = putIn(json(), text);
        expect(valueOf(after)).toMatchObject({ theme: 1, mcpServers: { onedoor: entry } });
        expect(putChange(json(), after, "onedoor", record)).toEqual({ kind: "none" });
        expect(changed(undoChange(json(), after, "onedoor", record)).after).toBe(text);
        const bare = changed(undoChange(json(), after, "onedoor"));
        expect(valueOf(bare.after ?? "")).toMatchObject({ theme: 1 });
      }),
      { numRuns: 500 },
    );
  });
});

const codex = `# how I work
model = "gpt-5.2-codex"
notes = """
[mcp_servers.onedoor]
command = "no table, but text"
"""

[mcp_servers.docs]  # theirs
command = "docs-server"
args = ["--fast"]

[mcp_servers.docs.env]
API_KEY = "of-the-docs"

[tui]
notifications = true # at the end`;

const tomlFiles: readonly (readonly [what: string, text: string])[] = [
  ["nothing at all", ""],
  ["Codex's own file, without an end of the last line", codex],
  ["Windows line ends", `${codex.replaceAll("\n", "\r\n")}\r\n`],
  ["a table of servers", '[mcp_servers]\n[mcp_servers."a b"]\nurl = "https://a.example"\n'],
  ["comments alone", "# nothing\n\n# yet\n"],
];

describe("a table in TOML", () => {
  test.each(tomlFiles)("in %s: put, put again, undone to the very bytes", (_, text) => {
    const { after, record } = putIn(toml(), text);
    const before: Record<string, unknown> = parse(text);
    const servers = objectIn(before["mcp_servers"]);
    expect(parse(after)).toEqual({ ...before, mcp_servers: { ...servers, onedoor: entry } });
    expect(after.startsWith(text)).toBe(true);
    expect(/(?<!\r)\n/u.test(after)).toBe(!text.includes("\r\n"));
    expect(putChange(toml(), after, "onedoor", record)).toEqual({ kind: "none" });
    expect(changed(undoChange(toml(), after, "onedoor", record)).after).toBe(text);
  });

  test("our table goes with those below it wherever it stands, and no other line", () => {
    const text =
      '[mcp_servers.onedoor]\ncommand = "npx"\nargs = [\n  "-y", "@onedoor/agent",\n  "proxy",\n]\n\n[mcp_servers.onedoor.env]\nA = "1"\n\n# of the next\n[mcp_servers.onedoor2]\ncommand = "x"\n';
    const left = changed(undoChange(toml(), text, "onedoor"));
    expect(left.after).toBe('\n# of the next\n[mcp_servers.onedoor2]\ncommand = "x"\n');
  });

  test("without a record a table at the end goes with the line before it", () => {
    const { after } = putIn(toml(), 'model = "x"\n');
    expect(changed(undoChange(toml(), after, "onedoor")).after).toBe('model = "x"\n');
  });

  test("an older one of ours is brought up to date; one with more than we write is not ours", () => {
    const { after, record } = putIn(toml(), codex);
    const own = `${after}startup_timeout_sec = 20\n\n[mcp_servers.onedoor.env]\nA = "1"\n`;
    expect(putChange(toml(other), own, "onedoor", record)).toEqual({
      kind: "foreign",
      strange: { startup_timeout_sec: 20, env: { A: "1" } },
    });
    const updated = changed(putChange(toml(other), after, "onedoor", record));
    expect(changed(undoChange(toml(), updated.after, "onedoor", updated.record)).after).toBe(codex);
  });

  test("what is not ours, or ours in another form, is left as it is", () => {
    const foreign = '[mcp_servers.onedoor]\nurl = "https://x.example"\n';
    expect(putChange(toml(), foreign, "onedoor")).toEqual({ kind: "foreign" });
    const inline = 'mcp_servers = { onedoor = { command = "agent", args = ["proxy"] } }\n';
    expect(problemOf(() => putChange(toml(), inline, "onedoor")).message).toContain(
      "cannot be edited",
    );
    const closed = "mcp_servers = { a = { command = 'a' } }\n";
    expect(problemOf(() => putChange(toml(), closed, "onedoor")).message).toContain(
      "cannot be edited",
    );
    const spread = '[mcp_servers.onedoor]\ncommand = "agent"\nargs = [\n  "proxy",\n]\n';
    expect(problemOf(() => putChange(toml(), spread, "onedoor")).hint).toBe("edit it by hand");
  });

  test("wrong TOML is refused without a word of what stands in it", () => {
    const problem = problemOf(() => putChange(toml(), 'key = "secret-value\n', "onedoor"));
    expect(problem.message).toMatch(/^\/f\.toml is not valid TOML: /u);
    expect(problem.message).not.toContain("secret-value");
    expect(problemOf(() => putChange(toml(), "mcp_servers = 1\n", "onedoor")).message).toContain(
      "something else than a table",
    );
  });

  test("any words are written so that they are read again", () => {
    const word = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom(",", '","', "\u{7f}", "\\", "#"),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const of = { command: "npx", args: ["-y", "@onedoor/agent", "proxy", ...words] };
        const { after } = putIn(toml(of), codex);
        expect(parse(after)).toMatchObject({ mcp_servers: { onedoor: of } });
      }),
    );
  });
});

const block = (): SetupEditor => blockEditor("/AGENTS.md", instructionText());
const document = (): SetupEditor => documentEditor(`---\nname: onedoor\n---\n${instructionText()}`);

describe("instructions", () => {
  test.each(["", "# Mine\n", "# Mine", "# Mine\r\n\r\nwords\r\n"])("as a block in %j", (text) => {
    const { after, record } = putIn(block(), text);
    expect(after.startsWith(text)).toBe(true);
    expect(/(?<!\r)\n/u.test(after)).toBe(!text.includes("\r\n"));
    expect(putChange(block(), after, "onedoor", record)).toEqual({ kind: "none" });
    expect(changed(undoChange(block(), after, "onedoor", record)).after).toBe(text);
    const lineEnd = text === "" || text.endsWith("\n") ? "" : "\n";
    const left = changed(undoChange(block(), after, "onedoor")).after ?? "";
    expect(left).toBe(text + lineEnd);
  });

  test("words around a block stay when it is brought up to date and when it is taken out", () => {
    const text = "# Mine\n\n<!-- onedoor:begin -->\nold\n<!-- onedoor:end -->\n\n# More\n";
    const newer = changed(putChange(block(), text, "onedoor")).after ?? "";
    expect(newer).toContain(instructionText().trim());
    expect([newer.startsWith("# Mine\n\n"), newer.endsWith("\n\n# More\n")]).toEqual([true, true]);
    expect(changed(undoChange(block(), newer, "onedoor")).after).toBe("# Mine\n\n# More\n");
  });

  test.each([
    "<!-- onedoor:begin -->\n",
    "<!-- onedoor:end -->\n<!-- onedoor:begin -->\n",
    "<!-- onedoor:begin --><!-- onedoor:end --><!-- onedoor:begin --><!-- onedoor:end -->",
  ])("marks that do not fit are refused: %j", (text) => {
    expect(problemOf(() => putChange(block(), text, "onedoor")).message).toContain(
      "not exactly one",
    );
  });

  test("a file of its own: made, brought up to date, removed; somebody else's is not touched", () => {
    const { after, record } = putIn(document(), undefined);
    expect(putChange(document(), after, "onedoor", record)).toEqual({ kind: "none" });
    const older = after.replace(/agent \d+\.\d+\.\d+/u, "agent 0.0.1").replace("Never", "Do not");
    expect(changed(putChange(document(), older, "onedoor", record)).after).toBe(after);
    const earlier = after.replace(/agent \d+\.\d+\.\d+/u, "agent 0.0.1");
    expect(changed(undoChange(document(), earlier, "onedoor")).after).toBe(undefined);
    // Without a record, words that setup does not write are somebody's own.
    expect(undoChange(document(), older, "onedoor")).toEqual({ kind: "foreign", isMarked: true });
    expect(putChange(document(), "# My own skill\n", "onedoor")).toEqual({ kind: "foreign" });
    expect(undoChange(document(), "# My own skill\n", "onedoor")).toEqual({ kind: "foreign" });
  });
});
