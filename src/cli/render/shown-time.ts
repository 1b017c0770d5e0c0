/** A time for people: in UTC, to the minute. */
export function shownTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A time for programs: ISO 8601, null for none. */
export function isoTime(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : new Date(timeMs).toISOString();
}

/** How long ago, in the largest unit that fits. */
export function shownAge(ms: number): string {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
  ] as const;
  const unit = units.find(([, length]) => ms >= length);
  return unit
    ? `${Math.floor(ms / unit[1])} ${unit[0]}`
    : `${Math.max(0, Math.floor(ms / 1000))} s`;
}
