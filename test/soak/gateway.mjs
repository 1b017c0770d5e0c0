import { fork } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDescriptors, pause, within } from "./processes.mjs";
import { exchange } from "./wire.mjs";

const mainFile = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const probeFile = new URL("memory-probe.mjs", import.meta.url).href;

/** Two principals, who must never see anything of each other. */
export const tokens = { ann: "soak-ann-5f0c7a1e9b", bob: "soak-bob-83d2e6c4aa" };
export const authentication = {
  type: "token",
  options: { tokens: Object.entries(tokens).map(([name, token]) => ({ name, token })) },
};

/**
 * What a gateway that has a folder to itself, and no keychain, is started with.
 * @param {string} folder
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentIn(folder) {
  return {
    PATH: process.env["PATH"],
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, ".config"),
    XDG_STATE_HOME: join(folder, ".state"),
    TMPDIR: tmpdir(),
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(folder, "no-bus")}`,
    LANG: "C.UTF-8",
  };
}

/** @typedef {Awaited<ReturnType<typeof startGateway>>} SoakGateway */

/** What is still running when this process ends goes with it. @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Starts the built gateway in a home of its own, on a free port of loopback. Its users are not counted, unless
 * the configuration says so: static tokens would be refused after a minute's worth of calls.
 * @param {object} configuration
 * @param {string} [home] a folder to live in again and again, which stays; else one of its own that goes with it
 */
export async function startGateway(configuration, home) {
  const folder = home ?? mkdtempSync(join(tmpdir(), "onedoor-soak-"));
  const configDir = join(folder, ".config", "onedoor");
  mkdirSync(configDir, { recursive: true, mode: 0o700 });
  const file = join(configDir, "mcp.json");
  /** @param {object} content */
  const write = (content) => {
    const text = JSON.stringify({ rateLimit: { rpm: 0 }, ...content });
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  write(configuration);
  const child = fork(mainFile, ["serve", "--port", "0"], {
    execArgv: ["--expose-gc", "--import", probeFile],
    env: environmentIn(folder),
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  running.add(child);
  let log = "";
  /** @type {Set<() => void>} */
  const lookers = new Set();
  child.stderr?.setEncoding("utf8").on("data", (/** @type {string} */ chunk) => {
    log = (log + chunk).slice(-20_000);
    for (const look of lookers) look();
  });
  /** @type {{code: number | null, signal: NodeJS.Signals | null} | undefined} */
  let end;
  const ended = new Promise((resolve) => {
    child.once("close", (code, signal) => {
      end = { code, signal };
      running.delete(child);
      for (const look of lookers) look();
      resolve(undefined);
    });
  });
  /** @type {string} */
  const url = await new Promise((resolve, reject) => {
    const look = () => {
      const [listening] = /(?<=Listening on )http:\/\/[\d.:]+/u.exec(log) ?? [];
      if (listening !== undefined) resolve(listening);
      else if (end !== undefined) reject(new Error(`The gateway did not start:\n${log}`));
      else return;
      lookers.delete(look);
    };
    lookers.add(look);
    look();
  });
  let asked = 0;
  return {
    url,
    pid: child.pid ?? -1,
    folder,
    /** Saves a new configuration, as an editor does. */
    write,
    /** The end of what it logged. */
    get log() {
      return log;
    },
    /** How it ended; undefined while it runs. */
    get end() {
      return end;
    },
    /** Resolves when every upstream server is ready, and the changes of lists that came of it were announced. */
    async ready() {
      const isReady = await within(60_000, async () => {
        const { status } = await exchange(`${url}/health/ready`, { method: "GET" });
        return status === 200;
      });
      if (!isReady) throw new Error(`The gateway is not ready within a minute:\n${log}`);
      await pause(1000);
    },
    /**
     * What it holds after a collection of garbage, and its sockets.
     * @returns {Promise<import("./memory.mjs").MemorySample & {sockets: number}>}
     */
    measure: () =>
      new Promise((resolve, reject) => {
        const id = ++asked;
        const timer = setTimeout(() => {
          child.off("message", hear);
          reject(new Error("The gateway did not answer the memory probe within 30 s"));
        }, 30_000);
        /** @param {any} message */
        const hear = (message) => {
          if (message?.id !== id) return;
          clearTimeout(timer);
          child.off("message", hear);
          const { sockets } = openDescriptors(child.pid ?? -1);
          resolve({ live: message.live, rss: message.rss, sockets });
        };
        child.on("message", hear);
        child.send(id, (error) => {
          if (error !== null) {
            clearTimeout(timer);
            reject(error);
          }
        });
      }),
    /** Where its database and its log are. */
    stateDir: join(folder, ".state", "onedoor"),
    /** SIGKILL: nothing of it runs any more when the promise resolves. */
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    /** SIGTERM; how it ended, and how long that took. SIGKILL after 30 s. */
    async stop() {
      const started = Date.now();
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 30_000);
      await ended;
      clearTimeout(timer);
      if (home === undefined) rmSync(folder, { recursive: true, force: true });
      return { ...end, ms: Date.now() - started };
    },
  };
}
