import type { CallLimits } from "./call-limits.ts";
import type { RateLimitConfiguration } from "./configuration.ts";
import { matchesGlob } from "./name-glob.ts";
import type { Principal } from "./principal.ts";
import { createSlidingWindows } from "./sliding-window.ts";

const windowMs = 60_000;
/** Far more than a gateway has users in one minute; with a call each, about 70 MB. */
const mostUsers = 250_000;

/**
 * The limits of the configuration as it is at each call, over the last 60 seconds. What was counted under an earlier
 * configuration goes on to count. Not counted: the local owner, callers of a gateway that asks nobody who they are, and
 * whom the configuration sets no limit.
 * @param options.monotonicMs milliseconds of a clock that nobody sets
 */
export function createCallLimits({
  configuration,
  monotonicMs,
}: {
  configuration: () => RateLimitConfiguration;
  monotonicMs: () => number;
}): CallLimits {
  const users = createSlidingWindows({ windowMs, mostKeys: mostUsers });
  const tools = createSlidingWindows({ windowMs, mostKeys: mostUsers });
  return {
    take(principal) {
      if (isExempt(principal)) return undefined;
      const { rpm, roles } = configuration();
      const limit = (principal.role === null ? undefined : roles[principal.role]) ?? rpm;
      return limit === 0 ? undefined : users.take(userKey(principal), limit, monotonicMs());
    },
    takeTool(principal, exposedName) {
      if (isExempt(principal)) return undefined;
      const found = configuration().tools.find(({ pattern }) => matchesGlob(pattern, exposedName));
      if (found === undefined || found.rpm === 0) return undefined;
      const key = JSON.stringify([userKey(principal), found.pattern]);
      return tools.take(key, found.rpm, monotonicMs());
    },
  };
}

/** A user is one in all its organisations; a static token called as a user is another. */
function userKey({ method, userId }: Principal): string {
  // No method has a space in its name.
  return `${method} ${userId}`;
}

function isExempt({ isLocalOwner, method }: Principal): boolean {
  return isLocalOwner || method === "none";
}
