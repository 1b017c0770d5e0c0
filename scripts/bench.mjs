// Measures the built program and compares with what it is to hold to: each figure is a ratio to something
// measured beside it, so that it holds on any machine. A benchmark that fails or a target that is missed makes
// it fail. Nothing else should keep the machine busy meanwhile.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benches } from "../test/bench/bench.mjs";
import { readCommit, readMachine } from "../test/bench/machine.mjs";
import { drawPicture } from "../test/bench/picture.mjs";
import { createReport } from "../test/bench/report.mjs";
import { chooseBenches, runBenches } from "../test/bench/run-benches.mjs";
import { formatTable, isAllMet } from "../test/bench/table.mjs";

/** A ratio is the median of at least so many pairs. */
const pairs = 11;
const root = fileURLToPath(new URL("../", import.meta.url));

const width = Math.max(...Object.keys(benches).map((name) => name.length));
const usage = `npm run bench -- [--only <name>]...

  --only <name>  measures only this; may be repeated, or names with commas between them.
                 Nothing is then written to docs/

${Object.entries(benches)
  .map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`)
  .join("\n")}`;

const given = readArguments();
const { chosen, unknown } = chooseBenches(benches, given?.only ?? []);

if (given === undefined) process.exitCode = 2;
else if (given.help) console.log(usage);
else if (unknown.length > 0) refuse(`there is no benchmark ${unknown.join(", ")}`, usage);
else if (!existsSync(join(root, "dist", "main.js"))) refuse("build it first: npm run build");
else await main();

async function main() {
  // Everything that a benchmark puts anywhere goes with this folder, also when it is cut short.
  const folder = mkdtempSync(join(tmpdir(), "onedoor-bench-"));
  process.env["TMPDIR"] = folder;
  const removeFolder = () =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  for (const [signal, code] of /** @type {const} */ ([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])) {
    process.once(signal, () => {
      progress("");
      // After what the benchmarks do at the end of this process: end their children.
      process.once("exit", removeFolder);
      process.exit(code);
    });
  }
  const results = await runBenches({
    benches: chosen,
    pairs,
    progress: (name, text) => {
      if (process.stderr.isTTY) progress(`${name} ${text}`);
      else if (text === "") process.stderr.write(`bench: ${name}\n`);
    },
  });
  removeFolder();
  progress("");
  console.log(formatTable(results));
  const isWhole = Object.keys(chosen).length === Object.keys(benches).length;
  if (!isWhole) console.log("\nNothing was written to docs/: not everything was measured.");
  else if (results.some(({ error }) => error !== undefined))
    console.log("\nNothing was written to docs/: a benchmark failed.");
  else {
    write(results);
    console.log("\nWritten: docs/benchmarks.json and docs/benchmarks.svg");
  }
  if (!isAllMet(results)) process.exitCode = 1;
}

/** @param {readonly import("../test/bench/table.mjs").Result[]} results */
function write(results) {
  /** @type {{version: string}} */
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const date = new Date().toISOString();
  const facts = { version, commit: readCommit(root), date, machine: readMachine(), pairs };
  const report = createReport({ results, benches, facts });
  const file = join(root, "docs", "benchmarks");
  writeFileSync(`${file}.json`, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(`${file}.svg`, drawPicture(report));
}

/** What stands on the command line; undefined when that is none of what the usage says. */
function readArguments() {
  try {
    return parseArgs({
      options: {
        only: { type: "string", multiple: true, default: [] },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error), usage);
    return undefined;
  }
}

/** @param {string[]} lines */
function refuse(...lines) {
  console.error(`bench: ${lines.join("\n\n")}`);
  process.exitCode = 2;
}

/** One line of a terminal that is written over. @param {string} text */
function progress(text) {
  if (process.stderr.isTTY)
    process.stderr.write(`\r\u001b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
}
