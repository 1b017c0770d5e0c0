/**
 * The day of a time, in UTC, for lists: `--json` has it to the millisecond.
 * @param time ISO 8601
 */
export function shownDay(time: string): string {
  return new Date(time).toISOString().slice(0, 10);
}
