import { setTimeout as sleep } from "node:timers/promises";
import type { ConfigurationAnswer } from "../../client/administration-answers.ts";
import { AppError } from "../../core/errors.ts";
import type { AskConfiguration } from "./gateway-configuration.ts";

/** What a gateway made of a file that was changed; `problem` where it keeps the one before. */
export type ConfigurationVerdict =
  | { kind: "applied" }
  | { kind: "refused"; problem: NonNullable<ConfigurationAnswer["problem"]> }
  /** It has not said so in time, or cannot say it. */
  | { kind: "unknown" };

/** What was written. */
export interface WrittenText {
  fingerprint: string | null | undefined;
  /** By the clock of this machine; undefined: another one wrote it. */
  savedAtMs?: number | undefined;
}

const longestMs = 3_000;
const pauseMs = 100;

/**
 * Waits, but not long, until a gateway has looked at what was written. That it cannot be asked is no failure.
 * @throws what `signal` was aborted with
 */
export async function awaitConfiguration(
  ask: AskConfiguration,
  written: WrittenText,
  signal: AbortSignal,
  limitMs = longestMs,
): Promise<ConfigurationVerdict> {
  const times = Math.ceil(limitMs / pauseMs);
  for (let asked = 0; asked < times; asked += 1) {
    if (asked > 0) await sleep(pauseMs, undefined, { signal });
    try {
      const verdict = verdictOn(await ask(), written);
      if (verdict !== undefined) return verdict;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { kind: "unknown" };
    }
  }
  return { kind: "unknown" };
}

/** Undefined: it has not looked yet. Who looked after it was saved has seen it, or what somebody made of it since. */
function verdictOn(
  { fingerprint, readAt, problem }: ConfigurationAnswer,
  written: WrittenText,
): ConfigurationVerdict | undefined {
  const last = problem === null ? fingerprint : problem.fingerprint;
  const isSame = last !== null && last === written.fingerprint;
  const isLater = written.savedAtMs !== undefined && Date.parse(readAt) > written.savedAtMs;
  if (!isSame && !isLater) return undefined;
  return problem === null ? { kind: "applied" } : { kind: "refused", problem };
}
