import { expect, test } from "vitest";
import { escapeForTerminal, escapeJsonForTerminal, oneLine } from "../../src/core/terminal-text.ts";

test.each([
  ["an escape sequence", "\x1b[31mred\x1b[0m", String.raw`\x1b[31mred\x1b[0m`],
  ["a C1 control sequence introducer", "\x9b2J", String.raw`\x9b2J`],
  ["a bell and a backspace", "a\x07b\x08", String.raw`a\x07b\x08`],
  ["DEL", "\x7f", String.raw`\x7f`],
  ["a carriage return that would overwrite the line", "safe\revil", String.raw`safe\revil`],
  ["newline and tab of a name", "a\nb\tc", String.raw`a\nb\tc`],
  ["a right-to-left override", "\u202egnp.exe", String.raw`\u202egnp.exe`],
  ["isolates", "\u2066a\u2069", String.raw`\u2066a\u2069`],
  ["zero-width characters", "e\u200bc\u200dh\ufeffo", String.raw`e\u200bc\u200dh\ufeffo`],
  ["a soft hyphen", "e\u00adcho", String.raw`e\xadcho`],
  ["line and paragraph separators", "\u2028\u2029", String.raw`\u2028\u2029`],
  ["tag characters", "a\u{e0041}", String.raw`a\u{e0041}`],
  ["supplementary variation selectors", "a\u{e0100}", String.raw`a\u{e0100}`],
  ["a Hangul filler", "a\u3164", String.raw`a\u3164`],
  ["a lone surrogate", "a\ud800", String.raw`a\ud800`],
])("escapes %s", (_what, text, shown) => {
  expect(escapeForTerminal(text)).toBe(shown);
});

test.each(["plain", "Grüße", "日本語", "emoji 🎉", "⚙️", "a\u00a0b"])("leaves %j alone", (text) => {
  expect(escapeForTerminal(text)).toBe(text);
});

test("keeps line ends and tabs of text that has lines, and nothing else", () => {
  expect(escapeForTerminal("a\r\nb\tc\rd\x1b", { lines: true })).toBe("a\nb\tc\\rd\\x1b");
});

test("JSON for a terminal acts on nothing and still is the same value", () => {
  const value = { "a\u202e": "\x1b[31m\x9b\u200b\u{e0041}\n", list: ["\u007f"] };
  const shown = escapeJsonForTerminal(JSON.stringify(value, null, 2));
  expect(escapeForTerminal(shown, { lines: true })).toBe(shown);
  expect(JSON.parse(shown)).toEqual(value);
});

test("one line is one line, and not longer than its limit", () => {
  expect(oneLine(" a\r\n\tb\u2028c ")).toBe("a b c");
  expect(oneLine("x".repeat(400), 10)).toBe(`${"x".repeat(9)}…`);
  expect(oneLine("🎉".repeat(9), 10)).toBe(`${"🎉".repeat(4)}…`);
  expect(oneLine("🎉".repeat(9), 9)).toBe(`${"🎉".repeat(4)}…`);
});
