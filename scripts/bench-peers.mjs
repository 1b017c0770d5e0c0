// Measures the peers and the built program at the same work, beside each other: who wants to know how fast it is
// asks what else there is. Installs the peers from npm into a folder that goes away afterwards. A peer that fails
// is named with its reason, the others are measured, and the end is 1.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { endMarked, killMarked } from "../test/bench/peers/programs.mjs";
import { peers } from "../test/bench/peers/packages.mjs";
import { benchPeers } from "../test/bench/peers/peers.mjs";
import { chooseBenches } from "../test/bench/run-benches.mjs";
import { formatTable } from "../test/bench/table.mjs";

/** A ratio is the median of so many pairs. */
const pairs = 11;

/** @param {string} path */
const fileOf = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const usage = `npm run bench:peers -- [--only <peer>]...

  --only <peer>  measures only this and OneDoor; may be repeated, or names with commas between them.
                 Nothing is then written to docs/

${Object.entries(peers)
  .map(([name, { about, version }]) => `  ${name.padEnd(9)}  ${version.padEnd(6)}  ${about}`)
  .join("\n")}`;

let lastPart = "";
const given = readArguments();
const { chosen, unknown } = chooseBenches(peers, given?.only ?? []);

if (given === undefined) process.exitCode = 2;
else if (given.help) console.log(usage);
else if (unknown.length > 0) refuse(`there is no peer ${unknown.join(", ")}`, usage);
else if (!existsSync(fileOf("dist/main.js"))) refuse("build it first: npm run build");
else if (!existsSync("/proc/self/environ")) refuse("it needs /proc, as Linux has it");
else await main();

async function main() {
  const folder = mkdtempSync(join(tmpdir(), "onedoor-peers-"));
  const removeFolder = () =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  // Whatever was started in the folder, and whatever that started, knows it by its environment.
  process.once("exit", () => {
    killMarked(folder);
    removeFolder();
  });
  for (const [signal, code] of /** @type {const} */ ([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ])) {
    process.once(signal, () => {
      progress("");
      process.exit(code);
    });
  }
  const results = await benchPeers({ chosen: Object.keys(chosen), folder, pairs, progress });
  await endMarked(folder);
  progress("");
  console.log(formatTable(results));
  if (results.some(({ error }) => error !== undefined)) process.exitCode = 1;
  if (Object.keys(chosen).length < Object.keys(peers).length) return;
  const figures = {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cores: cpus().length,
    pairs,
    results: results.map(({ name, rows, error }) => ({ name, rows, error })),
  };
  writeFileSync(fileOf("docs/benchmarks-peers.json"), `${JSON.stringify(figures, undefined, 2)}\n`);
}

/** @returns {{only: string[], help: boolean} | undefined} undefined when they are wrong, which is said */
function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string", multiple: true, default: [] },
        help: { type: "boolean", default: false },
      },
    });
    return values;
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error), usage);
    return undefined;
  }
}

/** @param {...string} paragraphs */
function refuse(...paragraphs) {
  console.error(`bench:peers: ${paragraphs.join("\n\n")}`);
  process.exitCode = 2;
}

/** One line of a terminal that is written over; elsewhere a line for each part. @param {string} text */
function progress(text) {
  const { isTTY, columns } = process.stderr;
  if (isTTY) process.stderr.write(`\r\u001b[K${text.slice(0, columns - 1)}`);
  else {
    const [part = ""] = text.split(/, \d+ of/u);
    if (part !== "" && part !== lastPart) process.stderr.write(`bench:peers: ${part}\n`);
    lastPart = part;
  }
}
