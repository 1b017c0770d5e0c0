import type { ErrorCode } from "../core/errors.ts";

/** The exit code of every failure (contract §1, "Exit codes"). */
const exitCodes = {
  usage: 2,
  config_invalid: 2,
  not_found: 2,
  unreachable: 3,
  timeout: 3,
  upstream_unavailable: 3,
  auth_required: 4,
  auth_rejected: 4,
  forbidden: 4,
  tool_error: 5,
  rate_limited: 6,
  store_unavailable: 1,
  internal: 1,
} as const satisfies Record<ErrorCode, number>;

export function exitCodeOf(code: ErrorCode): number {
  return exitCodes[code];
}

/** A signal that ends a command; its shell convention is 128 + the signal's number. */
export type EndingSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

const signalExitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export function exitCodeOfSignal(signal: EndingSignal): number {
  return signalExitCodes[signal];
}
