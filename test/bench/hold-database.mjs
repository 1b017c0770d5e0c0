import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("programs/hold-database.mjs", import.meta.url));

/** Another process that can hold a SQLite database, so that nobody else can write. @param {string} file */
export function startHolder(file) {
  const child = spawn(process.execPath, [program, file], { stdio: ["pipe", "pipe", "inherit"] });
  process.once("exit", () => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout });
  const ended = new Promise((resolve) => {
    child.once("close", resolve);
  });
  /** @param {"hold" | "release"} word @returns {Promise<void>} resolves once it is so */
  const tell = (word) =>
    new Promise((resolve, reject) => {
      lines.once("line", (line) => {
        if (line === word) resolve();
        else reject(new Error(`The holder of the database said: ${line}`));
      });
      ended.then(() => reject(new Error("The holder of the database has ended")), reject);
      child.stdin.write(`${word}\n`);
    });
  return {
    hold: () => tell("hold"),
    release: () => tell("release"),
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
