import { openLegacyClient } from "./legacy-client.mjs";
import { createModernClient } from "./modern-client.mjs";
import { openSseClient } from "./sse-client.mjs";
import { authentication, startGateway, tokens } from "./gateway.mjs";
import { judgeFlatness, inMiB } from "./memory.mjs";
import { pause, within } from "./processes.mjs";
import { answerAs, createRightRequests } from "./right-requests.mjs";
import { startUpstreamServers } from "./upstream-servers.mjs";
import { closeIdleConnections, Hang } from "./wire.mjs";

const capabilities = { elicitation: {}, sampling: {}, roots: {} };
/** Of ten sessions: what they speak, and whether a server can ask them. */
const kinds = /** @type {const} */ ([
  ["legacy", true],
  ["legacy", true],
  ["legacy", false],
  ["legacy", false],
  ["sse", true],
  ["modern", true],
  ["modern", true],
  ["modern", true],
  ["modern", false],
  ["modern", false],
]);
const legacyVersions = ["2025-11-25", "2025-06-18", "2025-03-26"];

/**
 * Many client sessions of both eras at once, each with requests of every kind at its own pace, and now and
 * then one that ends and another that begins in its place: every answer right, nothing of another's, and
 * memory flat.
 * @param {{random: import("./random.mjs").Random, sessions: number, seconds: number, pauseMs: number, folder: string, violations: import("./violations.mjs").Violations, progress: (text: string) => void}} options
 * @returns {Promise<[string, string][]>} the figures
 */
export async function soakSessions({
  random,
  sessions,
  seconds,
  pauseMs,
  folder,
  violations,
  progress,
}) {
  const upstreams = await startUpstreamServers(folder);
  const gateway = await startGateway({ auth: authentication, mcpServers: upstreams.mcpServers });
  /** @param {string} text */
  const onStray = (text) => violations.add("sessions: a message that should not have come", text);
  const right = createRightRequests(upstreams, onStray);
  /** @type {Map<string, number>} */
  const counts = new Map();
  let answered = 0;
  let opened = 0;
  let slowestMs = 0;
  const stopping = new AbortController();

  /** @param {number} index @param {number} generation @param {import("./random.mjs").Random} own */
  const open = async (index, generation, own) => {
    const [kind, asks] = kinds[index % kinds.length] ?? kinds[0];
    const name = `s${index}g${generation}`;
    /** @type {Set<string>} */
    const updated = new Set();
    const options = {
      url: gateway.url,
      token: index % 2 === 0 ? tokens.ann : tokens.bob,
      name,
      onNotification: right.hear({ name, updated }),
      onStray: (/** @type {string} */ text) => onStray(`${name} (${kind}): ${text}`),
      ...(asks && { capabilities, answer: answerAs(name) }),
    };
    opened++;
    const client =
      kind === "modern"
        ? createModernClient(options)
        : kind === "sse"
          ? await openSseClient(options)
          : await openLegacyClient({ ...options, version: own.pick(legacyVersions) });
    return { name, client, asks, updated, random: own };
  };

  /** @param {number} index @param {import("./random.mjs").Random} own */
  const live = async (index, own) => {
    await pause(own.below(pauseMs) + 1);
    for (let generation = 0; !stopping.signal.aborted; generation++) {
      let asker;
      try {
        asker = await open(index, generation, own);
        for (let left = 20 + asker.random.below(60); left > 0 && !stopping.signal.aborted; left--) {
          const started = Date.now();
          const kind = await right.send(asker);
          slowestMs = Math.max(slowestMs, Date.now() - started);
          counts.set(kind, (counts.get(kind) ?? 0) + 1);
          answered++;
          await pause(pauseMs / 2 + asker.random.below(pauseMs));
        }
        await asker.client.close();
      } catch (error) {
        const kind = error instanceof Hang ? "sessions: a hang" : "sessions: a wrong answer";
        violations.add(
          kind,
          `session ${index} (${String(kinds[index % kinds.length])}): ${String(error)}`,
        );
        await asker?.client.close().catch(() => undefined);
        await pause(pauseMs);
      }
    }
  };

  try {
    await gateway.ready();
    const atRest = await gateway.measure();
    const lives = Array.from({ length: sessions }, (_, index) => live(index, random.fork()));
    /** @type {import("./memory.mjs").MemorySample[]} */
    const samples = [];
    const end = Date.now() + seconds * 1000;
    const everyMs = Math.max(1000, (seconds * 1000) / 60);
    let mostSockets = 0;
    while (Date.now() < end && gateway.end === undefined) {
      await pause(Math.min(everyMs, Math.max(1, end - Date.now())));
      const sample = await gateway.measure();
      samples.push(sample);
      mostSockets = Math.max(mostSockets, sample.sockets);
      progress(
        `sessions: ${Math.round((end - Date.now()) / 1000)} s left, ${answered} right answers, ${inMiB(sample.live)} live, ${inMiB(sample.rss)} RSS, ${sample.sockets} sockets`,
      );
    }
    stopping.abort();
    await Promise.all(lives);
    closeIdleConnections();
    const flatness = judgeFlatness(samples);
    if (!flatness.flat) violations.add("sessions: memory grows", flatness.text);
    const allowed = atRest.sockets + 20;
    let left = await gateway.measure();
    await within(15_000, async () => {
      left = await gateway.measure();
      return left.sockets <= allowed;
    });
    if (left.sockets > allowed)
      violations.add("sessions: sockets left open", `${left.sockets}, at rest ${atRest.sockets}`);
    const missing = right.names.filter((name) => (counts.get(name) ?? 0) === 0);
    if (missing.length > 0)
      violations.add("sessions: kinds of requests never answered", missing.join(", "));
    const stopped = await gateway.stop();
    if (stopped.code !== 0)
      violations.add(
        "sessions: the gateway did not end well",
        JSON.stringify(stopped) + gateway.log,
      );
    return [
      ["sessions at once", `${sessions} for ${seconds} s (${opened} opened in all)`],
      ["right answers", `${answered}, slowest ${slowestMs} ms`],
      ...[...counts]
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(([kind, count]) => /** @type {[string, string]} */ ([`  ${kind}`, String(count)])),
      ["memory", flatness.text],
      ["sockets", `${atRest.sockets} at rest, at most ${mostSockets}, ${left.sockets} after`],
      ["end", `code ${stopped.code} after ${stopped.ms} ms`],
    ];
  } finally {
    stopping.abort();
    await gateway.stop();
    await upstreams.stop();
  }
}
