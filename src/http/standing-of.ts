import { hasExpired, renewSoon } from "../auth/renew-soon.ts";
import type { Standing } from "../auth/standing.ts";
import type { StandingOf } from "../mcp/mcp-endpoint.ts";

/** Whose token was replaced comes with the new one by then, in milliseconds. */
const patienceMs = 60_000;

/** @param now milliseconds since the epoch */
export function createStandingOf(standing: Pick<Standing, "renew">, now: () => number): StandingOf {
  return async (principal) => {
    const renewed = await renewSoon(standing, principal, now, patienceMs);
    if (renewed !== undefined) return { kind: "good", principal: renewed };
    return { kind: hasExpired(principal, now()) ? "expired" : "over" };
  };
}
