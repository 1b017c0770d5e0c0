import type { Logger } from "../../core/logger.ts";

/** A log that also keeps its errors, one line each: whoever starts a gateway in the background reads no log. */
export function rememberTroubles(log: Logger): { logger: Logger; troubles: readonly string[] } {
  const troubles: string[] = [];
  return {
    troubles,
    logger: {
      ...log,
      error(message, fields) {
        if (troubles.length < mostTroubles) troubles.push(lineOf(message, fields));
        log.error(message, fields);
      },
    },
  };
}

/** A start has few; those of a long run are in the log. */
const mostTroubles = 20;

function lineOf(message: string, fields: Parameters<Logger["error"]>[1] = {}): string {
  const details = Object.entries(fields).map(([key, value]) => `${key}: ${String(value)}`);
  return details.length === 0 ? message : `${message} (${details.join(", ")})`;
}
