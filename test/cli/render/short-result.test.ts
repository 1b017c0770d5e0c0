import { decode } from "@toon-format/toon";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cutText } from "../../../src/cli/render/cut-text.ts";
import { jsonInText } from "../../../src/cli/render/minify-json.ts";
import { shortResult } from "../../../src/cli/render/short-result.ts";
import type { Json } from "../../../src/core/json.ts";
import type { ShortPart } from "../../../src/cli/render/short-result.ts";
import { toonText } from "../../../src/cli/render/toon-text.ts";

const text = (...texts: string[]): ShortPart[] => texts.map((one) => ({ kind: "text", text: one }));

const silent = { note: () => undefined };

test.each([
  [
    "JSON",
    '{\n  "a": [1, "b \\" c", 12345678901234567890]\n}',
    '{"a":[1,"b \\" c",12345678901234567890]}',
  ],
  ["text", "\n\na  \n\n\n\n b\t\n\n", "a\n\n b"],
  ["what only looks like JSON", "{ a }  ", "{ a }"],
  ["a number", " 5 ", " 5"],
])("compact: %s", (_what, given, shown) => {
  expect(shortResult({}, text(given), "compact", silent)).toEqual([shown]);
});

test("compact: structured content once, whatever texts repeat it", () => {
  const entities: Json = [{ name: "a", n: 1 }, { name: "b" }];
  const structuredContent: Json = { entities };
  const parts = text(JSON.stringify(structuredContent, null, 2), '{"name": "b"}', "and a note");
  expect(shortResult({ structuredContent }, parts, "compact", silent)).toEqual([
    '{"entities":[{"name":"a","n":1},{"name":"b"}]}',
    "and a note",
  ]);
  expect(
    shortResult({ structuredContent: { content: "a\nb" } }, text("a\nb"), "compact", silent),
  ).toEqual(["a\nb"]);
  expect(
    shortResult({ structuredContent: { content: "other" } }, text("a"), "compact", silent),
  ).toEqual(['{"content":"other"}', "a"]);
});

test("toon: JSON as TOON, other text as it is, and no number changed", () => {
  const rows = {
    rows: [
      { id: 1, n: "x" },
      { id: 2, n: "y" },
    ],
  };
  expect(shortResult({}, text(JSON.stringify(rows), "a  \n\n\nb"), "toon", silent)).toEqual([
    "rows[2]{id,n}:\n  1,x\n  2,y",
    "a  \n\n\nb",
  ]);
  expect(shortResult({ structuredContent: rows }, [], "toon", silent)).toEqual([
    "rows[2]{id,n}:\n  1,x\n  2,y",
  ]);
  const big = '{"id": 12345678901234567890}';
  expect(shortResult({}, text(big), "toon", silent)).toEqual([big]);
});

test("TOON says what the JSON says, and what is too deep is JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const json = JSON.stringify(value);
      fc.pre(!json.includes("__proto__") && !json.includes("-0"));
      expect(JSON.stringify(decode(toonText(value, silent)))).toBe(json);
    }),
  );
  let deep: unknown[] = [];
  for (let index = 0; index < 3000; index += 1) deep = [deep];
  expect(toonText(deep, silent).length).toBeGreaterThan(3000);
});

test("what TOON has no form for is JSON, and that is said", () => {
  const notes: string[] = [];
  const io = { note: (line: string) => void notes.push(line) };
  const structuredContent = { done: "deleted 3 rows", half: "\ud800" };
  const [line = ""] = shortResult({ structuredContent }, text("ok"), "toon", io);
  expect(JSON.parse(line)).toEqual(structuredContent);
  expect(notes).toEqual(["This cannot be written as TOON; it is JSON"]);
});

test("JSON without its white space is the same JSON", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (value) => {
      const found = jsonInText(JSON.stringify(value, null, "\t \r\n"));
      expect(found).toEqual({
        minified: JSON.stringify(value),
        value: JSON.parse(JSON.stringify(value)),
      });
    }),
  );
});

test("what is cut is cut between characters, and says so", () => {
  expect(cutText("abc", 3)).toBe("abc\n");
  expect(cutText("👍👍", 2)).toBe("👍👍\n");
  expect(cutText("👍👍👍\n", 2)).toBe(
    "👍👍\n… (cut: 2 of 4 characters shown; --max-chars 4 shows all)\n",
  );
  expect(cutText("a\n".repeat(10_000), 12_346)).toMatch(
    /a\n… \(cut: 12,346 of 20,000 characters shown; --max-chars 20000 shows all\)\n$/u,
  );
  expect(cutText("", 1)).toBe("");
});
