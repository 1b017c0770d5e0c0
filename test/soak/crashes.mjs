import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readAuditRows } from "./audit-rows.mjs";
import { startCrashLoad } from "./crash-load.mjs";
import { startGateway } from "./gateway.mjs";
import { startLatenessWatch } from "./lateness.mjs";
import { pause, within } from "./processes.mjs";
import { closeIdleConnections, exchange } from "./wire.mjs";

const program = fileURLToPath(new URL("../fixtures/echo-server.mjs", import.meta.url));
/** What the audit may lose at a kill: what was answered in the last so many milliseconds, on a machine in time. */
const mayBeMissingMs = 100;
const longestRoundMs = 1500;

const tokens = { editor: "soak-editor-9d41b7", viewer: "soak-viewer-27c0fe" };
const configuration = {
  auth: {
    type: "token",
    options: {
      tokens: Object.entries(tokens).map(([role, token]) => ({ name: role, token, role })),
    },
  },
  mcpServers: { echo: { command: process.execPath, args: [program, "echo"] } },
};

/**
 * Kills the gateway under load, again and again on one state directory, and compares the audit with what was
 * answered: all that was answered more than 100 ms before the kill (and as much more as the machine was late just
 * then) is there, as it was answered; nothing twice; nothing that nobody called. The database opens each time, is whole, and keeps what it had.
 * @param {{random: import("./random.mjs").Random, kills: number, folder: string, violations: import("./violations.mjs").Violations, progress: (text: string) => void}} options
 * @returns {Promise<[string, string][]>} the figures
 */
export async function soakCrashes({ random, kills, folder, violations, progress }) {
  let answers = 0;
  let owed = 0;
  let late = 0;
  let lateMissing = 0;
  let last = 0;
  let total = 0;
  let mostLateMs = 0;
  const watch = startLatenessWatch();
  /** @type {Set<string>} */
  const seen = new Set();

  /** @param {number} round @param {ReturnType<typeof startCrashLoad>} load @param {string} stateDir @param {number} owedUntil */
  const compare = (round, load, stateDir, owedUntil) => {
    const { check, rows, total: now } = readAuditRows(stateDir, last);
    if (check !== '[["ok"]]') violations.add("crashes: the database is not whole", check);
    if (now !== total + rows.length)
      violations.add("crashes: earlier rows are gone", `${total}, now ${now - rows.length}`);
    total = now;
    last = rows.at(-1)?.sequence ?? last;
    /** @type {Set<string>} */
    const written = new Set();
    for (const { mark = "", status, tool, sequence } of rows) {
      const what = `round ${round}: row ${sequence}, ${tool} ${mark} ${status}`;
      if (seen.has(mark)) violations.add("crashes: a row twice", what);
      else if (!load.made.has(mark)) violations.add("crashes: a row of no call", what);
      seen.add(mark);
      written.add(mark);
      const answered = load.answered.get(mark);
      if (answered !== undefined && (answered.status !== status || answered.tool !== tool))
        violations.add("crashes: a row says something else", `${what}, not ${answered.status}`);
    }
    for (const [mark, { atMs }] of load.answered) {
      answers++;
      const isOwed = atMs < owedUntil;
      if (isOwed) owed++;
      else late++;
      if (written.has(mark)) continue;
      if (!isOwed) lateMissing++;
      else {
        const before = Math.round(owedUntil - atMs);
        violations.add(
          "crashes: an answered call has no row",
          `round ${round}: ${mark}, answered ${before} ms before what may be missing`,
        );
      }
    }
  };

  /** @param {import("./gateway.mjs").SoakGateway} gateway @param {number} round */
  const judgeStart = async (gateway, round) => {
    const aside = readdirSync(gateway.stateDir).filter((name) => name.includes("corrupt"));
    if (aside.length > 0 || gateway.log.includes("set aside"))
      violations.add("crashes: the database was set aside", `round ${round}: ${aside.join(" ")}`);
    const isReady = await within(30_000, async () => {
      const { status } = await exchange(`${gateway.url}/health/ready`, { method: "GET" });
      return status === 200;
    });
    if (!isReady) throw new Error(`round ${round}: not ready within 30 s:\n${gateway.log}`);
  };

  /** @param {number} round @param {boolean} withKill else it is stopped in peace, and owes every row */
  const play = async (round, withKill) => {
    const gateway = await startGateway(configuration, folder);
    let over = false;
    try {
      await judgeStart(gateway, round);
      const load = startCrashLoad({
        url: gateway.url,
        round,
        tokens,
        random: random.fork(),
        isOver: () => over,
        onWrong: (text) => violations.add("crashes: a wrong answer", text),
      });
      await pause(random.below(longestRoundMs) + mayBeMissingMs);
      if (withKill) {
        const killedMs = performance.now();
        const lateMs = watch.worstMs();
        mostLateMs = Math.max(mostLateMs, lateMs);
        over = true;
        await gateway.kill();
        await load.ended;
        compare(round, load, gateway.stateDir, killedMs - mayBeMissingMs - lateMs);
      } else {
        over = true;
        await load.ended;
        const stopped = await gateway.stop();
        if (stopped.code !== 0)
          violations.add("crashes: it did not end well", JSON.stringify(stopped) + gateway.log);
        compare(round, load, gateway.stateDir, Number.POSITIVE_INFINITY);
      }
    } finally {
      over = true;
      closeIdleConnections();
      await gateway.stop();
    }
  };

  try {
    for (let round = 1; round <= kills && violations.total < 200; round++) {
      await play(round, true);
      progress(
        `crashes: ${round} of ${kills} kills, ${total} rows, ${violations.total} violations`,
      );
    }
    await play(kills + 1, false);
  } finally {
    watch.stop();
  }
  return [
    ["kills", String(kills)],
    ["answers", `${answers}, ${owed} of them owed a row`],
    ["machine late by", `${Math.round(mostLateMs)} ms at most`],
    ["answered later than that", `${late}, ${lateMissing} of them without a row`],
    ["rows", String(total)],
  ];
}
