import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Home } from "./home.ts";

/** The built program. */
export const mainFile = fileURLToPath(new URL("../../../dist/main.js", import.meta.url));

export interface AgentOptions {
  home: Home;
  /** Added to the home's environment; `undefined` takes a variable away. */
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /**
   * `none` (default): /dev/null. `open`: a pipe that stays open until the test ends it. Text or bytes: a
   * pipe that brings them and is closed.
   */
  stdin?: "none" | "open" | { text: string | Uint8Array };
  /** Another way to start it, e.g. an installed copy's file. */
  file?: string;
}

export interface AgentResult {
  /** Null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunningAgent {
  readonly process: ChildProcess;
  readonly pid: number;
  /** What it has written so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves when it has ended and all its output was read. */
  readonly ended: Promise<AgentResult>;
  /** Resolves when the output matches; rejects when the program ends before. */
  waitFor(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpMatchArray>;
}

/** What is still running when the test process ends goes with it. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export function startAgent(args: readonly string[], options: AgentOptions): RunningAgent {
  return startProgram(process.execPath, [options.file ?? mainFile, ...args], options);
}

/** Starts any program as `startAgent` starts ours, for instance a shell that runs ours. */
export function startProgram(
  command: string,
  args: readonly string[],
  options: Omit<AgentOptions, "file">,
): RunningAgent {
  const stdin = options.stdin ?? "none";
  const child = spawn(command, args, {
    env: withChanges(options.home.env, options.env ?? {}),
    cwd: options.cwd ?? options.home.folder,
    stdio: [stdin === "none" ? "ignore" : "pipe", "pipe", "pipe"],
  });
  running.add(child);
  if (typeof stdin === "object") {
    // It may end without reading all of it.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(stdin.text);
  }
  const text = { stdout: "", stderr: "" };
  const changed = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
      for (const look of changed) look();
    });
  }
  let over = false;
  const ended = new Promise<AgentResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      running.delete(child);
      over = true;
      for (const look of changed) look();
      resolve({ code, signal, ...text });
    });
  });
  return {
    process: child,
    pid: child.pid ?? -1,
    get stdout() {
      return text.stdout;
    },
    get stderr() {
      return text.stderr;
    },
    ended,
    waitFor: (stream, pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(text[stream]);
          if (match === null && !over) return;
          changed.delete(look);
          if (match !== null) resolve(match);
          else reject(new Error(`ended without ${String(pattern)}:\n${text.stdout}${text.stderr}`));
        };
        changed.add(look);
        look();
      }),
  };
}

/** Runs the program to its end. */
export function runAgent(args: readonly string[], options: AgentOptions): Promise<AgentResult> {
  return startAgent(args, options).ended;
}

function withChanges(
  env: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const all: Record<string, string | undefined> = { ...env, ...changes };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
