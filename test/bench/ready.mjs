import { fileURLToPath } from "node:url";
import { startNode } from "./child-process.mjs";
import { startGateway } from "./gateway.mjs";
import { interleave } from "./interleave.mjs";
import { keepUntilEnd } from "./keep-until-end.mjs";
import { ratioRow } from "./ratio-row.mjs";
import { threeStdioServers } from "./real-servers.mjs";

const starter = fileURLToPath(new URL("programs/start-servers.mjs", import.meta.url));

/**
 * How long the gateway takes to start before three real servers over stdio: until it answers `/health`, against the
 * whole of `node -e 0`, and until all three are ready (`/health/ready`), against a bare Node process that starts
 * the same three at once and has initialized each and has its tools. Both count from the start of the process, and
 * both have three more processes of Node to share the machine's cores with. The gateway asks its servers for more
 * than their tools, and has its database to open; that is its own.
 * @type {import("./bench.mjs").Bench}
 */
export const benchReady = ({ progress, pairs }) =>
  keepUntilEnd(async (keep) => {
    const servers = threeStdioServers();
    keep({ stop: () => servers.remove() });
    /** When the gateway of each round answered `/health`; the first round's is not counted. @type {number[]} */
    const healthy = [];
    const times = await interleave({
      pairs,
      runs: {
        async bare() {
          const begun = performance.now();
          const child = startNode(["-e", "0"]);
          if ((await child.ended) !== 0) throw new Error(`node -e 0: ${child.output}`);
          return performance.now() - begun;
        },
        async direct() {
          const begun = performance.now();
          const child = startNode([starter, JSON.stringify(servers.mcpServers)]);
          const tools = Number(await child.said(/listed (\d+)/u));
          const ms = performance.now() - begun;
          if ((await child.ended) !== 0 || tools < 3)
            throw new Error(`not every server has tools: ${child.output}`);
          return ms;
        },
        async gateway() {
          const gateway = await startGateway(servers.mcpServers);
          try {
            healthy.push(gateway.healthyAt - gateway.startedAt);
            await gateway.ready();
            return performance.now() - gateway.startedAt;
          } finally {
            await gateway.stop();
          }
        },
      },
      onRound: (round) => progress(`${round} of ${pairs} rounds`),
    });
    return [
      ratioRow("/health answers", healthy.slice(1), times.bare, {
        unit: "ms",
        digits: 0,
        against: "for node -e 0",
        target: { most: 5 },
      }),
      ratioRow("three stdio servers are ready", times.gateway, times.direct, {
        unit: "ms",
        digits: 0,
        against: "for a bare Node process that starts them at once and lists their tools",
        target: { most: 1.15 },
      }),
    ];
  });
