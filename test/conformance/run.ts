// Runs the conformance suite against the built gateway and our client, and counts what holds. Started by
// scripts/conformance.mjs under Node 24 with the path of the Node that the project runs under.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { browserProgram } from "../e2e/support/browser-program.ts";
import { bundleDriver } from "./runner/bundle-driver.ts";
import { killAll } from "./runner/run-process.ts";
import { furtherServerSets, requiredServerSets } from "./runner/server-sets.ts";
import type { ServerSet } from "./runner/server-sets.ts";
import { startGateway } from "./runner/servers.ts";
import type { Upstream } from "./runner/servers.ts";
import { readRequirements, runClientScenario, runServerScenarios } from "./runner/suite.ts";
import type { Requirements, Revision, ScenarioResult } from "./runner/suite.ts";

const revisions: readonly Revision[] = ["2025-11-25", "2026-07-28"];

/** How many scenarios each set of this version of the suite holds: one that is read wrongly must not pass as a small one. */
const sizes: Record<Revision, { server: number; client: number }> = {
  "2025-11-25": { server: 30, client: 18 },
  "2026-07-28": { server: 37, client: 32 },
};

const aboutSignIn = (scenario: string): boolean => scenario.startsWith("auth/");

/** Extensions that our client has; the others say nothing when they do not hold. */
const ownExtensions = new Set(["auth/client-credentials-jwt", "auth/client-credentials-basic"]);

const node = process.argv[2];
if (node === undefined) throw new Error("Say which Node the project runs under");
const folder = mkdtempSync(join(tmpdir(), "onedoor-conformance-"));
// Whatever anybody started here leaves behind for a while goes with it.
process.env["TMPDIR"] = folder;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    leave();
    process.kill(process.pid, signal);
  });
}

interface SetResult {
  title: string;
  held: number;
  size: number;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

let outDirs = 0;
function newOutDir(): string {
  outDirs += 1;
  const dir = join(folder, `out-${outDirs}`);
  mkdirSync(dir);
  return dir;
}

try {
  const { required, further } = await main();
  console.log(`\n${lines(further)}\n\nRequired by the suite:\n${lines(required)}`);
  const sets = [...required, ...further];
  const failed = sets.reduce((sum, { held, size }) => sum + size - held, 0);
  report(
    sets.reduce((sum, { held }) => sum + held, 0),
    failed,
  );
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  leave();
}

function lines(sets: readonly SetResult[]): string {
  return sets.map(({ title, held, size }) => `${title}: ${held} of ${size} hold`).join("\n");
}

function leave(): void {
  killAll();
  rmSync(folder, { recursive: true, force: true });
}

/** All sets, with everything that was run shown on the way. */
async function main(): Promise<{ required: SetResult[]; further: SetResult[] }> {
  const requirements = new Map<Revision, Requirements>();
  for (const revision of revisions) requirements.set(revision, await readRequirements(revision));
  const serverSets = async (sets: readonly ServerSet[]): Promise<SetResult[]> => {
    const results: SetResult[] = [];
    for (const set of sets) results.push(await runServerSet(set, requirements.get(set.revision)!));
    return results;
  };
  const required = await serverSets(requiredServerSets);
  // `exec`: the suite starts them through a shell and ends only that.
  const players: Players = {
    calls: `exec ${node} ${await bundleDriver(folder)}`,
    signIn: `exec ${process.execPath} ${here("driver/play-sign-in.ts")} ${node} ${here("../../dist/main.js")}`,
    env: { ...process.env, ...browserProgram(join(folder, "browser")).env },
  };
  for (const revision of revisions) {
    required.push(await runClientSet(players, revision, requirements.get(revision)!));
  }
  return { required, further: await serverSets(furtherServerSets) };
}

async function runServerSet(set: ServerSet, requirements: Requirements): Promise<SetResult> {
  const { server, notScored } = requirements;
  const size = sizes[set.revision].server - Object.keys(set.without).length;
  const results = await throughGateway(set.revision, set.upstream);
  const known = new Set([...server, ...notScored.map(({ scenario }) => scenario)]);
  const unknown = results.find(({ scenario }) => !known.has(scenario));
  if (unknown) throw new Error(`The suite ran ${unknown.scenario}, which it does not list`);
  const scored = server.filter((scenario) => !Object.hasOwn(set.without, scenario));
  const result = count(set.title, scored, results, size);
  for (const [scenario, reason] of Object.entries(set.without)) {
    console.log(`- ${scenario}: left out: ${reason}`);
  }
  // Of servers, extensions are none of what is announced here.
  showNotScored(
    results,
    notScored.filter(({ reason }) => reason !== "extension"),
  );
  return result;
}

/** How the two drivers are started, each with the URL behind it. */
interface Players {
  calls: string;
  signIn: string;
  env: NodeJS.ProcessEnv;
}

async function runClientSet(
  { calls, signIn, env }: Players,
  revision: Revision,
  { client, notScored }: Requirements,
): Promise<SetResult> {
  const extra = notScored.filter(
    ({ leg, reason, scenario }) =>
      leg === "client" && (reason !== "extension" || ownExtensions.has(scenario)),
  );
  const waiting = [...client, ...extra.map(({ scenario }) => scenario)];
  const results: ScenarioResult[] = [];
  const playAll = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const command = aboutSignIn(next) ? signIn : calls;
      results.push(await runClientScenario(command, next, revision, { outDir: newOutDir(), env }));
    }
  };
  // Most of a scenario is waiting for a program to start.
  await Promise.all([playAll(), playAll()]);
  const result = count(`client ${revision}`, client, results, sizes[revision].client);
  showNotScored(results, extra);
  return result;
}

async function throughGateway(revision: Revision, upstream: Upstream): Promise<ScenarioResult[]> {
  const gateway = await startGateway(node!, upstream);
  try {
    return await runServerScenarios(gateway.url, revision, newOutDir());
  } finally {
    await gateway.stop();
  }
}

/** Shows a set and counts it; a scenario without a result does not hold. */
function count(
  title: string,
  scenarios: readonly string[],
  results: readonly ScenarioResult[],
  size: number,
): SetResult {
  console.log(`\n=== ${title}`);
  let held = 0;
  for (const scenario of scenarios) {
    const result = results.find((entry) => entry.scenario === scenario);
    if (result?.holds === true) held += 1;
    show(result ?? { scenario, holds: false, problems: ["It did not run"] });
  }
  if (scenarios.length !== size) {
    console.log(`✗ The suite names ${scenarios.length} scenarios here and should name ${size}`);
    return { title, held: 0, size };
  }
  return { title, held, size };
}

function show({ scenario, holds, problems }: ScenarioResult): void {
  console.log(`${holds ? "✓" : "✗"} ${scenario}`);
  for (const problem of problems) console.log(`    ${problem}`);
}

function showNotScored(
  results: readonly ScenarioResult[],
  notScored: Requirements["notScored"],
): void {
  console.log("--- shown, not counted");
  for (const { scenario, reason } of notScored) {
    const result = results.find((entry) => entry.scenario === scenario);
    if (result === undefined) continue;
    show({ ...result, scenario: `${scenario} (${reason})` });
  }
}

/** What .ci/run adds to its sum, in the words of vitest's report. */
function report(passed: number, failed: number): void {
  const file = process.env["VITEST_REPORT"];
  if (file === undefined) return;
  const counts = { numPassedTests: passed, numFailedTests: failed, numPendingTests: 0 };
  writeFileSync(file, JSON.stringify({ ...counts, numTodoTests: 0 }));
}
