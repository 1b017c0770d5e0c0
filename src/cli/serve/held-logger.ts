import type { Logger } from "../../core/logger.ts";

export interface HeldLogger {
  logger: Logger;
  release: () => void;
}

/**
 * A log that says nothing until it is released, and then everything in its order. A start that fails has one
 * line to say, the reason; and what gets in comes before what the servers do meanwhile.
 */
export function holdBack(log: Logger): HeldLogger {
  let held: (() => void)[] | undefined = [];
  const take = (write: () => void): void => {
    if (held === undefined) write();
    else held.push(write);
  };
  return {
    logger: {
      debug: (...entry) => {
        take(() => {
          log.debug(...entry);
        });
      },
      info: (...entry) => {
        take(() => {
          log.info(...entry);
        });
      },
      warn: (...entry) => {
        take(() => {
          log.warn(...entry);
        });
      },
      error: (...entry) => {
        take(() => {
          log.error(...entry);
        });
      },
    },
    release() {
      const entries = held ?? [];
      held = undefined;
      for (const write of entries) write();
    },
  };
}
