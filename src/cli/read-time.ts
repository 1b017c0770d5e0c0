import { AppError } from "../core/errors.ts";
import { shownWord } from "./shown-word.ts";

const units = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
} as const;

/** Beyond a hundred years nobody means what was written. */
const longestMs = 36_525 * units.d;

const durationShape = /^(\d{1,9})([smhdw])$/u;
const dateShape =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/u;

/** What these options take, for their help. */
export const timeHelp = "15m, 12h or 30d ago, or a date (UTC)";

/** `90s`, `15m`, `12h`, `30d`, `2w` in milliseconds; undefined for anything else. */
function durationOf(text: string): number | undefined {
  const [, count, unit] = durationShape.exec(text) ?? [];
  if (count === undefined || unit === undefined || !isUnit(unit)) return undefined;
  const ms = Number(count) * units[unit];
  return ms <= longestMs ? ms : undefined;
}

function isUnit(text: string): text is keyof typeof units {
  return Object.hasOwn(units, text);
}

/** A date, or a date and time, of ISO 8601; without a zone in UTC, as all times are shown. */
function dateOf(text: string): number | undefined {
  const [, day, time = "00:00", zone = "Z"] = dateShape.exec(text) ?? [];
  if (day === undefined) return undefined;
  const midnightMs = Date.parse(`${day}T00:00:00Z`);
  const timeMs = Date.parse(`${day}T${time}${zone}`);
  if (Number.isNaN(midnightMs) || Number.isNaN(timeMs)) return undefined;
  // The parser makes the second of March of the thirtieth of February.
  return new Date(midnightMs).toISOString().startsWith(day) ? timeMs : undefined;
}

/**
 * A moment as people give it: how long ago, or a date.
 * @param name the option, for the message
 * @returns milliseconds since the epoch
 * @throws AppError `usage`
 */
export function readTime(name: string, text: string, nowMs: number): number {
  const given = text.trim();
  const agoMs = durationOf(given);
  const timeMs = agoMs === undefined ? dateOf(given) : nowMs - agoMs;
  if (timeMs !== undefined) return timeMs;
  throw new AppError("usage", `${name} is no time: ${shownWord(text)}`, {
    hint: "15m, 12h, 30d or 2w ago, or a date: 2026-01-31, 2026-01-31T12:00:00Z",
  });
}

/**
 * How long something is to last: a duration, a date in the future, or `never`.
 * @returns milliseconds; null for `never`
 * @throws AppError `usage`
 */
export function readLifetime(name: string, text: string, nowMs: number): number | null {
  const given = text.trim();
  if (given === "never") return null;
  const untilMs = dateOf(given);
  const ms = durationOf(given) ?? (untilMs === undefined ? undefined : untilMs - nowMs);
  if (ms === undefined) {
    throw new AppError("usage", `${name} is no time: ${shownWord(text)}`, {
      hint: "12h, 30d or 2w from now, a date, or never",
    });
  }
  if (ms <= 0) {
    throw new AppError("usage", `${name} lies in the past: ${shownWord(text)}`, {
      hint: "12h, 30d or 2w from now, a later date (UTC), or never",
    });
  }
  return ms;
}
