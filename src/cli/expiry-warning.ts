import type { Profile } from "../profiles/profile.ts";
import { loginHint } from "./login-hint.ts";
import { shownTime } from "./render/shown-time.ts";
import { renews } from "./renew-profile.ts";

const dayMs = 24 * 60 * 60 * 1000;

/**
 * What to say of a token that ends within a day, or within half of its life where that is shorter. Undefined for one
 * that renews itself, and for one that has expired, which is its server's to judge.
 */
export function expiryWarning(profile: Profile, nowMs: number): string | undefined {
  const { expiresAtMs, createdAtMs, renewedAtMs = createdAtMs, url } = profile;
  if (expiresAtMs === undefined || expiresAtMs <= nowMs || renews(profile)) return undefined;
  if (expiresAtMs - nowMs > Math.min(dayMs, (expiresAtMs - renewedAtMs) / 2)) return undefined;
  return `The token of ${url} expires ${shownTime(expiresAtMs)} and does not renew itself; ${loginHint(profile)} saves another`;
}
