import { pause } from "../soak/processes.mjs";
import { residentMiB } from "./child-process.mjs";
import { startGateway } from "./gateway.mjs";
import { median } from "./interleave.mjs";
import { keepUntilEnd } from "./keep-until-end.mjs";
import { threeStdioServers } from "./real-servers.mjs";

const starts = 3;
const idleMs = 10_000;

/**
 * What the gateway itself holds in memory (VmRSS of its process, its upstream servers apart) ten seconds after its
 * three stdio servers are ready and with nobody connected; the median of three starts.
 * @type {import("./bench.mjs").Bench}
 */
export const benchIdle = ({ progress }) =>
  keepUntilEnd(async (keep) => {
    const servers = threeStdioServers();
    keep({ stop: () => servers.remove() });
    const waiting = [];
    for (let start = 1; start <= starts; start++) {
      const gateway = keep(await startGateway(servers.mcpServers));
      await gateway.ready();
      progress(`${start} of ${starts} gateways are ready`);
      waiting.push(
        pause(idleMs).then(async () => {
          const MiB = residentMiB(gateway.pid);
          // One that has ended since, or cannot answer, holds little.
          await gateway.ready();
          return MiB;
        }),
      );
    }
    const held = await Promise.all(waiting);
    return [
      {
        what: "resident memory, idle, three stdio servers",
        value: median(held),
        unit: "MiB",
        target: { most: 90 },
        detail: `${held.map((MiB) => MiB.toFixed(1)).join(", ")} MiB in ${starts} starts, ${idleMs / 1000} s after ready`,
      },
    ];
  });
