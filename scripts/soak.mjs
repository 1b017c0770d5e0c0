// Wears the built gateway out and looks for what gives: wrong messages by the ten thousand, upstream servers
// that die all the time, kills of the gateway itself, and many clients for long. What came of it stands in a
// table at the end; any violation makes it fail.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { soakCrashes } from "../test/soak/crashes.mjs";
import { soakFuzz } from "../test/soak/fuzz.mjs";
import { createRandom } from "../test/soak/random.mjs";
import { soakSessions } from "../test/soak/sessions.mjs";
import { soakUpstreams } from "../test/soak/upstream-storm.mjs";
import { createViolations } from "../test/soak/violations.mjs";

const usage = `node scripts/soak.mjs [--tenth] [--seed <number>] [--only fuzz|upstreams|crashes|sessions]

  --tenth   a tenth of everything, for CI
  --seed    repeats a run's chance; each run prints its own
  --only    one part of it`;

const { values } = parseArgs({
  options: {
    tenth: { type: "boolean", default: false },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    only: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
let lastProgress = 0;
const seed = Number(values.seed);
const share = values.tenth ? 0.1 : 1;

if (values.help) console.log(usage);
else if (
  !Number.isSafeInteger(seed) ||
  !["fuzz", "upstreams", "crashes", "sessions", undefined].includes(values.only)
) {
  console.error(usage);
  process.exitCode = 2;
} else if (!existsSync(fileURLToPath(new URL("../dist/main.js", import.meta.url)))) {
  console.error("soak: build it first: npm run build");
  process.exitCode = 2;
} else await main();

async function main() {
  console.log(`soak: seed ${seed}${values.tenth ? ", a tenth" : ""}`);
  const folder = mkdtempSync(join(tmpdir(), "onedoor-soak-files-"));
  const violations = createViolations();
  const options = (/** @type {number} */ offset) => ({
    random: createRandom(seed + offset),
    folder: join(folder, String(offset)),
    violations,
    progress,
  });
  /** @type {Record<string, () => Promise<[string, string][]>>} */
  const parts = {
    fuzz: () => soakFuzz({ ...options(1), messages: 100_000 * share }),
    upstreams: () => soakUpstreams({ ...options(2), rounds: 1000 * share }),
    crashes: () => soakCrashes({ ...options(4), kills: 50 * share }),
    // With fewer sessions a tenth would say less about each other's answers: it is shorter instead.
    sessions: () =>
      soakSessions({ ...options(3), sessions: 200, seconds: 600 * share, pauseMs: 2000 }),
  };
  const chosen = values.only === undefined ? Object.keys(parts) : [values.only];
  /** @type {string[]} */
  const table = [];
  for (const name of chosen) {
    const started = Date.now();
    try {
      const figures = (await parts[name]?.()) ?? [];
      table.push(`${name} (${Math.round((Date.now() - started) / 1000)} s)`);
      for (const [what, figure] of figures) table.push(`  ${what.padEnd(38)} ${figure}`);
    } catch (error) {
      violations.add(
        `${name}: it could not be carried through`,
        error instanceof Error ? `${error.stack}` : String(error),
      );
    }
  }
  progress("");
  rmSync(folder, { recursive: true, force: true });
  console.log(`\n${table.join("\n")}\nviolations${" ".repeat(31)}${violations.total}`);
  for (const line of violations.lines()) console.log(line);
  console.log(`seed ${seed}`);
  if (violations.total > 0) process.exitCode = 1;
}

/** One line that is written over on a terminal; elsewhere a line every ten seconds at most. @param {string} text */
function progress(text) {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${text}`);
  else if (text !== "" && Date.now() - lastProgress > 10_000) {
    lastProgress = Date.now();
    console.log(text);
  }
}
