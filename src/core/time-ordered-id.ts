/**
 * An id that sorts by when it was made (UUID version 7, RFC 9562 §5.7). An index of such ids grows at its end; one of
 * random ids is written to everywhere: with 100,000 rows that is a page of the database for each new one.
 * @param timeMs milliseconds since the epoch
 * @param random a UUID of version 4, whose random bits it keeps, but for the first 48
 */
export function timeOrderedId(timeMs: number, random: string): string {
  const time = Math.max(0, Math.trunc(timeMs)).toString(16).padStart(12, "0").slice(-12);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}
