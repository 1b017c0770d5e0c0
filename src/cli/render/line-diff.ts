import { diffLines } from "diff";

/** One line of a difference: `-` it was there, `+` it is there now, ` ` both. */
export interface DiffLine {
  sign: "-" | "+" | " ";
  text: string;
}

/** Both are foreign: a difference that takes longer to find, in milliseconds, is everything. */
const timeout = 1_000;

/** Loaded only where there is something to compare. */
export function lineDiff(before: string, after: string): DiffLine[] {
  const [was, is] = [whole(before), whole(after)];
  const parts = diffLines(was, is, { timeout }) ?? [
    { value: was, added: false, removed: true },
    { value: is, added: true, removed: false },
  ];
  return parts.flatMap(({ value, added, removed }) => {
    const sign = removed ? "-" : added ? "+" : " ";
    return value
      .replace(/\n$/u, "")
      .split("\n")
      .map((text): DiffLine => ({ sign, text }));
  });
}

/** A last line without an end is the same line as with one. */
function whole(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
