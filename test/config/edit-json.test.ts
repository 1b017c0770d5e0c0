import * as fc from "fast-check";
import { findNodeAtLocation, parseTree } from "jsonc-parser";
import type { Node } from "jsonc-parser";
import { describe, expect, test } from "vitest";
import { withoutValueAt, withValueAt } from "../../src/config/edit-json.ts";
import { parseJsonDocument } from "../../src/config/json-document.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";

/** What a text says. */
function parsed(text: string): Json {
  const result = parseJsonDocument(text);
  if (result.kind === "broken") throw new Error(`${result.problems[0].reason}:\n${text}`);
  return result.document.value;
}

/** Written with these blanks, one after the other, each comment with a number of its own. */
function write(root: Json, between: readonly string[], trailing: boolean): string {
  let place = 0;
  const blank = (): string =>
    (between[place % between.length] ?? "").replace("#", () => `comment ${(place += 1)}`);
  const list = (open: string, items: string[], close: string): string => {
    const comma = trailing && items.length > 0 ? `,${blank()}` : "";
    return open + blank() + items.join(`,${blank()}`) + blank() + comma + close;
  };
  const of = (each: Json): string => {
    place += 1;
    if (Array.isArray(each)) return list("[", each.map(of), "]");
    if (typeof each !== "object" || each === null) return JSON.stringify(each);
    const members = Object.entries(each).map(
      ([key, inner]) => `${JSON.stringify(key)}${blank()}:${blank()}${of(inner)}`,
    );
    return list("{", members, "}");
  };
  return blank() + of(root) + blank();
}

/** A text as far as the object of servers, behind it, and each of its members. */
function partsOf(whole: string): {
  before: string;
  after: string;
  members: Record<string, string>;
} {
  const root = parseTree(whole, [], { allowTrailingComma: true });
  const object = root && findNodeAtLocation(root, ["servers"]);
  if (object === undefined) throw new Error(`no servers in ${whole}`);
  const bytes = ({ offset, length }: Node): string => whole.slice(offset, offset + length);
  const members = (object.children ?? []).map((member): [string, string] => [
    String(member.children?.[0]?.value),
    bytes(member),
  ]);
  return {
    before: whole.slice(0, object.offset + 1),
    after: whole.slice(object.offset + object.length - 1),
    members: Object.fromEntries(members),
  };
}

const file = `// what I use
{
  "port": 1, // the usual one
  "mcpServers": {
    // my files
    "files": {
      "command": "npx", // or bunx
      "args": ["-y", "server"],
      /* not much */
      "env": { "A": "1" }
    }, // end of files
    "last": { "url": "https://x" } // end of last
    // nothing after it
  }
}
`;

