import { AppError, toAppError } from "../core/errors.ts";

/** How a failure is told: one JSON line, or a message and a hint for people. */
export function formatFailure(
  error: unknown,
  { json, debug, secrets }: { json: boolean; debug: boolean; secrets: readonly string[] },
): string {
  const failure = explain(error);
  const lines = json
    ? [JSON.stringify(failure.toBody())]
    : [
        `agent: ${failure.message}`,
        ...(failure.hint === undefined ? [] : [`hint: ${failure.hint}`]),
        ...(debug ? [stackOf(error)] : []),
      ];
  return withoutSecrets(lines.join("\n"), secrets);
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

/** A net under every message: a token that the command line or the environment holds is never printed. */
function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 6)
    .reduce((masked, secret) => masked.replaceAll(secret, "****"), text);
}
