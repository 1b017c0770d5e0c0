// Measures the built gateway, and compares with what it is to hold to. Prints a table; a call that fails or a
// target that is missed makes it fail. Nothing else should keep the machine busy meanwhile.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benches } from "../test/bench/bench.mjs";

const names = Object.keys(benches);
const usage = `node scripts/bench.mjs [--only ${names.join("|")}]`;

const { values } = parseArgs({
  options: { only: { type: "string" }, help: { type: "boolean", default: false } },
});
if (values.help) console.log(usage);
else if (values.only !== undefined && !names.includes(values.only)) {
  console.error(usage);
  process.exitCode = 2;
} else if (!existsSync(fileURLToPath(new URL("../dist/main.js", import.meta.url)))) {
  console.error("bench: build it first: npm run build");
  process.exitCode = 2;
} else await main();

async function main() {
  for (const [name, bench] of Object.entries(benches)) {
    if (values.only !== undefined && values.only !== name) continue;
    const started = Date.now();
    try {
      const { figures, missed } = await bench({ progress });
      progress("");
      console.log(`${name} (${Math.round((Date.now() - started) / 1000)} s)`);
      for (const [what, figure] of figures) console.log(`  ${what.padEnd(38)} ${figure}`);
      for (const target of missed) console.log(`  MISSED: ${target}`);
      if (missed.length > 0) process.exitCode = 1;
    } catch (error) {
      progress("");
      console.error(`${name}: ${error instanceof Error ? error.stack : String(error)}`);
      process.exitCode = 1;
    }
  }
}

/** One line that is written over on a terminal; elsewhere nothing. @param {string} text */
function progress(text) {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${text}`);
}