describe("a member that is not there", () => {
  test("is put behind the last one and its comment", () => {
    const text = withValueAt(file, ["mcpServers", "new"], {
      command: "x",
      args: ["a", "b"],
      env: { A: "${A}", B: "" },
      tags: [],
    });
    expect(text).toBe(
      file.replace(
        '"last": { "url": "https://x" } // end of last\n',
        `"last": { "url": "https://x" }, // end of last
    "new": {
      "command": "x",
      "args": ["a", "b"],
      "env": {
        "A": "\${A}",
        "B": ""
      },
      "tags": []
    }
`,
      ),
    );
  });

  test.each<[what: string, text: string, edited: string]>([
    ["an empty object", "{}", '{\n  "a": {\n    "b": 1\n  }\n}'],
    ["blanks alone", "{ \n }\n", '{\n  "a": {\n    "b": 1\n  }\n}\n'],
    ["an empty one inside", '{"a": {}}', '{"a": {\n  "b": 1\n}}'],
    [
      "a comment alone",
      '{\n\t"a": {\n\t\t// none\n\t}\n}',
      '{\n\t"a": {\n\t\t// none\n\t\t"b": 1\n\t}\n}',
    ],
    ["a comment on the line", '{"a": { /* none */ }}', '{"a": { /* none */ \n  "b": 1\n}}'],
    ["one line", '{"a": {"c": 2}}', '{"a": {"c": 2, "b": 1}}'],
    ["one line with a comma", '{"a": {"c": 2,}}', '{"a": {"c": 2, "b": 1,}}'],
    ["one line with a comment", '{"a": {"c": 2 // two\n}}', '{"a": {"c": 2, "b": 1 // two\n}}'],
    [
      "trailing commas",
      '{\n  "a": {\n    "c": 2, // two\n  },\n}',
      '{\n  "a": {\n    "c": 2, // two\n    "b": 1,\n  },\n}',
    ],
    [
      "a comma behind a comment",
      '{\n  "a": {\n    "c": 2 // two\n    , /* so */ // what\n  }\n}',
      '{\n  "a": {\n    "c": 2 // two\n    , /* so */ // what\n    "b": 1,\n  }\n}',
    ],
    [
      "a brace on the last line",
      '{\n  "a": {\n    "c": 2 } }',
      '{\n  "a": {\n    "c": 2,\n    "b": 1 } }',
    ],
    [
      "tabs and the line ends of Windows",
      '{\r\n\t"a": {\r\n\t\t"c": {\r\n\t\t}\r\n\t}\r\n}\r\n',
      '{\r\n\t"a": {\r\n\t\t"c": {\r\n\t\t},\r\n\t\t"b": 1\r\n\t}\r\n}\r\n',
    ],
    [
      "what looks like comments in texts",
      '{\n  "a": {\n    "c": "// , /* }"\n  }\n}',
      '{\n  "a": {\n    "c": "// , /* }",\n    "b": 1\n  }\n}',
    ],
  ])("beside %s", (_what, text, edited) => {
    expect(withValueAt(text, ["a", "b"], 1)).toBe(edited);
  });

  test("is not put into what is no object", () => {
    expect(() => withValueAt('{"a": []}', ["a", "b"], 1)).toThrow(SyntaxError);
    expect(() => withValueAt('{"a": "x"}', ["a", "b"], 1)).toThrow(SyntaxError);
    expect(() => withValueAt("[]", ["a", "b"], 1)).toThrow(SyntaxError);
  });
});

describe("a member that is there", () => {
  const path = ["mcpServers", "files"];
  const now = { command: "npx", args: ["-y", "server"], env: { A: "1" } };

  test("stays as it is written where nothing differs", () => {
    expect(withValueAt(file, path, now)).toBe(file);
    expect(
      withValueAt(file, path, { env: { A: "1" }, args: ["-y", "server"], command: "npx" }),
    ).toBe(file);
  });

  test.each<[what: string, value: JsonObject, from: string, to: string]>([
    ["a text", { ...now, command: "bunx" }, '"npx"', '"bunx"'],
    ["a list", { ...now, args: ["x"] }, '["-y", "server"]', '["x"]'],
    ["a member inside", { ...now, env: { A: "2" } }, '"A": "1"', '"A": "2"'],
    ["a member more inside", { ...now, env: { A: "1", B: "2" } }, '"A": "1"', '"A": "1", "B": "2"'],
    ["an object in place of a text", { ...now, command: { a: [] } }, '"npx"', '{ "a": [] }'],
    ["a text in place of an object", { ...now, env: "x" }, '{ "A": "1" }', '"x"'],
    ["a member more", { ...now, tags: ["t"] }, '"1" }\n', '"1" },\n      "tags": ["t"]\n'],
    [
      "the first one less",
      { args: now.args, env: now.env },
      '      "command": "npx", // or bunx\n',
      "",
    ],
    [
      "one in the middle less",
      { command: "npx", env: now.env },
      '      "args": ["-y", "server"],\n',
      "",
    ],
    [
      "the last one less",
      { command: "npx", args: now.args },
      '"server"],\n      /* not much */\n      "env": { "A": "1" }\n',
      '"server"]\n      /* not much */\n',
    ],
    [
      "others altogether",
      { url: "https://y" },
      `      "command": "npx", // or bunx
      "args": ["-y", "server"],
      /* not much */
      "env": { "A": "1" }
`,
      `      /* not much */
      "url": "https://y"
`,
    ],
  ])("changes in nothing but %s", (_what, value, from, to) => {
    expect(file).toContain(from);
    expect(withValueAt(file, path, value)).toBe(file.replace(from, () => to));
  });

  test.each([
    ['{"a": {"b": 1, "c": 2}}', { c: 2 }, '{"a": { "c": 2}}'],
    ['{"a": {"b": 1, "c": 2}}', { b: 1 }, '{"a": {"b": 1 }}'],
    ['{"a": {"b": 1}}', {}, '{"a": {}}'],
    ['{"a": {"b": 1,}}', {}, '{"a": {}}'],
    ['{"a": {\n  "b": 1,  \n  "c": 2\n}}', { c: 2 }, '{"a": {\n  "c": 2\n}}'],
    ['{"a": {\n  "b": 1\n  , "c": 2\n}}', { b: 1 }, '{"a": {\n  "b": 1\n   \n}}'],
    ['{"a": {\n  "b": 1, "c": 2,\n}}', { b: 1 }, '{"a": {\n  "b": 1, \n}}'],
    ['{"a": {\n  "b": [\n    1\n  ]\n}}', { b: [2] }, '{"a": {\n  "b": [2]\n}}'],
    ['{"a": [\n  1\n]}', { b: { c: 1 } }, '{"a": {\n  "b": {\n    "c": 1\n  }\n}}'],
  ])("%j becomes %j", (text, value, edited) => {
    expect(withValueAt(text, ["a"], value)).toBe(edited);
  });
});

