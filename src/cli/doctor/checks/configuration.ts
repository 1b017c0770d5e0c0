import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type {
  ConfigurationAnswer,
  ConfigurationRefusalAnswer,
} from "../../../client/administration-answers.ts";
import { ConfigurationError } from "../../../config/configuration-problem.ts";
import { openConfigurationFile } from "../../../config/edit-configuration.ts";
import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import type { Check, Finding } from "../check.ts";
import type { Ground } from "../ground.ts";

const most = 20;
const writableByOthers = 0o022;
const sticky = 0o1000;
const restart = "agent serve --restart";

/** Whether the configuration file loads, each problem with its line. */
export const configurationCheck: Check = {
  name: "configuration",
  async look(ground) {
    const name = "configuration";
    const file = await ground.configurationFile();
    const shown = ground.shellPath(file);
    const inGateway = await ground.gatewayConfiguration();
    if (inGateway?.problem) return refused(inGateway.problem, file, ground);
    try {
      const { servers, file: found } = await ground.configuration();
      return found === undefined
        ? { name, state: "warn", message: `${shown} is not there yet`, mend: "agent mcp import" }
        : {
            name,
            state: "ok",
            message: `${shown}: ${servers.size} ${servers.size === 1 ? "server" : "servers"}`,
          };
    } catch (error) {
      if (error instanceof ConfigurationError) {
        const found = await problemsOf(error, ground, await isTaken(inGateway, file));
        const message = `${shown}: in effect in the running gateway`;
        return found.length > 0 ? found : { name, state: "ok", message };
      }
      if (!(error instanceof AppError)) throw error;
      return { name, state: "fail", message: error.message, mend: error.hint };
    }
  },
};

/** In the words of the gateway, whose environment and options are not this shell's. */
async function refused(
  { message, hint, server, variable, line }: ConfigurationRefusalAnswer,
  file: string,
  ground: Ground,
): Promise<Finding> {
  const without = server === null ? [] : [`agent mcp disable ${quoteForShell(server)}`];
  const set = variable === null ? [] : [`export ${quoteForShell(variable)}=…`, restart];
  const command = /^agent mcp add [^;,]*/u.exec(hint ?? "")?.[0];
  const mend =
    (await closing(file, ground)) ??
    (set.length > 0 ? set.join(" && ") : undefined) ??
    (command === undefined ? undefined : `${command} && ${restart}`) ??
    (line === null ? without[0] : undefined) ??
    editing(file, line ?? undefined, ground);
  return {
    name: "configuration",
    state: "fail",
    message: `The running gateway keeps the one before: ${message}`,
    mend,
  };
}

/** Whether the gateway runs with what stands in the file now, as far as the file may be read at all. */
async function isTaken(inGateway: ConfigurationAnswer | undefined, file: string): Promise<boolean> {
  const opened = await openConfigurationFile(file).catch(() => undefined);
  return opened?.fingerprint !== undefined && opened.fingerprint === inGateway?.fingerprint;
}

/** @param isInEffect whether a gateway runs with what the file says: then only what it does not read counts */
async function problemsOf(
  error: ConfigurationError,
  ground: Ground,
  isInEffect: boolean,
): Promise<Finding[]> {
  const { file } = error;
  const shown = ground.shellPath(file);
  const close = await closing(file, ground);
  const problems = error.problems.filter(({ path }) => !isInEffect || path.length === 0);
  return problems.slice(0, most).map((problem): Finding => {
    const { line, unsetVariable, hint = "" } = problem;
    const place = line === undefined ? shown : `${shown}:${line}`;
    const key = problem.path.length === 0 ? "" : `${problem.path.join(".")}: `;
    const set = unsetVariable !== undefined && `export ${quoteForShell(unsetVariable)}=…`;
    const mend =
      (problem.path.length === 0 && close) ||
      set ||
      (hint.startsWith("agent ") ? hint : editing(file, line, ground));
    return {
      name: "configuration",
      // The gateway may have been started where it is set.
      state: unsetVariable === undefined ? "fail" : "warn",
      message: `${place}: ${key}${problem.reason}`,
      mend,
    };
  });
}

function editing(file: string, line: number | undefined, { shellPath }: Ground): string {
  return `"\${EDITOR:-vi}" ${line === undefined ? "" : `+${line} `}${shellPath(file)}`;
}

/** The command that keeps others from writing the file or its folder; undefined: they cannot. */
async function closing(file: string, { shellPath }: Ground): Promise<string | undefined> {
  for (const path of [file, dirname(file)]) {
    const mode = await modeOf(path);
    const isOpen = (mode & writableByOthers) !== 0 && (mode & sticky) === 0;
    if (isOpen) return `chmod go-w ${shellPath(path)}`;
  }
  return undefined;
}

async function modeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).mode;
  } catch {
    return 0;
  }
}
