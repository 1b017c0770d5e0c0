import { describe, expect, test } from "vitest";
import { createLineEditor } from "../../src/cli/line-editor.ts";

/** What typing this comes to: lines, and what else ended one. */
function typed(keys: string): string[] {
  const edit = createLineEditor();
  return Array.from(keys).flatMap((character) => {
    const key = edit(character);
    if (key.kind === "more") return [];
    return [key.kind === "line" ? `line ${JSON.stringify(key.line)}` : key.kind];
  });
}

test.each([
  ["a line", "secret\r", ['line "secret"']],
  ["a line feed", "secret\n", ['line "secret"']],
  ["two lines of Windows", "one\r\ntwo\r\n", ['line "one"', 'line "two"']],
  ["two empty lines", "\r\r", ['line ""', 'line ""']],
  ["an empty line of Windows, and one of Unix", "\r\n\n", ['line ""', 'line ""']],
  ["spaces, which belong to it", " a b \r", ['line " a b "']],
  [
    "characters beyond the keyboard",
    "gr\u00FC\u00DFe \u{1F600}\r",
    ['line "gr\u00FC\u00DFe \u{1F600}"'],
  ],
  ["nothing yet", "secret", []],
])("takes %s", (_what, keys, expected) => {
  expect(typed(keys)).toEqual(expected);
});

describe("keys that edit", () => {
  test.each([
    ["Backspace", "sex\u007Fcret\r", 'line "secret"'],
    ["Ctrl-H", "sex\bcret\r", 'line "secret"'],
    ["Backspace, of a whole character", "a\u{1F600}\u007Fb\r", 'line "ab"'],
    ["Backspace, of nothing", "\u007F\u007Fa\r", 'line "a"'],
    ["Ctrl-U", "wrong\u0015right\r", 'line "right"'],
    ["arrows and Delete", "a\u001B[Db\u001BOC\u001B[3~c\r", 'line "abc"'],
    ["Alt with a letter", "a\u001Bxb\r", 'line "ab"'],
    ["a paste in brackets", "\u001B[200~pasted\u001B[201~\r", 'line "pasted"'],
    ["a line of its own after each", "a\rb\u0015c\r", 'line "a"'],
  ])("%s", (_what, keys, expected) => {
    expect(typed(keys)[0]).toBe(expected);
  });
});

test.each([
  ["Ctrl-C", "secret\u0003", ["interrupt"]],
  ["Ctrl-C in an escape sequence", "\u001B[\u0003", ["interrupt"]],
  ["Ctrl-D at the start of a line", "\u0004", ["end"]],
  ["Ctrl-D after one", "a\r\u0004", ['line "a"', "end"]],
  ["Ctrl-D inside of one, which does nothing", "a\u0004b\r", ['line "ab"']],
])("%s", (_what, keys, expected) => {
  expect(typed(keys)).toEqual(expected);
});

test("control characters stay, for who refuses them", () => {
  expect(typed("a\tb\u0000\r")).toEqual(['line "a\\tb\\u0000"']);
});

test("a line has an end", () => {
  expect(typed(`${"x".repeat(4096)}\r`)).toEqual([`line "${"x".repeat(4096)}"`]);
  expect(typed("x".repeat(4097))).toEqual(["too-long"]);
});