describe("any text", () => {
  const name = fc.constantFrom("a", "b", "c", "//", 'q"', "env");
  const { value } = fc.letrec<{ value: Json; object: JsonObject }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<Json>(null, true, 0, -1.5, "", "text", "/* no */ // comment", "a\nb", "{,}"),
      fc.array(tie("value"), { maxLength: 3 }),
      tie("object"),
    ),
    object: fc.dictionary(name, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  }));
  const servers = fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true });
  /** How a text is written: what stands at each place where blanks may. */
  const blanks = fc.array(
    fc.constantFrom(
      "",
      " ",
      "\n  ",
      "\r\n\t",
      "// #\n",
      "/* # */",
      " /* #\n# */ ",
      "  // # ,}{\n    ",
    ),
    { minLength: 1, maxLength: 20 },
  );

  const text = fc
    .tuple(servers, blanks, fc.boolean())
    .map(([all, between, trailing]) => ({
      all,
      text: write({ first: 1, servers: all, last: [2] }, between, trailing),
    }))
    .filter((written) => parseJsonDocument(written.text).kind === "parsed");

  test("says what it is to say afterwards, and edited again stays as it is", () => {
    fc.assert(
      fc.property(text, name, value, (written, key, wanted) => {
        const edited = withValueAt(written.text, ["servers", key], wanted);
        expect(parsed(edited)).toEqual({
          first: 1,
          servers: { ...written.all, [key]: wanted },
          last: [2],
        });
        expect(withValueAt(edited, ["servers", key], wanted)).toBe(edited);
      }),
      { numRuns: 1_000 },
    );
  });

  test("keeps all its comments, in their order, where a member is put into it", () => {
    fc.assert(
      fc.property(text, value, (written, wanted) => {
        const edited = withValueAt(written.text, ["servers", "new"], wanted);
        const comments = /(?:\/\/|\/\*) comment \d+/gu;
        expect(edited.match(comments)).toEqual(written.text.match(comments));
      }),
      { numRuns: 1_000 },
    );
  });

  test("says the same without a member that is taken out, and again without more", () => {
    fc.assert(
      fc.property(text, name, (written, key) => {
        const edited = withoutValueAt(written.text, ["servers", key]);
        const { [key]: _, ...left } = written.all;
        expect(parsed(edited)).toEqual({ first: 1, servers: left, last: [2] });
        expect(withoutValueAt(edited, ["servers", key])).toBe(edited);
      }),
      { numRuns: 1_000 },
    );
  });

  test("keeps every byte around what is edited, in the file and in other members", () => {
    fc.assert(
      fc.property(text, name, fc.option(value, { nil: undefined }), (written, key, wanted) => {
        const path = ["servers", key];
        const edited =
          wanted === undefined
            ? withoutValueAt(written.text, path)
            : withValueAt(written.text, path, wanted);
        const { before, after, members } = partsOf(written.text);
        const now = partsOf(edited);
        expect([now.before, now.after]).toEqual([before, after]);
        expect({ ...now.members, [key]: "" }).toEqual({ ...members, [key]: "" });
      }),
      { numRuns: 1_000 },
    );
  });
});
