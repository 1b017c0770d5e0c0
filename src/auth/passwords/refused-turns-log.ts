import { AppError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { PasswordHashes } from "./password-hashes.ts";

const quietMs = 60_000;

/**
 * The same hashes; while turns to verify are refused, one line a minute says so: users who sign in are then told to
 * come again, and only the operator can find out why.
 * @param options.monotonicMs milliseconds of a clock that nobody sets
 */
export function loggingRefusedTurns(
  hashes: PasswordHashes,
  options: { logger: Pick<Logger, "warn">; monotonicMs: () => number },
): PasswordHashes {
  const { logger, monotonicMs } = options;
  let quietUntilMs = -Infinity;
  let refused = 0;
  const tell = (): void => {
    refused += 1;
    if (monotonicMs() < quietUntilMs) return;
    quietUntilMs = monotonicMs() + quietMs;
    logger.warn("More passwords are tried than can be verified: sign-ins are refused with 429", {
      refused,
    });
    refused = 0;
  };
  return {
    ...hashes,
    async verify(...asked) {
      try {
        return await hashes.verify(...asked);
      } catch (error) {
        if (error instanceof AppError && error.code === "rate_limited") tell();
        throw error;
      }
    },
  };
}
