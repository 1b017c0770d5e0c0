// The conformance suite of MCP against the built gateway and our client. Builds, installs what the suite
// needs (a newer Node among it) into test/conformance, and lets test/conformance/run.ts do the rest.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const home = join(root, "test", "conformance");

/** @type {import("node:child_process").ChildProcess | undefined} */
let child;
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => child?.kill(signal));
}

const minuteMs = 60_000;
const steps = [
  () => run(process.execPath, [join(root, "scripts", "build.mjs")], 2 * minuteMs),
  () =>
    run(
      "npm",
      ["ci", "--prefix", home, "--no-audit", "--no-fund", "--loglevel=error"],
      5 * minuteMs,
    ),
  () => run(newerNode(), [join(home, "run.ts"), process.execPath], 15 * minuteMs),
];
for (const step of steps) {
  const code = await step();
  if (code === 0) continue;
  process.exitCode = code ?? 1;
  break;
}

/** The suite needs Node 24: the one that was installed beside it, or our own where there is none for this machine. */
function newerNode() {
  const installed = join(
    home,
    "node_modules",
    `node-${process.platform}-${process.arch}`,
    "bin",
    "node",
  );
  if (existsSync(installed)) return installed;
  if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath;
  throw new Error(`${installed} is missing: start this with Node 24 or newer`);
}

/**
 * @param {string} file
 * @param {string[]} args
 * @param {number} timeout in milliseconds, after which it is ended
 * @returns {Promise<number | null>} its exit code; null when a signal ended it
 */
function run(file, args, timeout) {
  return new Promise((resolve, reject) => {
    child = spawn(file, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], timeout });
    child.once("error", reject);
    child.once("close", resolve);
  });
}
