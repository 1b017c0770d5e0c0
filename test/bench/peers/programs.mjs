import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive, processesMarked, within } from "../../soak/processes.mjs";

/** A program and what it is told. @typedef {{node: string, args: readonly string[], env: NodeJS.ProcessEnv, home: string}} Program */

/**
 * The surroundings of a program that knows nothing of this machine's user: a home of its own, no keychain, no
 * proxies, nothing told to anybody.
 * @param {string} home is made
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentOf(home) {
  mkdirSync(join(home, "tmp"), { recursive: true, mode: 0o700 });
  return {
    PATH: process.env["PATH"],
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".data"),
    XDG_STATE_HOME: join(home, ".state"),
    XDG_CACHE_HOME: join(home, ".cache"),
    TMPDIR: join(home, "tmp"),
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(home, "no-bus")}`,
    LANG: "C.UTF-8",
    DO_NOT_TRACK: "1",
    NO_UPDATE_NOTIFIER: "1",
  };
}

/**
 * Starts a program that stays. What it writes goes into a file, so that reading it costs nobody anything.
 * @param {Program} program
 */
export function startToStay({ node, args, env, home }) {
  const log = join(home, "log.txt");
  const file = openSync(log, "w");
  const startedAt = performance.now();
  const child = spawn(node, args, {
    cwd: home,
    env,
    detached: true,
    stdio: ["ignore", file, file],
  });
  closeSync(file);
  let error = "";
  child.once("error", (reason) => {
    error = String(reason);
  });
  const isOver = () => error !== "" || child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid ?? -1,
    /** By `performance.now()`. */
    startedAt,
    /** @throws {Error} with the first line it wrote, when it has ended */
    assertRuns() {
      if (!isOver()) return;
      const said = error === "" ? readFileSync(log, "utf8") : error;
      throw new Error(`it ended with ${child.exitCode ?? child.signalCode}: ${firstLine(said)}`);
    },
    /** Asks it and its group to end; resolves when nothing of its home runs any more. */
    async stop() {
      signalGroup(child.pid, "SIGTERM");
      await within(5000, isOver);
      signalGroup(child.pid, "SIGKILL");
      await endMarked(markOf(home));
    },
  };
}

/** What every process that lives in a home has in its environment. @param {string} home */
export const markOf = (home) => `HOME=${home}\0`;

/**
 * Ends every process that was started with this text in its environment: daemons leave the group of who started
 * them, but take its home along. Resolves when none is left.
 * @param {string} text
 */
export async function endMarked(text) {
  const pids = others(text);
  for (const pid of pids) signal(pid, "SIGTERM");
  await within(3000, () => !pids.some(isAlive));
  killMarked(text);
  await within(3000, () => !others(text).some(isAlive));
}

/** The same at once, for when this process ends. @param {string} text */
export function killMarked(text) {
  for (const pid of others(text)) signal(pid, "SIGKILL");
}

/**
 * Why something failed, in one line: the first line that a program wrote which ended badly, of npm the first that
 * says more than a code.
 * @param {unknown} error
 */
export function reasonOf(error) {
  const text = error instanceof Error ? error.message : String(error);
  const [, ending, said] = /ended with (\S+) after \d+ ms:\n(.*)$/su.exec(text) ?? [];
  if (ending === undefined || said === undefined) return firstLine(text);
  const [, ofNpm] = /^npm error (?!code )(.+)$/mu.exec(said) ?? [];
  return `it ended with ${ending}: ${ofNpm ?? firstLine(said)}`;
}

/** @param {string} text @returns {string} its first line that is not empty */
export function firstLine(text) {
  const line = text.split("\n").find((some) => some.trim() !== "") ?? "it said nothing";
  return line.trim().slice(0, 300);
}

/** @param {string} text */
function others(text) {
  return processesMarked(text)
    .map(({ pid }) => pid)
    .filter((pid) => pid !== process.pid);
}

/** @param {number | undefined} pid of a group's leader @param {NodeJS.Signals} name */
function signalGroup(pid, name) {
  if (pid !== undefined) signal(-pid, name);
}

/** @param {number} pid @param {NodeJS.Signals} name */
function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
