import { commands, openCommandLine } from "./command-line.mjs";
import { interleave } from "./interleave.mjs";
import { keepUntilEnd } from "./keep-until-end.mjs";
import { ratioRow } from "./ratio-row.mjs";

/**
 * How long a command takes, from its start to its end, against `node -e 0`.
 * @type {import("./bench.mjs").Bench}
 */
export function benchStart({ progress, pairs: least }) {
  // They are short, and the targets close to the floor: more of them cost seconds.
  const pairs = 2 * least - 1;
  return keepUntilEnd(async (keep) => {
    const line = await openCommandLine(keep);
    const rows = [];
    for (const command of commands) {
      const { agent, bare } = await interleave({
        pairs,
        runs: {
          bare: async () => (await line.bare()).ms,
          agent: async () => (await line.agent(command)).ms,
        },
        onRound: (round) => progress(`${command.name}: ${round} of ${pairs} pairs`),
      });
      rows.push(
        ratioRow(command.name, agent, bare, {
          unit: "ms",
          digits: 1,
          against: "of node -e 0",
          target: { most: command.mostTime },
        }),
      );
    }
    return rows;
  });
}
