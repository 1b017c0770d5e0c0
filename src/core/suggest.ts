const longestCompared = 64;

/**
 * The candidate a person most likely meant: the one with the fewest edits (Damerau-Levenshtein with
 * adjacent transpositions, ignoring case), if they are few for the word's length; else the one candidate
 * that holds the word as its beginning or end.
 */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.slice(0, longestCompared).toLowerCase();
  if (wanted === "") return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  const holding: string[] = [];
  for (const candidate of candidates) {
    const text = candidate.slice(0, longestCompared).toLowerCase();
    if (wanted.length >= 3 && (text.startsWith(wanted) || text.endsWith(wanted))) {
      holding.push(candidate);
    }
    if (Math.abs(text.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, text);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? (holding.length === 1 ? holding[0] : undefined);
}

/** Optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours. */
function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substitution = left[row - 1] === right[column - 1] ? 0 : 1;
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + substitution,
      );
      if (
        row > 1 &&
        column > 1 &&
        left[row - 1] === right[column - 2] &&
        left[row - 2] === right[column - 1]
      ) {
        cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length] ?? left.length;
}
