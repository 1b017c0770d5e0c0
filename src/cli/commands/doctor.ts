import { setNetwork } from "../../client/network.ts";
import { homeOf } from "../../config/home-of.ts";
import { AppError } from "../../core/errors.ts";
import { version } from "../../core/version.ts";
import { chooseNetwork } from "../choose-network.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { allChecks } from "../doctor/all-checks.ts";
import type { Check, Finding, FindingState } from "../doctor/check.ts";
import { openGround } from "../doctor/open-ground.ts";
import type { Ground } from "../doctor/ground.ts";
import { pasteable } from "../doctor/pasteable.ts";
import { runChecks } from "../doctor/run-checks.ts";
import { jsonText } from "../render/json-text.ts";
import { givenFolder, withFolder } from "../same-folder.ts";

/** What tests put in their own place of. */
export interface DoctorParts {
  openGround: (context: Context) => Promise<Ground>;
  checksFor: (ground: Ground) => readonly Check[];
}

export function createDoctor({ openGround: open, checksFor }: DoctorParts): CommandModule {
  return {
    options: {},
    talksToServer: false,
    about: [
      "Looks at everything that OneDoor stands on: Node, directories and modes, configuration, keychain, key ring, gateway, each profile and upstream server, environment, proxies, certificates, clock. Each line is ok, warn or fail; below it stands the command that mends it. It exits with 0 when nothing failed, warnings or not, else with 1.",
      "It changes nothing, but for an entry of its own that it writes into the keychain and removes again. No line holds a token, a password or an email, and the home directory is ~: it can be pasted into an issue. Hosts of your profiles and names of your servers are shown.",
    ],
    examples: [
      ["agent doctor", "what is wrong, and what mends it"],
      ["agent doctor --json", "the same for a script, or for an issue"],
    ],
    /**
     * With `--json`: `{version, platform, node, result: "ok"|"warn"|"fail", checks: [{name, state:
     * "ok"|"warn"|"fail", message, mend: command|null}]}`.
     */
    async run(options, context) {
      const { io, environment } = context;
      await reachServers(context);
      const spinner = io.spin("Looking at everything");
      let found: Finding[];
      try {
        const ground = await open(context);
        found = await runChecks(checksFor(ground), ground);
      } finally {
        spinner.stop();
      }
      const home = homeOf(environment);
      const folder = givenFolder(options, environment);
      const lines = found.map(({ name, state, message, mend }) => ({
        name,
        state,
        message: pasteable(message, home),
        mend: mend === undefined ? null : withFolder(mend, folder),
      }));
      const result = worst(lines.map(({ state }) => state));
      if (options.format === "json") {
        const { platform, versions } = process;
        const report = { version, platform, node: versions.node, result, checks: lines };
        await io.out(jsonText(report, io));
      } else {
        await io.out(asText(lines, (text) => io.foreign(text)));
      }
      if (result !== "fail") return 0;
      if (options.json) throw failure(lines);
      return 1;
    },
  };
}

export const command = createDoctor({ openGround, checksFor: allChecks });

interface Line extends Omit<Finding, "mend"> {
  mend: string | null;
}

/** A file of certificates that cannot be used is a finding of its own, and no reason to find nothing else. */
async function reachServers({ environment, secrets }: Context): Promise<void> {
  try {
    await chooseNetwork({}, { talksToServer: true, options: {} }, { environment, secrets });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    setNetwork({ proxies: environment.proxies });
  }
}

function worst(states: readonly FindingState[]): FindingState {
  if (states.includes("fail")) return "fail";
  return states.includes("warn") ? "warn" : "ok";
}

function asText(lines: readonly Line[], foreign: (text: string) => string): string {
  const width = Math.max(...lines.map(({ name }) => name.length));
  const indent = " ".repeat(6);
  const shown = lines.flatMap(({ name, state, message, mend }) => [
    `${state.padEnd(4)}  ${name.padEnd(width)}  ${foreign(message)}`,
    ...(mend === null ? [] : [`${indent}${" ".repeat(width)}  mend: ${foreign(mend)}`]),
  ]);
  return [...shown, "", summary(lines), ""].join("\n");
}

function summary(lines: readonly Line[]): string {
  const count = (state: FindingState): number =>
    lines.filter((line) => line.state === state).length;
  return `OneDoor ${version}: ${count("ok")} ok, ${count("warn")} to look at, ${count("fail")} failed`;
}

function failure(lines: readonly Line[]): AppError {
  const failed = lines.filter(({ state }) => state === "fail");
  const mend = failed.find((line) => line.mend !== null)?.mend ?? undefined;
  const names = [...new Set(failed.map(({ name }) => name))].join(", ");
  return new AppError("internal", `${failed.length} failed: ${names}`, { hint: mend });
}
