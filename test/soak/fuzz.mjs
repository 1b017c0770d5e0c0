import { deliver } from "./deliver.mjs";
import { openAskers, openGround } from "./fuzz-ground.mjs";
import { authentication, startGateway } from "./gateway.mjs";
import { describeExchange, faultOf } from "./judge-answer.mjs";
import { inMiB, judgeFlatness } from "./memory.mjs";
import { createMutations } from "./mutations.mjs";
import { within } from "./processes.mjs";
import { createRightRequests } from "./right-requests.mjs";
import { startUpstreamServers } from "./upstream-servers.mjs";
import { closeIdleConnections, Hang } from "./wire.mjs";

const maxBodyBytes = 256 * 1024;
/** How many messages are on their way at once. */
const width = 12;
/** One right request after so many wrong ones. */
const rightEvery = 8;

/**
 * Sends wrong messages of every kind to `/mcp`, and right ones in between on clients that live all the time.
 * @param {{random: import("./random.mjs").Random, messages: number, folder: string, violations: import("./violations.mjs").Violations, progress: (text: string) => void}} options
 * @returns {Promise<[string, string][]>} the figures
 */
export async function soakFuzz({ random, messages, folder, violations, progress }) {
  const upstreams = await startUpstreamServers(folder);
  /** @type {Record<string, object>} */
  const mcpServers = {};
  for (const [name, server] of Object.entries(upstreams.mcpServers))
    mcpServers[name] = { ...server, timeout: 10 };
  const gateway = await startGateway({ auth: authentication, maxBodyBytes, mcpServers });
  try {
    await gateway.ready();
    /** @param {string} text */
    const onStray = (text) => violations.add("fuzz: a message that should not have come", text);
    const right = createRightRequests(upstreams, onStray);
    const askers = await openAskers(gateway.url, right, random, onStray);
    for (const asker of askers) for (const kind of right.names) await right.send(asker, kind);

    const ground = await openGround(gateway.url, askers, maxBodyBytes, onStray);
    const mutations = [...createMutations(random.fork(), ground).values()];
    /** @type {Map<string, number>} */
    const statuses = new Map();
    let sent = 0;
    let rightAnswers = 0;
    let slowestMs = 0;
    let mostSockets = 0;

    const sendFuzz = async () => {
      const make = mutations[sent % mutations.length];
      if (make === undefined) throw new Error("There are no mutations");
      const fuzz = make();
      sent++;
      const started = Date.now();
      try {
        const answer = await deliver(gateway.url, fuzz);
        const status = answer === undefined ? "cut" : String(answer.status);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        const fault = answer === undefined ? undefined : faultOf(fuzz, answer);
        if (fault !== undefined)
          violations.add(`fuzz: ${fuzz.kind}: ${fault}`, describeExchange(fuzz, answer));
      } catch (error) {
        violations.add(
          `fuzz: ${fuzz.kind}: ${error instanceof Hang ? "a hang" : "no answer"}`,
          `${String(error)}\n${describeExchange(fuzz)}`,
        );
      }
      slowestMs = Math.max(slowestMs, Date.now() - started);
    };
    const sendRight = async () => {
      const asker = random.pick(askers);
      try {
        await right.send(asker);
        rightAnswers++;
      } catch (error) {
        violations.add(
          "fuzz: a wrong answer to a right request",
          `${asker.name}: ${String(error)}`,
        );
      }
    };

    const atRest = await gateway.measure();
    /** @type {import("./memory.mjs").MemorySample[]} */
    const samples = [];
    const everyMessages = Math.max(1, Math.floor(messages / 40));
    let nextSample = everyMessages;
    const goesOn = () => sent < messages && gateway.end === undefined && violations.total < 2000;
    const work = async () => {
      for (let own = 1; goesOn(); own++) {
        await (own % rightEvery === 0 ? sendRight() : sendFuzz());
        if (sent < nextSample) continue;
        nextSample += everyMessages;
        const sample = await gateway.measure();
        samples.push(sample);
        mostSockets = Math.max(mostSockets, sample.sockets);
        progress(
          `fuzz: ${sent} of ${messages} messages, ${rightAnswers} right answers in between, ${violations.total} violations, ${inMiB(sample.live)} live, ${sample.sockets} sockets`,
        );
      }
    };
    await Promise.all(Array.from({ length: width }, work));
    if (gateway.end !== undefined)
      violations.add("fuzz: the gateway died", `${JSON.stringify(gateway.end)}\n${gateway.log}`);
    else {
      for (const asker of askers)
        for (const kind of right.names)
          await right.send(asker, kind).catch((/** @type {unknown} */ error) => {
            violations.add(
              "fuzz: a wrong answer after it all",
              `${asker.name} ${kind}: ${String(error)}`,
            );
          });
    }
    const flatness = judgeFlatness(samples);
    if (!flatness.flat) violations.add("fuzz: memory grows", flatness.text);
    closeIdleConnections();
    let left = { sockets: 0 };
    const allowed = atRest.sockets + 10;
    await within(15_000, async () => {
      left = await gateway.measure();
      return left.sockets <= allowed;
    });
    if (left.sockets > allowed)
      violations.add("fuzz: sockets left open", `${left.sockets}, at rest ${atRest.sockets}`);
    if (mostSockets > atRest.sockets + 150)
      violations.add("fuzz: too many sockets", `${mostSockets}, at rest ${atRest.sockets}`);
    await Promise.all(askers.map(({ client }) => client.close()));
    const stopped = await gateway.stop();
    if (stopped.code !== 0)
      violations.add("fuzz: the gateway did not end well", JSON.stringify(stopped) + gateway.log);
    return [
      ["wrong messages", `${sent} of ${mutations.length} kinds, slowest ${slowestMs} ms`],
      [
        "HTTP answers",
        [...statuses]
          .toSorted(([a], [b]) => a.localeCompare(b))
          .map(([status, count]) => `${status}: ${count}`)
          .join(", "),
      ],
      ["right requests in between", String(rightAnswers)],
      ["memory", flatness.text],
      ["sockets", `${atRest.sockets} at rest, at most ${mostSockets}, ${left.sockets} after`],
      ["end", `code ${stopped.code} after ${stopped.ms} ms`],
    ];
  } finally {
    await gateway.stop();
    await upstreams.stop();
  }
}
