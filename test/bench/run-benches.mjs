/** @typedef {import("./bench.mjs").Bench} Bench */

/**
 * Runs benchmarks one after the other. One that fails gives its reason in place of rows, and the next one runs.
 * @param {object} options
 * @param {Readonly<Record<string, {run: Bench}>>} options.benches
 * @param {number} options.pairs
 * @param {(name: string, text: string) => void} options.progress
 * @returns {Promise<import("./table.mjs").Result[]>}
 */
export async function runBenches({ benches, pairs, progress }) {
  const results = [];
  for (const [name, { run }] of Object.entries(benches)) {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    progress(name, "");
    try {
      const rows = await run({ pairs, progress: (text) => progress(name, text) });
      if (rows.length === 0) throw new Error("It measured nothing");
      results.push({ name, seconds: seconds(), rows });
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      results.push({ name, seconds: seconds(), rows: [], error: text });
    }
  }
  return results;
}

/**
 * The benchmarks that `--only` names, in the registry's order; all when it names none.
 * @template T
 * @param {Readonly<Record<string, T>>} benches
 * @param {readonly string[]} only each one name or several with commas between them
 * @returns {{chosen: Record<string, T>, unknown: string[]}}
 */
export function chooseBenches(benches, only) {
  const wanted = only.flatMap((names) => names.split(",")).map((name) => name.trim());
  return {
    chosen: Object.fromEntries(
      Object.entries(benches).filter(([name]) => wanted.length === 0 || wanted.includes(name)),
    ),
    unknown: wanted.filter((name) => !Object.hasOwn(benches, name)),
  };
}
