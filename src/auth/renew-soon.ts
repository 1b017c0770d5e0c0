import type { Principal } from "../core/principal.ts";
import type { Standing } from "./standing.ts";

/** How these sign in, only another server knows, which `Standing.renew` has asked meanwhile. */
const decidedElsewhere: ReadonlySet<Principal["method"]> = new Set(["simple", "bearer", "oauth"]);
/** Longer than that server is waited for. */
const answerMs = 6_000;
const pauseMs = 250;

/**
 * As `Standing.renew`, for whoever can wait for an answer that may depend on another server: somebody of whom nothing
 * was heard for minutes is not found to be gone before that server was asked.
 * @param now milliseconds since the epoch
 * @param patienceMs how long to wait for that, in milliseconds
 */
export async function renewSoon(
  standing: Pick<Standing, "renew">,
  principal: Principal,
  now: () => number,
  patienceMs = answerMs,
): Promise<Principal | undefined> {
  for (let waitedMs = 0; ; waitedMs += pauseMs) {
    const renewed = standing.renew(principal);
    if (renewed !== undefined || !decidedElsewhere.has(principal.method)) return renewed;
    if (hasExpired(principal, now()) || waitedMs >= patienceMs) return undefined;
    await pause(pauseMs);
  }
}

/** Whether the credential is over by itself, whatever became of whom it was given to. */
export function hasExpired({ expiresAtMs }: Principal, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
