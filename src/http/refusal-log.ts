import type { FastifyRequest } from "fastify";
import type { Logger } from "../core/logger.ts";
import { oneLine } from "../core/terminal-text.ts";
import { selfDescription } from "./authenticate-request.ts";
import { clientAddress } from "./client-address.ts";
import type { ErrorAnswer } from "./error-answer.ts";

/** Says in the log who was refused what only administrators may do. */
export interface RefusalLog {
  add(request: FastifyRequest, answer: ErrorAnswer): void;
  /** Tells what was left out until now. */
  flush(): void;
}

/** More than this in a minute are counted, not written: strangers must not fill the disk. */
const mostInWindow = 60;
const windowMs = 60_000;

/** @param options.now milliseconds, monotonic */
export function createRefusalLog(options: {
  logger: Logger;
  now: () => number;
  trustedProxies: readonly string[];
}): RefusalLog {
  const { logger, now, trustedProxies } = options;
  let windowEndsMs = -Infinity;
  let count = 0;
  const flush = (): void => {
    if (count > mostInWindow) {
      logger.warn("More administrative requests were refused", { leftOut: count - mostInWindow });
    }
    count = 0;
  };
  return {
    add({ method, principal, raw }, { status, error }) {
      if (now() >= windowEndsMs) {
        flush();
        windowEndsMs = now() + windowMs;
      }
      count += 1;
      if (count > mostInWindow) return;
      // Without the query, where old clients show their token.
      const [path = ""] = (raw.url ?? "").split("?", 1);
      logger.warn("An administrative request was refused", {
        method,
        path: oneLine(path, 200),
        status,
        reason: error.message,
        user: principal?.userId ?? null,
        organization: principal?.organizationId ?? null,
        client: selfDescription(raw).clientName,
        address: clientAddress(raw, trustedProxies),
        peer: raw.socket.remoteAddress ?? null,
      });
    },
    flush,
  };
}
