import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { RingOutcome, RingTask } from "./ring-tasks.ts";

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Bundles the program of key ring processes into a folder. @returns its file */
export async function buildRingProgram(folder: string): Promise<string> {
  const file = join(folder, "ring-program.mjs");
  // The native binding stays where it is installed.
  const keytar = pathToFileURL(createRequire(import.meta.url).resolve("keytar")).href;
  await build({
    entryPoints: [fileURLToPath(new URL("ring-program.ts", import.meta.url))],
    outfile: file,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "error",
    plugins: [
      {
        name: "installed-keytar",
        setup: (bundler) => {
          // esbuild knows no `u`.
          // oxlint-disable-next-line require-unicode-regexp -- as above
          bundler.onResolve({ filter: /^keytar$/ }, () => ({ path: keytar, external: true }));
        },
      },
    ],
    banner: {
      js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`,
    },
  });
  return file;
}

export interface RingProcess {
  /** Resolves when it waits for `go`. */
  readonly ready: Promise<void>;
  go(): void;
  /** Its outcome; undefined when it was killed before it had one. */
  readonly ended: Promise<{ signal: string | null; stderr: string; outcome?: RingOutcome }>;
}

export function startRingProcess(file: string, task: RingTask, wrap: string[] = []): RingProcess {
  const [command, ...args] = [...wrap, process.execPath, file, JSON.stringify(task)] as const;
  const child = spawn(command, args, {
    env: {
      PATH: process.env["PATH"] ?? "",
      ...(task.sessionBus !== undefined && { DBUS_SESSION_BUS_ADDRESS: task.sessionBus }),
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  child.stdin.on("error", () => undefined);
  const exit = once(child, "exit");
  return {
    ready: once(child.stdout, "data").then(() => undefined),
    go: () => void child.stdin.end("go\n"),
    ended: Promise.all([text(child.stdout), text(child.stderr), exit]).then(
      ([stdout, stderr, [, signal]]) => {
        const last = stdout.trimEnd().split("\n").at(-1) ?? "";
        return {
          signal,
          stderr,
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the program wrote it
          ...(last.startsWith("{") && { outcome: JSON.parse(last) as RingOutcome }),
        };
      },
    ),
  };
}
