import { expect, test } from "vitest";
import { readLifetime, readTime } from "../../src/cli/read-time.ts";

const now = Date.parse("2026-11-21T10:00:00Z");

test.each([
  ["15m", "2026-11-21T09:45:00.000Z"],
  ["90s", "2026-11-21T09:58:30.000Z"],
  ["12h", "2026-11-20T22:00:00.000Z"],
  ["30d", "2026-10-22T10:00:00.000Z"],
  ["2w", "2026-11-07T10:00:00.000Z"],
  ["0d", "2026-11-21T10:00:00.000Z"],
  [" 1h ", "2026-11-21T09:00:00.000Z"],
  ["2026-01-31", "2026-01-31T00:00:00.000Z"],
  ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ["2026-01-31T12:30", "2026-01-31T12:30:00.000Z"],
  ["2026-01-31 12:30:15", "2026-01-31T12:30:15.000Z"],
  ["2026-01-31T12:30:15.5Z", "2026-01-31T12:30:15.500Z"],
  ["2026-01-31T12:30:00+02:00", "2026-01-31T10:30:00.000Z"],
])("%j is %s", (text, iso) => {
  expect(new Date(readTime("--since", text, now)).toISOString()).toBe(iso);
});

test.each([
  "",
  "yesterday",
  "1",
  "h",
  "1y",
  "-1h",
  "1.5h",
  "1h30m",
  "99999999w",
  "2026-13-01",
  "2026-02-30",
  "2025-02-29",
  "2026-1-1",
  "26-01-01",
  "2026-01-01T25:00",
  "2026-01-01T10:00+99:00",
  "2026-01-01Z",
  "Jan 1 2026",
  "1700000000000",
  `${"9".repeat(400)}d`,
])("%j is no time", (text) => {
  for (const read of [readTime, readLifetime]) {
    expect(() => read("--since", text, now)).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringMatching(/^--since is no/u) }),
    );
  }
});

test.each([
  ["never", null],
  ["12h", 43_200_000],
  ["2026-11-22", 50_400_000],
])("%j from now lasts %s ms", (text, ms) => {
  expect(readLifetime("--expires", text, now)).toBe(ms);
});

test.each(["0h", "2026-11-21T10:00", "2020-01-01"])("%j lies in the past", (text) => {
  expect(() => readLifetime("--expires", text, now)).toThrow("--expires lies in the past");
});

test("what may be a token in the wrong place is not repeated", () => {
  const token = "od_0123456789012345678901234567890123456789";
  expect(() => readTime("--since", token, now)).toThrow('--since is no time: "od_01234…"');
});
