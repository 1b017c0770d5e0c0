import type { Environment } from "../config/environment.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import type { GlobalOptions } from "./command.ts";

/** `--config-dir` where it was an option; what the environment holds is there for the next command too. */
export function givenFolder(
  { configDir }: GlobalOptions,
  environment: Environment,
): string | undefined {
  return configDir === environment.configDir ? undefined : configDir;
}

/** A command of ours at the begin of a hint, of one of its clauses, or behind a pipe. */
const ownCommand =
  /(^|: |[;,?|] )(agent (?:(?:auth|org|user|member|token|mcp|admin) [a-z]+|serve|inspect|run|wait|instructions|setup|audit|history))\b/gu;

/**
 * Adds `-d <folder>` to the commands that a line suggests: without it they would look at another key ring.
 * @param folder from `givenFolder`
 */
export function withFolder(line: string, folder: string | undefined): string {
  if (folder === undefined) return line;
  return line.replace(
    ownCommand,
    (_, before: string, command: string) => `${before}${command} -d ${quoteForShell(folder)}`,
  );
}
