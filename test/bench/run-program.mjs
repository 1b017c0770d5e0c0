import { spawn } from "node:child_process";
import { endWithThisProcess } from "./child-process.mjs";

/**
 * Runs a program to its end, with nothing on its standard input.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{cwd: string, env: NodeJS.ProcessEnv, timeoutMs?: number}} options
 * @returns {Promise<{ms: number, stdout: string, stderr: string, aside: string}>} `ms`: from the start until it
 *   has ended and closed its outputs; `aside`: what it wrote to descriptor 3. Rejects when it cannot be started,
 *   ends with anything but 0, or has not ended in time (a minute, unless said)
 */
export function runProgram(command, args, { cwd, env, timeoutMs = 60_000 }) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe", "pipe"] });
    endWithThisProcess(child);
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    const [, stdout, stderr, aside] = child.stdio.map(collect);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      const ms = performance.now() - started;
      clearTimeout(timer);
      const said = { ms, stdout: text(stdout), stderr: text(stderr), aside: text(aside) };
      if (code === 0) resolve(said);
      else
        reject(
          new Error(
            `${args.join(" ")} ended with ${code ?? signal} after ${Math.round(ms)} ms:\n${said.stdout}${said.stderr}`,
          ),
        );
    });
  });
}

/**
 * @param {import("node:stream").Readable | import("node:stream").Writable | null | undefined} stream
 * @returns {Buffer[]} what came of it, and still comes
 */
function collect(stream) {
  /** @type {Buffer[]} */
  const chunks = [];
  stream?.on("data", (/** @type {Buffer} */ chunk) => chunks.push(chunk));
  return chunks;
}

/** @param {readonly Buffer[]} [chunks] */
function text(chunks = []) {
  return Buffer.concat(chunks).toString("utf8");
}
