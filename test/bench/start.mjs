import { commands, extraCertificates, openCommandLine } from "./command-line.mjs";
import { interleave } from "./interleave.mjs";
import { keepUntilEnd } from "./keep-until-end.mjs";
import { ratioRow } from "./ratio-row.mjs";

/**
 * How long a command takes, from its start to its end, against `node -e 0`; beside it a program of five lines that
 * does what none of the last three can do without. All of it runs in the environment of who measures as far as
 * certificates go, and where that adds some, once more without them: then Node itself starts in half the time, and
 * the same milliseconds of ours are a bigger part.
 * @type {import("./bench.mjs").Bench}
 */
export async function benchStart(tools) {
  const rows = await startRows(tools, extraCertificates);
  if (extraCertificates === undefined) return rows;
  const without = await startRows(tools, undefined);
  for (const row of without) {
    row.what += ", no added certificates";
    // The floors that the targets come from were measured with them.
    delete row.target;
  }
  return [...rows, ...without];
}

/** @typedef {{name: string, mostTime?: number, run: () => Promise<{ms: number}>}} Measured */

/**
 * @param {import("./bench.mjs").BenchTools} tools
 * @param {string | undefined} certificates NODE_EXTRA_CA_CERTS
 * @returns {Promise<import("./bench.mjs").Row[]>}
 */
function startRows({ progress, pairs: least }, certificates) {
  // They are short, and the targets close to the floor: more of them cost seconds.
  const pairs = 2 * least - 1;
  return keepUntilEnd(async (keep) => {
    const line = await openCommandLine(keep, certificates ?? "");
    /** @type {Measured[]} */
    const measured = commands.map((command) => ({
      name: command.name,
      mostTime: command.mostTime,
      run: () => line.agent(command),
    }));
    measured.push({ name: "one request by node:http", run: line.floor });
    const rows = [];
    for (const { name, mostTime, run } of measured) {
      const { own, bare } = await interleave({
        pairs,
        runs: { bare: async () => (await line.bare()).ms, own: async () => (await run()).ms },
        onRound: (round) => progress(`${name}: ${round} of ${pairs} pairs`),
      });
      rows.push(
        ratioRow(name, own, bare, {
          unit: "ms",
          digits: 1,
          against: "of node -e 0",
          ...(mostTime !== undefined && { target: { most: mostTime } }),
        }),
      );
    }
    return rows;
  });
}
