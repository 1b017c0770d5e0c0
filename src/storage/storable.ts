const unstorable = /[\0\p{Surrogate}]/u;

/**
 * A text as every database can keep it. U+0000, at which SQLite's readers stop and which PostgreSQL refuses, and
 * halves of surrogate pairs, which no UTF-8 has, become U+FFFD: what a client calls itself must neither hide
 * from a filter nor be cut where it is shown. Used for what is written and for what is looked for alike.
 */
export function storableText(text: string): string {
  // Nearly all texts are as they should be, and that is found out faster so.
  if (!unstorable.test(text)) return text;
  return text.replaceAll("\0", "\uFFFD").replaceAll(/\p{Surrogate}/gu, "\uFFFD");
}

/** A copy of a row, its texts storable, sharing nothing with it. Texts inside JSON stay: JSON escapes them. */
export function storableCopy<Row extends object>(row: Row): Row {
  const copy = structuredClone(row);
  for (const [key, value] of Object.entries(copy)) {
    if (typeof value === "string") Object.assign(copy, { [key]: storableText(value) });
  }
  return copy;
}
