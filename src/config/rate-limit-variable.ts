import { AppError } from "../core/errors.ts";
import { oneLine } from "../core/terminal-text.ts";
import { mostCallsAMinute } from "./security-schema.ts";

/**
 * What `ONEDOOR_RATE_LIMIT_RPM` says, which wins over the file's `rateLimit.rpm`.
 * @throws AppError `usage` for what is no number of calls a minute
 */
export function readRateLimitRpm(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rpm = /^\d{1,7}$/u.test(text) ? Number(text) : Number.NaN;
  if (rpm <= mostCallsAMinute) return rpm;
  throw new AppError(
    "usage",
    `ONEDOOR_RATE_LIMIT_RPM must be a whole number from 0 (no limit) to ${mostCallsAMinute}, not ${JSON.stringify(oneLine(text, 40))}`,
    { hint: "Without it rateLimit.rpm of the configuration counts, else 60" },
  );
}
