import { expect, test } from "vitest";
import { quoteForeign, sayForeign } from "../../src/oauth/foreign-text.ts";

/** Controls, escapes, bidirectional and zero-width characters, half characters. */
const acting = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

test.each([
  ["escape codes", "\u001b[2J\u001b]0;owned\u0007", String.raw`\x1b[2J\x1b]0;owned\x07`],
  ["C1 controls", "\u009b2J", String.raw`\x9b2J`],
  ["lines", "no\r\nerror: all is well", "no error: all is well"],
  ["bidirectional marks", "a\u202eb\u2066c", String.raw`a\u202eb\u2066c`],
  ["zero-width characters", "a\u200bb\u2060c", String.raw`a\u200bb\u2060c`],
])("%s neither act nor hide", (_name, text, said) => {
  expect(sayForeign(text)).toBe(said);
  expect(quoteForeign(text)).toBe(`"${said}"`);
});

test.each(["x", "\u001b", "\u202e", "🎉", "x🎉", "\u{e0041}", "\ud83d", "a b\u200b"])(
  "a thousand times %j are two hundred characters, and none of them acts",
  (text) => {
    const said = sayForeign(text.repeat(1000));
    expect(said.length).toBeLessThanOrEqual(200);
    expect(said.length).toBeGreaterThan(190);
    expect(said).not.toMatch(acting);
    expect(said.endsWith("…")).toBe(true);
  },
);
