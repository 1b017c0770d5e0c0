import { join } from "node:path";
import { pause } from "../../soak/processes.mjs";
import { cpuMs, residentMiB } from "../child-process.mjs";
import { createHttpClient } from "../http-client.mjs";
import { median } from "../interleave.mjs";
import { createEcho, openSession } from "../mcp-clients.mjs";
import { manyAtOnce, oneByOne } from "../pace.mjs";
import { ratioRow } from "../ratio-row.mjs";
import { echoTool } from "../real-servers.mjs";
import { gateways } from "./gateways.mjs";
import { measureEach, resultOf } from "./measure.mjs";
import { environmentOf, reasonOf } from "./programs.mjs";
import { startGateway } from "./start-gateway.mjs";
import { openStdioSession } from "./stdio-session.mjs";

/** @typedef {import("../bench.mjs").Row} Row */
/** @typedef {import("../table.mjs").Result} Result */
/** @typedef {import("./start-gateway.mjs").Way} Way */
/**
 * @typedef {object} Options
 * @property {import("./gateways.mjs").Behind} behind
 * @property {Readonly<Record<string, import("./measure-command-lines.mjs").Ready>>} ready by the key of the package
 * @property {string} folder for the homes
 * @property {{url: string, pid: number, stdio: string[]}} everything the server
 * @property {number} pairs
 * @property {(text: string) => void} progress
 */

const direct = "direct";
const callsInTurn = 120;
const load = { count: 320, atOnce: 32 };
/** Until V8 has compiled what a call passes, which takes some thousands. */
const warmUp = { count: 5000, atOnce: 8 };
/** After so long at rest its memory is read. */
const restMs = 3000;

/**
 * What a call of a tool costs through each gateway that can have such a server behind it, against calling the
 * server directly in the same way, and what the gateway's own process holds at rest.
 * @param {Options} options
 * @returns {Promise<Result[]>} none when no peer can have it behind it
 */
export async function measureCalls({ pairs, progress, ...options }) {
  const begun = performance.now();
  const { behind, openDirect, starts } = waysOf(options);
  if (isAlone(starts)) return [];
  /** @type {import("./measure.mjs").Failures} */
  const failures = new Map();
  /** @type {Record<string, Way>} */
  const ways = {};
  /** @type {Record<string, number>} */
  const atRest = {};
  try {
    for (const [title, start] of Object.entries({ [direct]: openDirect, ...starts })) {
      progress(`${behind}: starting ${title}`);
      try {
        const way = await start();
        ways[title] = way;
        if (title !== direct) {
          await pause(restMs);
          atRest[title] = residentMiB(way.pid);
        }
        await manyAtOnce(way.call, warmUp);
      } catch (error) {
        if (title === direct) throw error;
        failures.set(title, reasonOf(error));
      }
    }
    const times = await measureEach({
      pairs,
      failures,
      runs: mapValues(
        ways,
        ({ call }) =>
          () =>
            oneByOne(call, callsInTurn),
      ),
      onRound: (round) => progress(`${behind}: one by one, ${round} of ${pairs} rounds`),
    });
    /** @type {Record<string, number[]>} */
    const costs = mapValues(ways, () => []);
    const rates = await measureEach({
      pairs,
      failures,
      runs: mapValues(ways, ({ call, pid }, title) => async () => {
        const before = cpuMs(pid);
        const ms = await manyAtOnce(call, load);
        costs[title]?.push((cpuMs(pid) - before) / load.count);
        return (load.count * 1000) / ms;
      }),
      onRound: (round) => progress(`${behind}: 32 at once, ${round} of ${pairs} rounds`),
    });
    const measured = Object.keys(starts).filter((title) => !failures.has(title));
    /** @param {string} what @param {(title: string) => Row} rowOf */
    const result = (what, rowOf) =>
      resultOf(`${what}, ${behind}`, { rows: measured.map(rowOf), failures, begun });
    return [
      result("p50 of a call against calling directly", (title) =>
        againstDirect(title, times, { unit: "ms" }),
      ),
      result("throughput against calling directly, 32 at once", (title) =>
        againstDirect(title, rates, { unit: "calls/s", digits: 0 }),
      ),
      result("own CPU of a call, 32 at once", (title) => {
        // The round that warms up is not counted here either.
        const value = median(costs[title]?.slice(1) ?? []);
        return { what: title, value, unit: "ms", detail: `${pairs} rounds`, figures: { value } };
      }),
      result("own memory at rest", (title) => {
        const value = atRest[title] ?? Number.NaN;
        const detail = `${restMs / 1000} s after it was ready, one server behind it`;
        return { what: title, value, unit: "MiB", detail, figures: { value } };
      }),
    ];
  } finally {
    for (const { stop } of Object.values(ways).toReversed()) await stop();
  }
}

