import { AppError } from "../../core/errors.ts";

/** How much of a list is shown when nothing else was asked for. */
const defaultLimit = 100;

export interface PageOptions {
  limit?: number | undefined;
  cursor?: string | undefined;
  all: boolean;
}

export interface OnePage<T> {
  entries: readonly T[];
  /** Where the next page begins; absent on the last one. Opaque: what `--cursor` takes. */
  nextCursor?: string;
  /** How many follow this page. */
  left: number;
}

/**
 * One page of a list. The cursor is the name of the last entry seen, so it stays right when the list
 * changes elsewhere.
 * @throws AppError `usage`
 */
export function onePage<T extends { name: string }>(
  list: readonly T[],
  { limit, cursor, all }: PageOptions,
): OnePage<T> {
  if (all && (limit !== undefined || cursor !== undefined)) {
    throw new AppError(
      "usage",
      "--all shows everything: it goes with neither --limit nor --cursor",
    );
  }
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1)) {
    throw new AppError("usage", "--limit must be a whole number from 1");
  }
  const before = cursor === undefined ? -1 : list.findIndex(({ name }) => name === cursor);
  if (cursor !== undefined && before === -1) {
    throw new AppError("usage", "--cursor names no entry of this list", {
      hint: "Leave it out to begin at the start",
    });
  }
  const from = before + 1;
  const to = all ? list.length : Math.min(list.length, from + (limit ?? defaultLimit));
  const entries = list.slice(from, to);
  const last = entries.at(-1);
  const left = list.length - to;
  return { entries, left, ...(left > 0 && last && { nextCursor: last.name }) };
}
