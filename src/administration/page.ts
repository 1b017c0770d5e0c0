import type { ListOptions } from "./administration.ts";

/**
 * Part of a list: from rows in their order those that fit, as many as asked for.
 * @param isAfter whether a row comes after the entry with this id, which need not be there any more
 */
export function page<Row>(
  rows: readonly Row[],
  options: Pick<ListOptions, "after" | "limit">,
  isAfter: (row: Row, after: string) => boolean,
  fits: (row: Row) => boolean,
): Row[] {
  const { after, limit } = options;
  const found: Row[] = [];
  for (const row of rows) {
    if (found.length >= limit) break;
    if ((after === undefined || isAfter(row, after)) && fits(row)) found.push(row);
  }
  return found;
}
