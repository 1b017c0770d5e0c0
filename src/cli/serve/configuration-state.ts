import { ConfigurationError } from "../../config/configuration-problem.ts";
import { textFingerprint } from "../../config/text-fingerprint.ts";
import type { ConfigurationRefusal, ConfigurationStatus } from "../../core/configuration-status.ts";
import { toAppError } from "../../core/errors.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { oneLine } from "../../core/terminal-text.ts";

/** One look at the file. */
export interface ConfigurationRead {
  /** Before it was opened. */
  atMs: number;
  /** Undefined: there was none, or it could not be read. */
  text: string | undefined;
}

/** What a running gateway remembers of its configuration file, for whoever changes it. */
export interface ConfigurationState {
  status(): ConfigurationStatus;
  taken(read: ConfigurationRead): void;
  /** What was in effect stays. */
  refused(read: ConfigurationRead, error: unknown): void;
}

const longestLine = 1_000;

/** @param first the look that the gateway started with */
export function createConfigurationState(
  file: string,
  first: ConfigurationRead,
): ConfigurationState {
  let status = takenFrom(file, first);
  return {
    status: () => status,
    taken(read) {
      status = takenFrom(file, read);
    },
    refused(read, error) {
      const sinceMs = status.problem?.sinceMs ?? read.atMs;
      const problem = { ...refusalOf(error), fingerprint: fingerprintOf(read), sinceMs };
      status = { ...status, readAtMs: read.atMs, problem };
    },
  };
}

function takenFrom(file: string, read: ConfigurationRead): ConfigurationStatus {
  const { atMs } = read;
  const fingerprint = fingerprintOf(read);
  return { file, fingerprint, loadedAtMs: atMs, readAtMs: atMs, problem: null };
}

function fingerprintOf({ text }: ConfigurationRead): string | null {
  return text === undefined ? null : textFingerprint(text);
}

function refusalOf(error: unknown): Omit<ConfigurationRefusal, "fingerprint" | "sinceMs"> {
  const { message, hint } = toAppError(error);
  const [first] = error instanceof ConfigurationError ? error.problems : [];
  const { path = [], unsetVariable: variable, line } = first ?? {};
  const [place, name] = path;
  const server = place === "mcpServers" && typeof name === "string" ? name : undefined;
  const mend = mendFor({ variable, server, hint: first === undefined ? hint : first.hint });
  return {
    message: oneLine(message, longestLine),
    hint: mend === undefined ? null : oneLine(mend, longestLine),
    server: server ?? null,
    variable: variable ?? null,
    line: line ?? null,
  };
}

/** For a process that runs, whose environment stays what it was at its start. */
function mendFor({
  variable,
  server,
  hint,
}: {
  variable: string | undefined;
  server: string | undefined;
  hint: string | undefined;
}): string | undefined {
  const without = server === undefined ? "" : `, or agent mcp disable ${quoteForShell(server)}`;
  if (variable !== undefined) return `set ${variable}, then agent serve --restart${without}`;
  // What is kept outside of the file does not make the gateway read it again.
  if (hint?.startsWith("agent mcp add ")) return `${hint}, then agent serve --restart${without}`;
  return hint;
}
