import { createServer } from "node:net";
import { readdirSync, readFileSync } from "node:fs";
import { spawn } from "node:child_process";

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A child that is still running when this process ends goes with it. @param {import("node:child_process").ChildProcess} child */
export function endWithThisProcess(child) {
  running.add(child);
  child.once("close", () => running.delete(child));
}

/** @typedef {ReturnType<typeof startNode>} Started */

/**
 * Starts a Node program and reads what it writes.
 * @param {readonly string[]} args of `node`
 * @param {import("node:child_process").SpawnOptions} [options]
 */
export function startNode(args, options = {}) {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  endWithThisProcess(child);
  let output = "";
  /** @type {Set<() => void>} */
  const lookers = new Set();
  const tell = () => {
    for (const look of lookers) look();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (/** @type {string} */ chunk) => {
      output = (output + chunk).slice(-20_000);
      tell();
    });
  }
  let isOver = false;
  /** @type {Promise<number | null>} */
  const ended = new Promise((resolve) => {
    child.once("error", (error) => {
      output += String(error);
    });
    child.once("close", (code) => {
      isOver = true;
      tell();
      resolve(code);
    });
  });
  return {
    pid: child.pid ?? -1,
    /** Its exit code. */
    ended,
    get hasEnded() {
      return isOver;
    },
    /** The end of what it wrote. */
    get output() {
      return output;
    },
    /**
     * Resolves to what the pattern's first group finds in what it wrote; rejects when it ended without writing it.
     * @param {RegExp} pattern
     * @returns {Promise<string>}
     */
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(output)?.[1];
          if (found === undefined && !isOver) return;
          lookers.delete(look);
          if (found !== undefined) resolve(found);
          else reject(new Error(`node ${args.join(" ")} ended:\n${output}`));
        };
        lookers.add(look);
        look();
      }),
    /** SIGTERM, and SIGKILL after ten seconds; resolves once it has ended. */
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** A port of loopback that nobody held a moment ago. @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}

/**
 * The time a process has been on a CPU, of all its threads that are alive, in user and in system mode. Exact to
 * the nanosecond, where /proc/PID/stat counts in hundredths of a second.
 * @param {number} pid
 * @returns {number} milliseconds
 */
export function cpuMs(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const spent = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]),
  );
  return spent.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

/** What a process holds in memory (VmRSS), in MiB. @param {number} pid */
export function residentMiB(pid) {
  const [, kB] = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return Number(kB) / 1024;
}
