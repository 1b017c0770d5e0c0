import { authorization, startGateway } from "./gateway.mjs";
import { createHttpClient } from "./http-client.mjs";
import { interleave, median } from "./interleave.mjs";
import { keepUntilEnd } from "./keep-until-end.mjs";
import { createEcho, openSession } from "./mcp-clients.mjs";
import { manyAtOnce } from "./pace.mjs";
import { plainTool, startPlainUpstream } from "./plain-upstream.mjs";
import { ratioRow } from "./ratio-row.mjs";

const many = 200;
/** Well below what the gateway takes, so that what is measured is the work and not a queue. */
const callsPerSecond = 400;
const roundSeconds = 1.25;

/**
 * What a call costs while 200 MCP sessions are open, each with its common stream and a connection of its own, and
 * each calling; against one session that calls as often as they do together. Each of the two has a gateway of its
 * own, so that the one session does not carry the others. Calls are sent at set times whether or not the one
 * before was answered, and what a call took counts from the time it was to be sent: a gateway that falls behind
 * cannot slow down who measures it. How late the sender itself was is in both figures, and said beside them. The
 * upstream is a plain server of ours, so that the load stays far from the machine's limit.
 * @type {import("./bench.mjs").Bench}
 */
export const benchSessions = ({ progress, pairs }) =>
  keepUntilEnd(async (keep) => {
    const upstream = keep(await startPlainUpstream());
    /** @param {number} count */
    const start = async (count) => {
      const gateway = keep(await startGateway(upstream.mcpServers(1, 10)));
      await gateway.ready();
      /** @type {(() => Promise<void>)[]} */
      const calls = [];
      for (let index = 0; index < count; index++) {
        const client = keep(createHttpClient(gateway.port));
        const ask = await openSession(client, { authorization, listen: true });
        calls.push(createEcho(ask, { ...plainTool, name: `plain0__${plainTool.name}` }));
        progress(`${index + 1} of ${count} sessions are open`);
      }
      let next = 0;
      const call = () => calls[next++ % count]?.() ?? Promise.resolve();
      await manyAtOnce(call, { count: 2000, atOnce: 8 });
      return call;
    };
    const one = await start(1);
    const all = await start(many);
    /** @type {number[]} */
    const lateness = [];
    /** @param {() => Promise<void>} call */
    const run = (call) => async () => {
      const { times, late } = await atSetTimes(call, roundSeconds * callsPerSecond);
      lateness.push(median(late));
      return median(times);
    };
    const times = await interleave({
      pairs,
      runs: { one: run(one), all: run(all) },
      onRound: (round) => progress(`${round} of ${pairs} rounds`),
    });
    return [
      ratioRow(`p50 of a call, ${many} sessions at once`, times.all, times.one, {
        unit: "ms",
        against: `with one session at the same ${callsPerSecond} calls a second`,
        target: { most: 1.3 },
        note: `sent ${median(lateness).toFixed(2)} ms late`,
      }),
    ];
  });

/**
 * Calls at set times.
 * @param {() => Promise<void>} call
 * @param {number} count
 * @returns {Promise<{times: number[], late: number[]}>} of each call, in milliseconds: from when it was to be sent
 *   to its answer, and to when it was sent; rejects with the first that fails
 */
async function atSetTimes(call, count) {
  const stepMs = 1000 / callsPerSecond;
  /** @type {number[]} */
  const times = [];
  /** @type {number[]} */
  const late = [];
  /** @type {Promise<void>[]} */
  const sent = [];
  const begun = performance.now() + stepMs;
  /** @param {number} dueAt */
  const send = async (dueAt) => {
    late.push(performance.now() - dueAt);
    await call();
    times.push(performance.now() - dueAt);
  };
  await new Promise((resolve) => {
    const tick = () => {
      for (;;) {
        const waitMs = begun + sent.length * stepMs - performance.now();
        if (sent.length === count) {
          resolve(undefined);
          return;
        }
        if (waitMs > 0) {
          setTimeout(tick, waitMs);
          return;
        }
        const sending = send(begun + sent.length * stepMs);
        // Its failure is told below, to whoever waits for all of them.
        sending.catch(() => undefined);
        sent.push(sending);
      }
    };
    tick();
  });
  await Promise.all(sent);
  return { times, late };
}
