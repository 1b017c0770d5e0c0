import { fileURLToPath } from "node:url";
import { commands, openCommandLine } from "./command-line.mjs";
import { interleave } from "./interleave.mjs";
import { keepUntilEnd } from "./keep-until-end.mjs";
import { ratioRow } from "./ratio-row.mjs";

const flags = [
  "--require",
  fileURLToPath(new URL("programs/say-peak-memory.cjs", import.meta.url)),
];

/**
 * The most memory that a command ever holds, against `node -e 0`. In runs of their own: what asks for it takes
 * time, and so does not belong where time is measured.
 * @type {import("./bench.mjs").Bench}
 */
export function benchMemory({ progress, pairs }) {
  return keepUntilEnd(async (keep) => {
    const line = await openCommandLine(keep);
    const rows = [];
    for (const command of commands) {
      const { agent, bare } = await interleave({
        pairs,
        runs: {
          bare: async () => inMiB((await line.bare(flags)).aside),
          agent: async () => inMiB((await line.agent(command, flags)).aside),
        },
        onRound: (round) => progress(`${command.name}: ${round} of ${pairs} pairs`),
      });
      rows.push(
        ratioRow(`${command.name}, peak memory`, agent, bare, {
          unit: "MiB",
          digits: 1,
          against: "of node -e 0",
          target: { most: 1.4 },
        }),
      );
    }
    return rows;
  });
}

/** @param {string} kibibytes @throws {Error} when a program did not say how much it held */
function inMiB(kibibytes) {
  if (!/^\d+$/u.test(kibibytes)) throw new Error(`It said of its memory: "${kibibytes}"`);
  return Number(kibibytes) / 1024;
}
