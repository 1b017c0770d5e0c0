import { expect, test } from "vitest";
import { cutToWidth, textWidth } from "../../src/core/text-width.ts";

test.each([
  ["plain", 5],
  ["größe", 5],
  ["日本語", 6],
  ["한국", 4],
  ["e\u0301", 1],
  ["👍", 2],
  ["❤", 1],
  ["❤\ufe0f", 2],
  ["👍\ufe0f", 2],
  ["🇩🇪", 2],
  ["Ａ", 2],
  ["", 0],
])("%j", (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test.each([
  ["abcdef", 6, "abcdef"],
  ["abcdef", 5, "abcd…"],
  ["日本語テキスト", 7, "日本語…"],
  ["日本語テキスト", 8, "日本語…"],
  ["ab👍👍👍", 5, "ab👍…"],
  ["ae\u0301e\u0301e\u0301", 3, "ae\u0301…"],
])("%j in %i columns", (text, limit, cut) => {
  expect(cutToWidth(text, limit)).toBe(cut);
  expect(textWidth(cut)).toBeLessThanOrEqual(limit);
});
