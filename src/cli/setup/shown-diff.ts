import { FILE_HEADERS_ONLY, formatPatch, structuredPatch } from "diff";

const contextLines = 2;
const longestLine = 400;
/** Lines that differ, before nobody reads them any more. */
const mostChanges = 2_000;

/** A change as `diff -u` shows it; each side undefined where there is no file. */
export function shownDiff(
  path: string,
  before: string | undefined,
  after: string | undefined,
): string {
  const nowhere = "/dev/null";
  const patch = structuredPatch(
    before === undefined ? nowhere : path,
    after === undefined ? nowhere : path,
    before ?? "",
    after ?? "",
    undefined,
    undefined,
    { context: contextLines, maxEditLength: mostChanges },
  );
  if (patch === undefined) return `${path}: too much changes to be shown\n`;
  const hunks = patch.hunks.map((hunk) => ({ ...hunk, lines: shortened(hunk.lines) }));
  return formatPatch({ ...patch, hunks }, FILE_HEADERS_ONLY);
}

/** A file may be one long line: of each such line the part around what differs. */
function shortened(lines: readonly string[]): string[] {
  const of = (sign: string): string => lines.find((line) => line.startsWith(sign)) ?? "";
  const [gone, come] = [of("-"), of("+")];
  let same = 1;
  while (same < gone.length && gone[same] === come[same]) same += 1;
  const start = Math.max(1, same - 100);
  return lines.map((line) => {
    if (line.length <= longestLine) return line;
    const part = line.slice(start, start + longestLine);
    return `${line[0] ?? ""}${start > 1 ? "…" : ""}${part}${start + longestLine < line.length ? "…" : ""}`;
  });
}
