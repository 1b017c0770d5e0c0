import { startGateway } from "../soak/gateway.mjs";
import { authorization, everythingOn } from "./gateway.mjs";
import { createHttpClient } from "./http-client.mjs";
import { interleave, median } from "./interleave.mjs";
import { keepUntilEnd } from "./keep-until-end.mjs";
import { openSession } from "./mcp-clients.mjs";
import { oneByOne } from "./pace.mjs";
import { startPlainUpstream } from "./plain-upstream.mjs";

/** @typedef {{servers: number, toolsEach: number}} Size */
/** @typedef {Awaited<ReturnType<typeof startLister>>} Lister */

const MiB = 2 ** 20;
const mostAStep = 1.3;
const warmUpMs = 1500;
/** So many lists in a round that each round takes about as long. @param {number} tools */
const listsInTurn = (tools) => Math.max(10, 2000 / tools);

const byTools = [10, 100, 1000].map((toolsEach) => ({ servers: 1, toolsEach }));
const byServers = [1, 10, 100].map((servers) => ({ servers, toolsEach: 10 }));

/**
 * Whether `tools/list` and the gateway's memory grow in line with what is listed: at 10, 100 and 1,000 tools of one
 * server, and at 1, 10 and 100 servers with ten tools each. In line: ten times as many cost at most 13 times as
 * much, at each of the two steps. What a list costs whatever is in it is allowed to fade, so this is a limit on
 * growth: a knee shows in the step it is in. `slope` among the figures leaves the constant out: what one more tool
 * costs in the second step, against the first.
 *
 * A list is what one client with a session gets again and again, as text, checked to be the one that was found to
 * hold every tool; no reading of JSON by the client is in the time. Memory is what is alive after a collection of
 * garbage once the lists were asked for, less that of a gateway without servers; resident memory, which holds
 * garbage too, is said beside it. The upstreams are plain servers of ours, all in one process.
 * @type {import("./bench.mjs").Bench}
 */
export const benchLists = ({ progress, pairs }) =>
  keepUntilEnd(async (keep) => {
    const upstream = keep(await startPlainUpstream());
    /** @param {Size} size */
    const start = async (size) => {
      progress(`${size.servers} servers with ${size.toolsEach} tools each`);
      const lister = await startLister(size, upstream);
      return keep(lister);
    };
    const empty = await (await start({ servers: 0, toolsEach: 0 })).memory();
    /** @param {string} what @param {readonly Size[]} sizes */
    const measure = async (what, sizes) => {
      const listers = [];
      for (const size of sizes) listers.push(await start(size));
      const times = await interleave({
        pairs,
        runs: Object.fromEntries(listers.map(({ tools, run }) => [tools, run])),
        onRound: (round) => progress(`${what}, ${round} of ${pairs} rounds`),
      });
      const held = [];
      for (const lister of listers) held.push(await lister.memory());
      const first = listers.map(({ firstMs }) => firstMs.toFixed(0)).join(", ");
      const resident = [empty, ...held].map(({ rss }) => (rss / MiB).toFixed(0)).join(", ");
      return [
        growthRow(`tools/list, ${what}`, "ms", `the first one ${first} ms`, {
          tools: listers.map(({ tools }) => tools),
          costs: listers.map(({ tools }) => median(times[tools] ?? [])),
        }),
        growthRow(`memory, ${what}`, "MiB", `resident, from no server on, ${resident} MiB`, {
          tools: listers.map(({ tools }) => tools),
          costs: held.map(({ live }) => (live - empty.live) / MiB),
        }),
      ];
    };
    return [
      ...(await measure("10, 100, 1,000 tools", byTools)),
      ...(await measure("1, 10, 100 servers", byServers)),
    ];
  });

/**
 * A gateway before so many tools, with a client that lists them.
 * @param {Size} size
 * @param {Awaited<ReturnType<typeof startPlainUpstream>>} upstream
 */
async function startLister({ servers, toolsEach }, upstream) {
  const tools = servers * toolsEach;
  const mcpServers = upstream.mcpServers(servers, toolsEach);
  const gateway = await startGateway({ ...everythingOn, mcpServers });
  await gateway.ready();
  const client = createHttpClient(Number(new URL(gateway.url).port));
  const ask = await openSession(client, { authorization });
  const begun = performance.now();
  const { status, text } = await ask("tools/list", {});
  const firstMs = performance.now() - begun;
  const { result } = status === 200 ? readAnswer(text) : {};
  if (result?.tools?.length !== tools || result.nextCursor !== undefined)
    throw new Error(`not ${tools} tools: ${status} ${text.slice(0, 300)}`);
  const body = JSON.stringify(result);
  const list = async () => {
    const answer = await ask("tools/list", {});
    if (answer.status !== 200 || !answer.text.includes(body))
      throw new Error(`another list: ${answer.status} ${answer.text.slice(0, 300)}`);
  };
  const end = performance.now() + warmUpMs;
  while (performance.now() < end) await list();
  return {
    tools,
    firstMs,
    run: () => oneByOne(list, listsInTurn(tools)),
    memory: () => gateway.measure(),
    async stop() {
      client.stop();
      await gateway.stop();
    },
  };
}

/** The JSON of an answer, which may be an event. @param {string} text @returns {import("../soak/wire.mjs").Message} */
function readAnswer(text) {
  return JSON.parse(/(?<=^data: ).*$/mu.exec(text)?.[0] ?? text);
}

/**
 * @param {string} what
 * @param {string} unit
 * @param {string} note
 * @param {{tools: number[], costs: number[]}} measured the costs of so many tools, from few to many
 * @returns {import("./bench.mjs").Row} its value is the worse of the steps
 */
function growthRow(what, unit, note, { tools: [few = 0, some = 0, all = 0], costs }) {
  const [small = Number.NaN, middle = Number.NaN, large = Number.NaN] = costs;
  const steps = [middle / some / (small / few), large / all / (middle / some)];
  const slope = (large - middle) / (all - some) / ((middle - small) / (some - few));
  const shown = costs.map((cost) => cost.toFixed(2)).join(", ");
  return {
    what,
    value: Math.max(...steps),
    unit: "×",
    target: { most: mostAStep },
    detail: `${shown} ${unit}; a tool costs ${steps.map((step) => `${step.toFixed(2)}×`).join(", then ")}; ${note}`,
    figures: { few: small, some: middle, all: large, slope },
  };
}
