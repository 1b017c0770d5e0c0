import { fileURLToPath } from "node:url";
import { createModernClient } from "./modern-client.mjs";
import { authentication, startGateway, tokens } from "./gateway.mjs";
import { isAlive, openDescriptors, processesMarked, within, zombiesOf } from "./processes.mjs";

const program = fileURLToPath(new URL("upstreams/mortal-upstream.mjs", import.meta.url));
const servers = 16;
/** From a stop or a kill until every process of it is gone; the stubborn ones use up each grace. */
const goneMs = 30_000;
const readyMs = 60_000;

/** How a server's life ends. The first two are kills from outside, the others are the gateway's doing. */
const ends = /** @type {const} */ (["kill the server", "kill its child", "change it", "remove it"]);

/**
 * Starts, kills and stops upstream servers under a running gateway, whose configuration is saved again and
 * again; each start must answer, and of each end no process may be left.
 * @param {{random: import("./random.mjs").Random, rounds: number, violations: import("./violations.mjs").Violations, progress: (text: string) => void}} options
 *   `rounds`: how many starts, each followed by an end
 * @returns {Promise<[string, string][]>} the figures
 */
export async function soakUpstreams({ random, rounds, violations, progress }) {
  const mark = `SOAK_MARK=${process.pid}-${random.below(2 ** 31)}`;
  const [, markValue = ""] = mark.split("=");
  let generation = 0;
  let saved = 0;
  /** @type {Map<string, object>} */
  const entries = new Map();
  const names = Array.from({ length: servers }, (_, index) => `mortal-${index}`);

  /** A new generation of a server, which differs from the one before. @param {string} name @param {number} index */
  const renew = (name, index) => {
    const modes = [
      ...(index % 4 === 1 ? ["nested"] : []),
      ...(index % 8 === 7 ? ["stubborn"] : []),
    ];
    const env = { SOAK_MARK: markValue, SOAK_SERVER: name, SOAK_GENERATION: String(++generation) };
    entries.set(name, { command: process.execPath, args: [program, ...modes], env });
    return String(generation);
  };
  const configuration = () => ({ auth: authentication, mcpServers: Object.fromEntries(entries) });
  /**
   * The processes of a server in the order in which they started each other (their numbers say nothing: the
   * system begins anew when it runs out of them).
   * @param {string} name
   */
  const pidsOf = (name) => {
    const found = processesMarked(mark).filter(({ environment }) =>
      environment.includes(`SOAK_SERVER=${name}\0`),
    );
    const pids = [gateway.pid];
    for (const pid of pids) {
      pids.push(...found.filter(({ parent }) => parent === pid).map((child) => child.pid));
    }
    return pids.slice(1);
  };

  /** Those that still live; a number alone may be somebody else's by now. @param {number[]} pids */
  const left = (pids) =>
    pids.some(isAlive) ? processesMarked(mark).filter(({ pid }) => pids.includes(pid)) : [];

  const gateway = await startGateway(configuration());
  const client = createModernClient({
    url: gateway.url,
    token: tokens.ann,
    name: "storm",
    onStray: (text) => violations.add("upstreams: a message that should not have come", text),
  });
  const save = () => {
    saved++;
    gateway.write(configuration());
  };

  /** @type {Map<string, string>} */
  const expected = new Map();
  /** Waits until the server answers as the generation it should be. @param {string} name */
  const answers = async (name) => {
    let last = "";
    const isThere = await within(readyMs, async () => {
      try {
        const result = await client.request("tools/call", { name: `${name}__pids`, arguments: {} });
        last = JSON.stringify(result);
        return result["mark"] === expected.get(name);
      } catch (error) {
        last = String(error);
        return false;
      }
    });
    if (!isThere) violations.add("upstreams: a server does not come back", `${name}: ${last}`);
    return isThere;
  };

  /** @type {Map<string, number>} */
  const counts = new Map();
  let started = 0;
  let slowestGoneMs = 0;
  try {
    while (started < rounds && violations.total < 200 && gateway.end === undefined) {
      const chosen = names.slice(0, Math.min(servers, rounds - started));
      for (const [index, name] of names.entries()) {
        if (chosen.includes(name)) expected.set(name, renew(name, index));
      }
      save();
      const alive = await Promise.all(chosen.map(answers));
      const living = chosen.filter((_, index) => alive[index]);
      started += living.length;

      /** @type {Map<string, number[]>} */
      const before = new Map();
      for (const name of living) {
        const pids = pidsOf(name);
        const wanted = names.indexOf(name) % 4 === 1 ? 3 : 2;
        if (pids.length < wanted)
          violations.add("upstreams: processes are missing", `${name}: ${pids.join(" ")}`);
        before.set(name, pids);
      }
      /** @type {Map<string, string>} */
      const endedBy = new Map();
      let changed = false;
      for (const name of living) {
        const end = random.pick(ends);
        counts.set(end, (counts.get(end) ?? 0) + 1);
        endedBy.set(name, end);
        const pids = before.get(name) ?? [];
        if (end === "kill the server" || end === "kill its child") {
          const [first, second] = pids;
          if (end === "kill its child") kill(second);
          // A child that was only started, and not waited for, is missed by nobody.
          if (end === "kill the server" || names.indexOf(name) % 4 !== 1) kill(first);
        } else if (end === "remove it") {
          entries.delete(name);
          changed = true;
        } else {
          expected.set(name, renew(name, names.indexOf(name)));
          changed = true;
        }
      }
      if (changed) save();
      const endedAt = Date.now();
      for (const name of living) {
        const pids = before.get(name) ?? [];
        const gone = await within(endedAt + goneMs - Date.now(), () => left(pids).length === 0);
        if (!gone) {
          const lines = left(pids).map(({ pid, command, environment }) => {
            const [of = ""] = /SOAK_GENERATION=\d+/u.exec(environment) ?? [];
            return `${pid} ${command} ${of}`;
          });
          violations.add(
            "upstreams: a process was left",
            `${name}, ${endedBy.get(name)}, now to be ${expected.get(name)}:\n${lines.join("\n")}\n${gateway.log.slice(-1000)}`,
          );
        } else slowestGoneMs = Math.max(slowestGoneMs, Date.now() - endedAt);
      }
      progress(
        `upstreams: ${started} of ${rounds} starts and ends, ${saved} saved configurations, ${violations.total} violations`,
      );
    }
    if (gateway.end !== undefined)
      violations.add(
        "upstreams: the gateway died",
        `${JSON.stringify(gateway.end)}\n${gateway.log}`,
      );
    const zombies = zombiesOf(gateway.pid);
    if (zombies > 0) violations.add("upstreams: processes not fetched", String(zombies));
    const { all } = openDescriptors(gateway.pid);
    const { sockets } = await gateway.measure();
    if (sockets > servers * 4 + 60)
      violations.add("upstreams: descriptors left open", `${sockets} sockets, ${all} in all`);
    const stopped = await gateway.stop();
    if (stopped.code !== 0)
      violations.add(
        "upstreams: the gateway did not end well",
        JSON.stringify(stopped) + gateway.log,
      );
    const none = await within(2000, () => processesMarked(mark).length === 0);
    const outliving = processesMarked(mark);
    if (!none)
      violations.add(
        "upstreams: processes outlive the gateway",
        outliving.map(({ pid, command }) => `${pid} ${command}`).join("\n"),
      );
    return [
      ["starts", `${started} and as many ends, ${saved} saved configurations`],
      ...[...counts]
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(([end, count]) => /** @type {[string, string]} */ ([`  ${end}`, String(count)])),
      ["slowest to be gone", `${slowestGoneMs} ms`],
      ["processes left", String(outliving.length)],
      ["end", `code ${stopped.code} after ${stopped.ms} ms`],
    ];
  } finally {
    await gateway.stop();
    for (const { pid } of processesMarked(mark)) kill(pid);
  }
}

/** @param {number | undefined} pid */
function kill(pid) {
  try {
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
