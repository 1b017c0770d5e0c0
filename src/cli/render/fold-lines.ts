/** Lines that came, and how often they came in a row. */
export interface FoldedLines {
  lines: readonly string[];
  times: number;
}

/** The longest run of lines whose repetition is looked for: what a program says before it ends, with its stack. */
const longestRun = 20;

/**
 * Folds what is repeated without a break, single lines and runs of them: a program that is started again
 * and again says the same each time. All lines are there, in order.
 */
export function foldLines(lines: readonly string[]): FoldedLines[] {
  const folded: FoldedLines[] = [];
  let single: string[] = [];
  const flush = (): void => {
    if (single.length > 0) folded.push({ lines: single, times: 1 });
    single = [];
  };
  for (let at = 0; at < lines.length;) {
    const run = repeatedAt(lines, at);
    if (run === undefined) {
      single.push(lines[at] ?? "");
      at += 1;
    } else {
      flush();
      folded.push(run);
      at += run.lines.length * run.times;
    }
  }
  flush();
  return folded;
}

/** The shortest run that begins here and follows itself at once. */
function repeatedAt(lines: readonly string[], at: number): FoldedLines | undefined {
  const longest = Math.min(longestRun, Math.floor((lines.length - at) / 2));
  for (let length = 1; length <= longest; length += 1) {
    let end = at + length;
    while (end < lines.length && lines[end] === lines[end - length]) end += 1;
    const times = Math.floor((end - at) / length);
    if (times > 1) return { lines: lines.slice(at, at + length), times };
  }
  return undefined;
}
