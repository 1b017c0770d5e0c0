import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProcess } from "./run-process.ts";

/** Protocol revisions whose requirements are checked. */
export type Revision = "2025-11-25" | "2026-07-28";

const installed = fileURLToPath(new URL("../node_modules/", import.meta.url));
const suiteFile = join(installed, "@modelcontextprotocol", "conformance", "dist", "index.js");

/** How long one scenario may take, and all server scenarios of a revision together, in milliseconds. */
const scenarioMs = 20_000;
const setMs = 300_000;

export interface Requirements {
  server: readonly string[];
  client: readonly string[];
  /** Run and shown, but not counted. */
  notScored: readonly { scenario: string; leg: "server" | "client"; reason: string }[];
}

/** One check of a scenario, as the suite writes it down. */
interface Check {
  id: string;
  status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
  name: string;
  errorMessage?: string;
}

export interface ScenarioResult {
  scenario: string;
  holds: boolean;
  /** Why it does not hold, one line each. */
  problems: readonly string[];
}

/** The suite runs under the Node this file runs under: it needs 24. */
function suite(
  args: readonly string[],
  timeoutMs: number,
  env: NodeJS.ProcessEnv = process.env,
): ReturnType<typeof runProcess> {
  return runProcess(process.execPath, [suiteFile, ...args], { timeoutMs, env });
}

/** @throws Error when the suite's list is not understood */
export async function readRequirements(revision: Revision): Promise<Requirements> {
  const { code, output } = await suite(["list", "--requirements", revision], scenarioMs);
  if (code !== 0) throw new Error(`The suite lists nothing for ${revision}:\n${output}`);
  const required = { server: [] as string[], client: [] as string[] };
  const notScored: { scenario: string; leg: "server" | "client"; reason: string }[] = [];
  let leg: "server" | "client" | undefined;
  let reason: string | undefined;
  for (const line of output.split("\n")) {
    const heading = /^(Server|Client) scenarios /u.exec(line)?.[1];
    if (heading !== undefined) leg = heading === "Server" ? "server" : "client";
    if (line.startsWith("Run and reported")) leg = undefined;
    reason = /^ {2}([\w-]+) \(\d+\):$/u.exec(line)?.[1] ?? reason;
    const entry = /^ +- (\S+)(?: \[(server|client)\])?$/u.exec(line);
    if (entry === null) continue;
    const [, scenario = "", ownLeg] = entry;
    if (leg !== undefined) required[leg].push(scenario);
    else if (ownLeg === "server" || ownLeg === "client") {
      notScored.push({ scenario, leg: ownLeg, reason: reason ?? "" });
    }
  }
  return { ...required, notScored };
}

/** All server scenarios of a revision, those that are not scored too, against `url`. */
export async function runServerScenarios(
  url: string,
  revision: Revision,
  outDir: string,
): Promise<ScenarioResult[]> {
  const { code, output } = await suite(
    [
      "server",
      "--url",
      url,
      "--requirements",
      revision,
      "--timeout",
      String(scenarioMs),
      "-o",
      outDir,
    ],
    setMs,
  );
  // 1: a scenario failed, which its own result says.
  if (code !== 0 && code !== 1) throw new Error(`The suite broke off (${code}):\n${output}`);
  return readdirSync(outDir).map((folder) =>
    judge(scenarioOf(folder, "server-"), join(outDir, folder)),
  );
}

/** One client scenario, played by `command`, which finds `env`; an extension's belongs to no revision. */
export async function runClientScenario(
  command: string,
  scenario: string,
  revision: Revision,
  { outDir, env }: { outDir: string; env: NodeJS.ProcessEnv },
): Promise<ScenarioResult> {
  const { code, output } = await suite(
    [
      "client",
      "--command",
      command,
      "--scenario",
      scenario,
      "--spec-version",
      revision,
      "--timeout",
      String(scenarioMs),
      "--force",
      "-o",
      outDir,
    ],
    2 * scenarioMs,
    env,
  );
  const folders = readdirSync(outDir, { recursive: true, encoding: "utf8" }).filter(
    (folder) => scenarioOf(folder, "") === scenario,
  );
  const [folder] = folders;
  if (folders.length !== 1 || folder === undefined) {
    return { scenario, holds: false, problems: [`It did not run: ${lastLine(output)}`] };
  }
  const result = judge(scenario, join(outDir, folder));
  const broken = /^Play failed: .*$/mu.exec(output)?.[0];
  if (code === 0 && broken === undefined) return result;
  const said = clientError(output) ?? (result.problems.length === 0 ? lastLine(output) : undefined);
  const problems = said === undefined ? [] : [`The client said: ${said}`];
  return { scenario, holds: false, problems: [...result.problems, ...problems] };
}

function lastLine(output: string): string {
  return output.trimEnd().split("\n").at(-1) ?? "";
}

/** The end of what the client wrote to stderr; undefined when the suite shows nothing of it. */
function clientError(output: string): string | undefined {
  const said = /Stderr:\n([\s\S]*?)\n(?:Results saved|Checks:)/u.exec(output)?.[1];
  return said?.trim().slice(-600);
}

/** Results lie in folders named `[server-]<scenario>-<time>`; a client scenario's `/` makes a folder more. */
function scenarioOf(folder: string, prefix: string): string {
  return folder.slice(prefix.length).replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/u, "");
}

/** A scenario holds when something was checked, and nothing failed or is warned of. */
function judge(scenario: string, folder: string): ScenarioResult {
  const checks: readonly Check[] = JSON.parse(readFileSync(join(folder, "checks.json"), "utf8"));
  const problems = checks
    .filter(({ status }) => status === "FAILURE" || status === "WARNING")
    .map(({ id, status, errorMessage, name }) => {
      const why = (errorMessage ?? name).replaceAll(/\s+/gu, " ").slice(0, 400);
      return `${id}: ${status === "WARNING" ? "(warning) " : ""}${why}`;
    });
  if (!checks.some(({ status }) => status === "SUCCESS")) problems.push("Nothing was checked");
  return { scenario, holds: problems.length === 0, problems };
}
