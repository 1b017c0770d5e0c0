import { cpuMs } from "./child-process.mjs";
import { authorization, startGateway } from "./gateway.mjs";
import { createHttpClient } from "./http-client.mjs";
import { interleave } from "./interleave.mjs";
import { keepUntilEnd } from "./keep-until-end.mjs";
import { createEcho, createModernAsk, createRestEcho, openSession } from "./mcp-clients.mjs";
import { manyAtOnce, oneByOne } from "./pace.mjs";
import { startPassThrough } from "./pass-through.mjs";
import { ratioRow } from "./ratio-row.mjs";
import { echoTool, startEverything } from "./real-servers.mjs";

/** @typedef {() => Promise<void>} Call */

/** Of one side in one round. */
const callsInTurn = 100;
const load = { count: 320, atOnce: 32 };
/** Until V8 has compiled what a call passes, which takes some thousands: a gateway runs for days. */
const warmUp = { count: 5000, atOnce: 8 };

/** @param {Call} call */
const timeOf = (call) => () => oneByOne(call, callsInTurn);
/** @param {Call} call */
const rateOf = (call) => async () => (load.count * 1000) / (await manyAtOnce(call, load));
/** Of the process that the calls go through, not of the server behind it. @param {Call} call @param {number} pid */
const cpuOf = (call, pid) => async () => {
  const before = cpuMs(pid);
  await manyAtOnce(call, load);
  return (cpuMs(pid) - before) / load.count;
};

/**
 * What a call of a tool over an HTTP upstream costs: against calling the server directly in time and throughput,
 * against a plain Node pass-through in the CPU of the process itself. The server, server-everything, is the same
 * process for all sides, and so is the client; only the way between them differs. The figures with a target are
 * those of a client with a session (2025-11-25), as the direct side has one; a client of the modern era and REST
 * stand beside them without a target, for the server itself speaks neither.
 * @type {import("./bench.mjs").Bench}
 */
export const benchCall = ({ progress, pairs }) =>
  keepUntilEnd(async (keep) => {
    const everything = keep(await startEverything());
    const pass = keep(await startPassThrough(everything.port));
    // One for each kind of client: what V8 compiles for one would bear the marks of the others.
    const start = async () => {
      const gateway = keep(await startGateway({ everything: { url: everything.url } }));
      await gateway.ready();
      return gateway;
    };
    const gateways = { legacy: await start(), modern: await start(), rest: await start() };

    const exposed = { ...echoTool, name: `${echoTool.server}__${echoTool.name}` };
    const directSession = await openSession(keep(createHttpClient(everything.port)), {});
    const passSession = await openSession(keep(createHttpClient(pass.port)), {});
    const direct = createEcho(directSession, echoTool);
    const through = createEcho(passSession, echoTool);
    const legacySession = await openSession(gateways.legacy.client, { authorization });
    const legacy = createEcho(legacySession, exposed);
    const modern = createEcho(createModernAsk(gateways.modern.client, authorization), exposed);
    const rest = createRestEcho(gateways.rest.client, authorization, echoTool);
    for (const [name, call] of Object.entries({ direct, through, legacy, modern, rest })) {
      progress(`warming up, ${name}`);
      await manyAtOnce(call, warmUp);
    }

    /** @param {string} what */
    const say = (what) => (/** @type {number} */ round) =>
      progress(`${what}, ${round} of ${pairs} rounds`);
    const times = await interleave({
      pairs,
      runs: {
        direct: timeOf(direct),
        through: timeOf(through),
        legacy: timeOf(legacy),
        modern: timeOf(modern),
        rest: timeOf(rest),
      },
      onRound: say("one after the other"),
    });
    const rates = await interleave({
      pairs,
      runs: {
        direct: rateOf(direct),
        through: rateOf(through),
        legacy: rateOf(legacy),
        modern: rateOf(modern),
        rest: rateOf(rest),
      },
      onRound: say("32 at once"),
    });
    const costs = await interleave({
      pairs,
      runs: {
        through: cpuOf(through, pass.pid),
        legacy: cpuOf(legacy, gateways.legacy.pid),
        modern: cpuOf(modern, gateways.modern.pid),
        rest: cpuOf(rest, gateways.rest.pid),
      },
      onRound: say("CPU"),
    });

    const time = { unit: "ms", against: "directly" };
    const rate = { unit: "calls/s", against: "directly", digits: 0 };
    const cpu = { unit: "ms", against: "of a plain pass-through" };
    const main = { time: { most: 1.3 }, rate: { least: 0.7 }, cpu: { most: 1.7 } };
    return [
      ratioRow("p50 of a call", times.legacy, times.direct, { ...time, target: main.time }),
      ratioRow("throughput, 32 at once", rates.legacy, rates.direct, {
        ...rate,
        target: main.rate,
      }),
      ratioRow("own CPU of a call", costs.legacy, costs.through, { ...cpu, target: main.cpu }),
      ratioRow("p50 of a call, 2026-07-28", times.modern, times.direct, time),
      ratioRow("throughput, 2026-07-28", rates.modern, rates.direct, rate),
      ratioRow("own CPU of a call, 2026-07-28", costs.modern, costs.through, cpu),
      ratioRow("p50 of a call, REST", times.rest, times.direct, time),
      ratioRow("throughput, REST", rates.rest, rates.direct, rate),
      ratioRow("own CPU of a call, REST", costs.rest, costs.through, cpu),
      ratioRow("p50 of a call, plain pass-through", times.through, times.direct, time),
      ratioRow("throughput, plain pass-through", rates.through, rates.direct, rate),
    ];
  });
