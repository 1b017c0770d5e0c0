import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { handshake, createWaiting } from "./waiting.mjs";

/**
 * Starts a server over stdio and opens a session with it.
 * @param {{command: string, args: string[], env: NodeJS.ProcessEnv}} server
 * @returns {Promise<{pid: number, ask: import("../mcp-clients.mjs").Ask, startedAt: number, stop: () => Promise<void>}>} `startedAt`:
 *   by `performance.now()`
 */
export async function openStdioSession({ command, args, env }) {
  const waiting = createWaiting();
  const startedAt = performance.now();
  const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "ignore"] });
  process.once("exit", kill);
  /** @type {Promise<void>} */
  const ended = new Promise((resolve) => {
    child.once("close", () => {
      process.off("exit", kill);
      resolve();
    });
  });
  function kill() {
    child.kill("SIGKILL");
  }
  child.stdin.on("error", () => undefined);
  createInterface({ input: child.stdout }).on("line", (line) => waiting.answered(line));
  const stop = async () => {
    child.stdin.end();
    const limit = setTimeout(kill, 3000);
    await ended;
    clearTimeout(limit);
  };
  try {
    /** @param {string} body */
    const write = (body) => {
      child.stdin.write(`${body}\n`);
      return Promise.resolve();
    };
    return {
      pid: child.pid ?? -1,
      ask: await handshake(waiting, write, "2025-11-25"),
      startedAt,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
