/** The closed list of error codes a user, a script or a REST client can see. */
export const errorCodes = [
  "usage",
  "config_invalid",
  "not_found",
  "unreachable",
  "timeout",
  "upstream_unavailable",
  "auth_required",
  "auth_rejected",
  "forbidden",
  "tool_error",
  "rate_limited",
  "store_unavailable",
  "internal",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface AppErrorOptions {
  /** The command to run next, or what to change. One line. */
  hint?: string | undefined;
  cause?: unknown;
  /** Seconds until the call may be made again: with `rate_limited`, and where what is asked for comes back by itself. */
  retryAfterSeconds?: number | undefined;
}

/** The body of a failure, on stderr with `--json` and in REST answers alike. */
export interface ErrorBody {
  error: {
    code: ErrorCode;
    message: string;
    hint?: string;
    retryAfterSeconds?: number;
    /** Of a credential that is limited to less (`InsufficientScope`): all that another one needs. */
    scopes?: string[];
  };
}

/**
 * A failure somebody outside the program can understand and act on. Anything else that is thrown is
 * a bug of ours. The message is one line, says what failed, and never holds a token.
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  toBody(): ErrorBody {
    return {
      error: {
        code: this.code,
        message: this.message,
        ...(this.hint === undefined ? {} : { hint: this.hint }),
        ...(this.retryAfterSeconds === undefined
          ? {}
          : { retryAfterSeconds: this.retryAfterSeconds }),
      },
    };
  }
}

/** An `AppError` stays as it is; anything else becomes `internal`, its text kept as the cause only. */
export function toAppError(error: unknown): AppError {
  return error instanceof AppError
    ? error
    : new AppError("internal", "Unexpected failure", { cause: error });
}

/** The reason of an abort as something to throw: whoever aborts may give anything. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("The request was cancelled");
}
