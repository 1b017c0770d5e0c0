import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, totalmem, type } from "node:os";

/** @typedef {{cores: number, cpu: string, memoryGiB: number, system: string, node: string}} Machine */

/**
 * On what was measured: enough to compare with, and nothing that says whose machine it is.
 * @returns {Machine}
 */
export function readMachine() {
  return {
    cores: availableParallelism(),
    cpu: (cpus()[0]?.model ?? "").trim(),
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    system: [distribution(), `${type()} ${arch()}`].filter((text) => text !== "").join(", "),
    node: process.version,
  };
}

/** @returns {string} the name of a Linux distribution (os-release(5)), else nothing */
function distribution() {
  try {
    const [, name = ""] =
      /^PRETTY_NAME="?([^"\n]*)/mu.exec(readFileSync("/etc/os-release", "utf8")) ?? [];
    return name;
  } catch {
    return "";
  }
}

/**
 * @param {string} folder
 * @returns {string | undefined} the commit that is measured, with "-dirty" where files differ from it; undefined
 *   outside a repository
 */
export function readCommit(folder) {
  try {
    const args = ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"];
    return execFileSync("git", args, {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}
