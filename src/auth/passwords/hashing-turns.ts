import { AppError } from "../../core/errors.ts";

/** Lets few hashings run at once, and few wait: each takes the memory and the time of thousands of requests. */
export interface HashingTurns {
  /** Does `work` when its turn has come. @throws what `work` throws; AppError `rate_limited` when too many wait */
  take<T>(work: () => Promise<T>): Promise<T>;
}

export function createHashingTurns({
  maxRunning,
  maxWaiting,
}: {
  maxRunning: number;
  maxWaiting: number;
}): HashingTurns {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async take(work) {
      if (running < maxRunning) running += 1;
      else if (waiting.length < maxWaiting) {
        // Who leaves hands its place on, so `running` stays as it is.
        await new Promise<void>((resolve) => void waiting.push(resolve));
      } else {
        throw new AppError("rate_limited", "Too many sign in at the same time; try again in 5 s", {
          retryAfterSeconds: 5,
        });
      }
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}
