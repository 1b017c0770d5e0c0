/**
 * Whether a name fits a pattern in which `*` stands for any run of characters, also none, and `?` for exactly
 * one; everything else stands for itself, upper and lower case apart. The whole name has to fit.
 *
 * The last `*` alone is ever gone back to, so the work is at most the product of both lengths, whoever wrote
 * the pattern. A character is a UTF-16 unit; names of tools are ASCII.
 */
export function matchesGlob(pattern: string, name: string): boolean {
  let inPattern = 0;
  let inName = 0;
  /** Where the last `*` stands, and how far into the name it reaches so far. */
  let star = -1;
  let starEnd = 0;
  while (inName < name.length) {
    const wanted = pattern[inPattern];
    if (wanted === "*") {
      star = inPattern++;
      starEnd = inName;
    } else if (wanted === "?" || wanted === name[inName]) {
      inPattern++;
      inName++;
    } else if (star >= 0) {
      inPattern = star + 1;
      inName = ++starEnd;
    } else {
      return false;
    }
  }
  while (pattern[inPattern] === "*") inPattern++;
  return inPattern === pattern.length;
}
