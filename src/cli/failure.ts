import { AppError, toAppError } from "../core/errors.ts";
import type { KnownSecrets } from "./known-secrets.ts";
import { withFolder } from "./same-folder.ts";

export interface FailureForm {
  json: boolean;
  debug: boolean;
  /** What is masked in all of it. */
  secrets: KnownSecrets;
  /** `--config-dir` as it was given, for the command that a hint suggests. */
  folder?: string | undefined;
}

/** How a failure is told: one JSON line, or a message and a hint for people. */
export function formatFailure(
  error: unknown,
  { json, debug, secrets, folder }: FailureForm,
): string {
  const body = explain(error).toBody();
  const failure = body.error;
  if (failure.hint !== undefined) failure.hint = withFolder(failure.hint, folder);
  if (json) return secrets.maskJson(JSON.stringify(body));
  const lines = [
    `agent: ${failure.message}`,
    ...(failure.hint === undefined ? [] : [`hint: ${failure.hint}`]),
    ...(debug ? [stackOf(error)] : []),
  ];
  return secrets.mask(lines.join("\n"));
}

/**
 * A bug's own text stays out of sight, since nobody has looked at what it may hold. What the operating
 * system says about a file or a socket is meant for people.
 */
function explain(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isSystemError(error)) {
    return new AppError("internal", error.message.replace(/\s+/gu, " "), { cause: error });
  }
  const kind = error instanceof Error ? error.name : typeof error;
  return new AppError("internal", `${toAppError(error).message} (${kind})`, {
    hint: "the same command with --debug shows where",
    cause: error,
  });
}

function isSystemError(error: unknown): error is Error {
  return error instanceof Error && "syscall" in error && "code" in error;
}

function stackOf(error: unknown): string {
  const stacks: string[] = [];
  let next: unknown = error;
  while (next instanceof Error && stacks.length < 5) {
    stacks.push(next.stack ?? next.message);
    next = next.cause;
  }
  return stacks.length === 0 ? String(error) : stacks.join("\ncaused by ");
}
