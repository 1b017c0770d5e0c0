/**
 * What went against the rules, counted by kind; of each kind the first few are kept in words.
 * @typedef {ReturnType<typeof createViolations>} Violations
 */
export function createViolations() {
  /** @type {Map<string, {count: number, examples: string[]}>} */
  const kinds = new Map();
  let total = 0;
  return {
    get total() {
      return total;
    },
    /** @param {string} kind @param {string} detail */
    add(kind, detail) {
      total++;
      const entry = kinds.get(kind) ?? { count: 0, examples: [] };
      kinds.set(kind, entry);
      entry.count++;
      if (entry.examples.length < 3) entry.examples.push(detail.slice(0, 1500));
    },
    /** @returns {string[]} one line a kind, and its examples below */
    lines: () =>
      [...kinds].flatMap(([kind, { count, examples }]) =>
        [`${count} × ${kind}`, ...examples].map((text, index) =>
          index === 0 ? text : `    ${text.replaceAll("\n", "\n    ")}`,
        ),
      ),
  };
}
