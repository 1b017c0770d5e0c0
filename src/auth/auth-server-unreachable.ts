import { AppError } from "../core/errors.ts";

/** Within it a server that was started anew answers again; who asks more often only keeps it from that. */
const retryAfterSeconds = 5;

/**
 * What somebody is answered because an auth server cannot be asked now.
 * @param reason one line, holding no credential
 */
export function authServerUnreachable(reason: string, hint = "Try again later"): AppError {
  return new AppError("unreachable", reason, { hint, retryAfterSeconds });
}
