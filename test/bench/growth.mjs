import { startGateway } from "../soak/gateway.mjs";
import { pause } from "../soak/processes.mjs";
import { residentMiB } from "./child-process.mjs";
import { authorization, everythingOn } from "./gateway.mjs";
import { createHttpClient } from "./http-client.mjs";
import { median } from "./interleave.mjs";
import { keepUntilEnd } from "./keep-until-end.mjs";
import { createEcho, openSession } from "./mcp-clients.mjs";
import { manyAtOnce } from "./pace.mjs";
import { plainTool, startPlainUpstream } from "./plain-upstream.mjs";

const MiB = 2 ** 20;
const early = 1000;
const late = 100_000;
const atOnce = 16;
const stepCalls = 9000;

/**
 * Whether the gateway's memory grows with the calls it served: resident memory (VmRSS) after 100,000 calls against
 * after 1,000, of one process, with every call a row of the audit. It is read while nothing is called, as the
 * median of some readings, and before garbage is collected by force, which alone the row on what is alive needs. The
 * upstream is a plain HTTP server of ours, so that it takes a minute and not ten.
 * @type {import("./bench.mjs").Bench}
 */
export const benchGrowth = ({ progress }) =>
  keepUntilEnd(async (keep) => {
    const upstream = keep(await startPlainUpstream());
    const gateway = await startGateway({ ...everythingOn, mcpServers: upstream.mcpServers(1, 10) });
    keep({
      async stop() {
        await gateway.stop();
      },
    });
    await gateway.ready();
    const client = keep(createHttpClient(Number(new URL(gateway.url).port)));
    const ask = await openSession(client, { authorization });
    const call = createEcho(ask, { ...plainTool, name: `plain0__${plainTool.name}` });
    const measure = async () => {
      const readings = [];
      for (let reading = 0; reading < 5; reading++) {
        await pause(200);
        readings.push(residentMiB(gateway.pid));
      }
      const { live } = await gateway.measure();
      return { resident: median(readings), live: live / MiB };
    };

    await manyAtOnce(call, { count: early, atOnce });
    const first = await measure();
    for (let done = early; done < late; done += stepCalls) {
      await manyAtOnce(call, { count: stepCalls, atOnce });
      progress(`${done + stepCalls} of ${late} calls`);
    }
    const last = await measure();
    return [
      {
        what: "resident memory after 100,000 calls",
        value: last.resident / first.resident,
        unit: "×",
        target: { most: 1.1 },
        detail: `${last.resident.toFixed(1)} MiB against ${first.resident.toFixed(1)} MiB after 1,000`,
        figures: { early: first.resident, late: last.resident },
      },
      {
        what: "memory alive after 100,000 calls",
        value: last.live / first.live,
        unit: "×",
        detail: `${last.live.toFixed(1)} MiB against ${first.live.toFixed(1)} MiB after 1,000, after a collection`,
        figures: { early: first.live, late: last.live },
      },
    ];
  });
