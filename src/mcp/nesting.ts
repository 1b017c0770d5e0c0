/** Levels of arrays and objects that a message may have: what walks it by recursion fails at some thousands. */
const deepest = 512;

/** Whether a value is nested too deeply to be taken on; looks no deeper than that itself. */
export function isTooDeep(value: unknown, levels = deepest): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const inner of Object.values(value)) if (isTooDeep(inner, levels - 1)) return true;
  return false;
}

/** Whether a JSON text of this length could be nested too deeply at all. */
export function couldBeTooDeep(length: number): boolean {
  return length >= 2 * deepest;
}
