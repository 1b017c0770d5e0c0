import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

const running = new Set<ChildProcess>();

/** Ends at once whatever was started here and still runs: for the end of this process, however it comes. */
export function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

interface Ended {
  /** Null when a signal ended it. */
  code: number | null;
  /** Both streams, in the order they came. */
  output: string;
}

interface Started {
  /** Resolves with the first match in what it writes; rejects when it ends before, or after `timeoutMs`. */
  waitFor(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray>;
  /** SIGTERM, and SIGKILL ten seconds later. Resolves when it has ended. */
  stop(): Promise<void>;
  readonly ended: Promise<Ended>;
}

export interface ProcessOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

/** How long a process may take to leave, in milliseconds. */
const leaveMs = 10_000;

export function startProcess(
  file: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Started {
  // Its standard input stays open as long as we live, and tells the fixture when we are gone.
  const child = spawn(file, args, { ...options, stdio: ["pipe", "pipe", "pipe"] });
  running.add(child);
  child.stdin.on("error", () => undefined);
  let output = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      running.delete(child);
      resolve({ code, output });
    });
  });
  // Whoever waits for it hears of it; nobody has to.
  ended.catch(() => undefined);
  return {
    ended,
    async waitFor(pattern, timeoutMs) {
      const found = new Promise<RegExpExecArray>((resolve) => {
        const look = (): void => {
          const match = pattern.exec(output);
          if (match === null) return;
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        look();
      });
      const gone = ended.then(({ code }) => {
        throw new Error(`${file} ended with ${code}:\n${output}`);
      });
      const late = rejectAfter(timeoutMs, () => `No ${String(pattern)} from ${file}:\n${output}`);
      return Promise.race([found, gone, late]);
    },
    async stop() {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), leaveMs);
      await ended;
      clearTimeout(late);
    },
  };
}

function rejectAfter(timeoutMs: number, reason: () => string): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => {
      reject(new Error(reason()));
    }, timeoutMs).unref();
  });
}

/** Runs a program to its end; after `timeoutMs` it is killed, which ends it with a null code. */
export async function runProcess(
  file: string,
  args: readonly string[],
  options: ProcessOptions & { timeoutMs: number },
): Promise<Ended> {
  const { timeoutMs, ...processOptions } = options;
  const started = startProcess(file, args, processOptions);
  const late = setTimeout(() => void started.stop(), timeoutMs);
  try {
    return await started.ended;
  } finally {
    clearTimeout(late);
  }
}