/**
 * How long it takes from the start of a gateway with a stdio server behind it to the first right answer of a tool,
 * against starting that server directly.
 * @param {Omit<Options, "behind">} options
 * @returns {Promise<Result[]>}
 */
export async function measureStarts({ pairs, progress, ...options }) {
  const begun = performance.now();
  const { openDirect, starts } = waysOf({ ...options, behind: "stdio" });
  if (isAlone(starts)) return [];
  /** @type {import("./measure.mjs").Failures} */
  const failures = new Map();
  const times = await measureEach({
    pairs,
    failures,
    runs: mapValues({ [direct]: openDirect, ...starts }, (start) => async () => {
      const { readyMs, stop } = await start();
      await stop();
      return readyMs;
    }),
    onRound: (round) => progress(`starts, ${round} of ${pairs} rounds`),
  });
  const rows = Object.keys(starts).flatMap((title) =>
    failures.has(title) ? [] : [againstDirect(title, times, { unit: "ms", digits: 0 })],
  );
  const name = "from the start to the first answer against starting the server directly, stdio";
  return [resultOf(name, { rows, failures, begun })];
}

/** Whether OneDoor has nobody beside it: its own figures are what `npm run bench` is for. @param {object} starts */
const isAlone = (starts) => Object.keys(starts).length < 2;

/**
 * The direct way, and how to start those of the gateways that are there and can have such a server behind them.
 * @param {Pick<Options, "ready" | "folder" | "everything"> & {behind: import("./gateways.mjs").Behind}} options
 */
function waysOf({ behind, ready, folder, everything }) {
  const { url, pid } = everything;
  const [command = "", ...args] = everything.stdio;
  /** @returns {Promise<Way>} */
  const openDirect = async () => {
    if (behind === "stdio") {
      const env = environmentOf(join(folder, "direct"));
      const session = await openStdioSession({ command, args, env });
      const call = createEcho(session.ask, echoTool);
      await call();
      return { ...session, call, readyMs: performance.now() - session.startedAt };
    }
    const client = createHttpClient(Number(new URL(url).port));
    const call = createEcho(await openSession(client, {}), echoTool);
    return { pid, call, readyMs: Number.NaN, stop: () => Promise.resolve(client.stop()) };
  };
  const upstream = behind === "http" ? { url } : { command, args };
  /** @type {Record<string, () => Promise<Way>>} */
  const starts = {};
  for (const [title, gateway] of Object.entries(gateways)) {
    const program = ready[gateway.package];
    if (program === undefined || !gateway.behind.includes(behind)) continue;
    starts[title] = () => startGateway(gateway, program, join(folder, title), upstream);
  }
  return { behind: behind === "http" ? "HTTP server" : "stdio server", openDirect, starts };
}

/**
 * @param {string} title
 * @param {Record<string, number[]>} figures
 * @param {{unit: string, digits?: number}} how
 */
function againstDirect(title, figures, how) {
  const note = gateways[title]?.note;
  return ratioRow(title, figures[title] ?? [], figures[direct] ?? [], {
    ...how,
    against: direct,
    ...(note !== undefined && { note }),
  });
}

/**
 * @template T, Mapped
 * @param {Readonly<Record<string, T>>} values
 * @param {(value: T, name: string) => Mapped} map
 * @returns {Record<string, Mapped>}
 */
function mapValues(values, map) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, map(value, name)]),
  );
}
