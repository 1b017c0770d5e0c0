import { performance } from "node:perf_hooks";
import type { RecordPage } from "../../core/storage.ts";

/** Bounds of one page, and of each of the statements that it is read with. */
export interface PageLimits {
  /** How many sequences one statement goes through: a transaction waits for one statement at most. */
  statementSequences: number;
  /** How many rows one statement gives. */
  statementRows: number;
  /** How long the texts of a page may be together, in characters; one row is given whatever its size. */
  pageLength: number;
  /** How long rows are looked for, in milliseconds. */
  pageMs: number;
}

/** A statement takes some two milliseconds (measured: 300 MB in 0.3 s), a page of 1000 ordinary rows some twenty. */
export const pageLimits: PageLimits = {
  statementSequences: 5_000,
  statementRows: 100,
  pageLength: 4 * 1024 * 1024,
  pageMs: 250,
};

/** From the first to the last sequence, both inclusive. */
export interface SequenceRange {
  first: number;
  last: number;
}

export const emptyRange: SequenceRange = { first: 1, last: 0 };

export interface PageSearch<Row> {
  order: "newest" | "oldest";
  limit: number;
  /** Where rows may be. */
  range: SequenceRange;
  /** Fitting rows of a range in the order asked, at most `limit`. */
  find: (range: SequenceRange, limit: number) => Promise<Row[]>;
  /** The length of the texts of a row. */
  lengthOf: (row: Row) => number;
  /** Aborted when nobody waits for the page any more. */
  giveUp: AbortSignal;
}

/** Reads a page piece by piece, until it is full, large, or has taken long; then `next` says where it stopped. */
export async function findPage<Row extends { sequence: number }>(
  search: PageSearch<Row>,
  limits: PageLimits,
): Promise<RecordPage<Row>> {
  const { order, limit, find, lengthOf, giveUp } = search;
  const rows: Row[] = [];
  const endMs = performance.now() + limits.pageMs;
  let range = search.range;
  let length = 0;
  while (range.first <= range.last) {
    giveUp.throwIfAborted();
    const part = partOf(range, order, limits.statementSequences);
    // One row more than the page has: whether there is a next one.
    const most = Math.min(limits.statementRows, limit + 1 - rows.length);
    const found = await find(part, most);
    for (const row of found) {
      length += lengthOf(row);
      const last = rows.at(-1);
      const isFull = rows.length >= limit || length > limits.pageLength;
      if (last !== undefined && isFull) return { rows, next: last.sequence };
      rows.push(row);
    }
    const end = order === "newest" ? part.first : part.last;
    const reached = found.length < most ? end : (found.at(-1)?.sequence ?? end);
    range = beyond(range, order, reached);
    const isLate = performance.now() >= endMs;
    if (isLate && range.first <= range.last) return { rows, next: reached };
  }
  return { rows, next: null };
}

/** The rest of a range in the order asked, without this sequence and those before it. */
export function beyond(
  { first, last }: SequenceRange,
  order: "newest" | "oldest",
  sequence: number,
): SequenceRange {
  return order === "newest"
    ? { first, last: Math.min(last, sequence - 1) }
    : { first: Math.max(first, sequence + 1), last };
}

/** The first so many sequences of a range in the order asked. */
function partOf(
  { first, last }: SequenceRange,
  order: "newest" | "oldest",
  count: number,
): SequenceRange {
  return order === "newest"
    ? { first: Math.max(first, last - count + 1), last }
    : { first, last: Math.min(last, first + count - 1) };
}
