/** Names are foreign and may be many: how much of each is compared, how many are looked at, */
const longestCompared = 64;
const mostLookedAt = 20_000;
/** and how many cells all tables of distances have together: about 500 of the longest names, a few milliseconds. */
const mostCells = 500 * longestCompared ** 2;

/**
 * The candidate a person most likely meant: the one with the fewest edits (Damerau-Levenshtein with
 * adjacent transpositions, ignoring case), if they are few for the word's length; else the one candidate
 * that holds the word as its beginning or end. Of too many candidates the first are compared.
 * @param most cells of the tables of distances
 */
export function closest(
  word: string,
  candidates: Iterable<string>,
  most = mostCells,
): string | undefined {
  const wanted = word.slice(0, longestCompared).toLowerCase();
  if (wanted === "") return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  const holding: string[] = [];
  let lookedAt = 0;
  let cells = 0;
  for (const candidate of candidates) {
    lookedAt += 1;
    if (lookedAt > mostLookedAt || cells > most) break;
    const text = candidate.slice(0, longestCompared).toLowerCase();
    if (wanted.length >= 3 && (text.startsWith(wanted) || text.endsWith(wanted))) {
      holding.push(candidate);
    }
    if (Math.abs(text.length - wanted.length) >= bestDistance) continue;
    cells += wanted.length * text.length;
    const distance = editDistance(wanted, text);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? (holding.length === 1 ? holding[0] : undefined);
}

/** Three rows of a table, used again for each: there are thousands. */
const emptyRow = (): Uint8Array => new Uint8Array(longestCompared + 1);
const rows = [emptyRow(), emptyRow(), emptyRow()] as const;

/** Optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours. */
function editDistance(left: string, right: string): number {
  let [beforePrevious, previous, current] = rows;
  for (let column = 0; column <= right.length; column++) previous[column] = column;
  for (let row = 1; row <= left.length; row++) {
    current[0] = row;
    const letter = left.charCodeAt(row - 1);
    for (let column = 1; column <= right.length; column++) {
      const other = right.charCodeAt(column - 1);
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (letter === other ? 0 : 1),
      );
      if (
        row > 1 &&
        column > 1 &&
        letter === right.charCodeAt(column - 2) &&
        left.charCodeAt(row - 2) === other
      ) {
        cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current[column] = cost;
    }
    [beforePrevious, previous, current] = [previous, current, beforePrevious];
  }
  return previous[right.length] ?? left.length;
}
