import { AppError } from "../../core/errors.ts";

/** In the same words whatever it is that was too many. */
export function tooManySignIns(waitMs: number): AppError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new AppError("rate_limited", `Too many sign-ins; try again in ${retryAfterSeconds} s`, {
    retryAfterSeconds,
  });
}
