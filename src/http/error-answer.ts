import type { FastifyReply } from "fastify";
import { AlreadyExists } from "../administration/already-exists.ts";
import { AppError, toAppError, type ErrorCode } from "../core/errors.ts";
import {
  InsufficientScope,
  insufficientScopeChallenge,
  quotable,
} from "../core/insufficient-scope.ts";

/** The HTTP status of each error code (RFC 9110 §15); `tool_error` is the upstream's fault, not ours. */
const statuses: Record<ErrorCode, number> = {
  usage: 400,
  auth_required: 401,
  auth_rejected: 401,
  forbidden: 403,
  not_found: 404,
  rate_limited: 429,
  config_invalid: 500,
  store_unavailable: 503,
  internal: 500,
  tool_error: 502,
  unreachable: 503,
  upstream_unavailable: 503,
  timeout: 504,
};

/** A failure that HTTP itself has a status for, finer than its code says. */
export class HttpError extends AppError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    options: { hint?: string; headers?: Record<string, string> } = {},
  ) {
    super(code, message, options);
    this.status = status;
    this.headers = options.headers ?? {};
  }
}

/** Status, headers and body of the answer to a failure. */
export interface ErrorAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  error: AppError;
}

/**
 * What a failure is answered with; anything unexpected is a 500 that says nothing of itself.
 * @param bodyLimit bytes that the body of the request could have; absent where it is known that it was not refused
 */
export function errorAnswerOf(thrown: unknown, bodyLimit?: number): ErrorAnswer {
  const error = asAppError(thrown, bodyLimit);
  return {
    status: statusOf(error),
    headers: {
      ...(error instanceof HttpError ? error.headers : {}),
      ...challengeOf(error),
      ...(error.retryAfterSeconds === undefined
        ? {}
        : { "retry-after": String(error.retryAfterSeconds) }),
    },
    error,
  };
}

function statusOf(error: AppError): number {
  if (error instanceof HttpError) return error.status;
  return error instanceof AlreadyExists ? 409 : statuses[error.code];
}

export function sendAnswer(
  reply: FastifyReply,
  { status, headers, error }: ErrorAnswer,
): FastifyReply {
  return reply.code(status).headers(headers).send(error.toBody());
}

/** RFC 6750 §3: no error code where no credential was shown, and a scope only where another token would do. */
function challengeOf(error: AppError): Record<string, string> {
  const { code, message } = error;
  const challenge = 'Bearer realm="onedoor"';
  const described = `error_description="${quotable(message)}"`;
  if (error instanceof InsufficientScope) {
    return { "www-authenticate": insufficientScopeChallenge(error) };
  }
  if (code === "auth_required") return { "www-authenticate": challenge };
  if (code !== "auth_rejected") return {};
  return { "www-authenticate": `${challenge}, error="invalid_token", ${described}` };
}

/** For a body of which no more is read. @param mostBytes that it could have, as far as it is known */
export function bodyTooLarge(mostBytes?: number, hint?: string): HttpError {
  const most = mostBytes === undefined ? "it may be" : `${mostBytes} bytes`;
  return new HttpError(413, "usage", `The request's body is larger than ${most}`, {
    ...(hint === undefined ? {} : { hint }),
    headers: { connection: "close" },
  });
}

function asAppError(thrown: unknown, bodyLimit: number | undefined): AppError {
  if (thrown instanceof AppError) return thrown;
  const status = fastifyStatus(thrown);
  switch (status) {
    case undefined:
      return toAppError(thrown);
    case 413:
      return bodyTooLarge(bodyLimit);
    case 415:
      return new HttpError(415, "usage", "The request's Content-Type must be application/json");
    case 400:
      return new HttpError(400, "usage", "The request's body is not valid JSON");
    default:
      return new HttpError(status, "usage", "The request cannot be read");
  }
}

/** What fastify itself refuses has a code `FST_…` and a client's status. */
function fastifyStatus(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !("statusCode" in thrown)) return undefined;
  const { statusCode } = thrown;
  return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500
    ? statusCode
    : undefined;
}
