import { fillVariables } from "../../config/fill-variables.ts";
import type { JsonObject } from "../../core/json.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { secretsIn } from "../../core/secret-reference.ts";

/** What an entry refers to, and what is not there on this machine. */
export interface Lack {
  /** `the environment variable X is not set` */
  reason: string;
  /** What to do about it. */
  remedy: string;
}

export interface Machine {
  environment: Readonly<Record<string, string | undefined>>;
  /** Names of the secrets that are kept. */
  kept: readonly string[];
}

/** What the gateway has wherever it runs. */
const everywhere = new Set(
  "HOME USER LOGNAME PATH SHELL LANG TMPDIR USERPROFILE APPDATA LOCALAPPDATA TEMP".split(" "),
);

/** What an entry lacks here: were it enabled, the whole configuration would not be loaded. */
export function lacksHere(name: string, entry: JsonObject, { environment, kept }: Machine): Lack[] {
  const lacks = problemsOf(name, entry, environment, kept).map(
    ({ reason, hint = "", unsetVariable: variable }): Lack => ({
      reason,
      remedy: variable === undefined ? hint : `set ${variable}, here and for the gateway`,
    }),
  );
  return lacks.filter(
    ({ reason }, index) => lacks.findIndex((other) => other.reason === reason) === index,
  );
}

/** One line for each, and the way to enable the server afterwards. */
export function lackNotes(name: string, lacks: readonly Lack[]): string[] {
  const enable = `then agent mcp enable ${quoteForShell(name)}`;
  return lacks.map(({ reason, remedy }) => `it is disabled, since ${reason}: ${remedy}; ${enable}`);
}

/** The variables that an entry needs, and that are set here: they must be for the gateway too. */
export function variablesSetHere(
  name: string,
  entry: JsonObject,
  environment: Machine["environment"],
): string[] {
  const all = problemsOf(name, entry, {}, secretsIn(entry)).flatMap(
    ({ unsetVariable }) => unsetVariable ?? [],
  );
  return [...new Set(all)].filter(
    (variable) => environment[variable] !== undefined && !everywhere.has(variable),
  );
}

/** For notes; undefined: there is none of these variables. */
export function sentenceOfVariables(variables: readonly string[]): string | undefined {
  const [first, ...more] = variables;
  if (first === undefined) return undefined;
  const [are, they] = more.length === 0 ? ["is", "it"] : ["are", "they"];
  return `${variables.join(", ")} ${are} read from the environment of the gateway, where ${they} must be set too`;
}

function problemsOf(
  name: string,
  entry: JsonObject,
  environment: Machine["environment"],
  kept: readonly string[],
): ReturnType<typeof fillVariables>["problems"] {
  const enabled = { ...entry, disabled: false };
  const secrets = new Map(kept.map((secret) => [secret, ""]));
  return fillVariables({ mcpServers: { [name]: enabled } }, environment, secrets).problems;
}
