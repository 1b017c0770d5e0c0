import { AppError } from "../core/errors.ts";
import { principalKey } from "../core/principal.ts";
import type { Principal } from "../core/principal.ts";

/** How many questions for records are answered at once: of one principal, and of all. */
const mostOfOne = 2;
const mostOfAll = 8;

/** Bounds what reading records takes from everybody else: each answer is megabytes, and some take long. */
export interface RecordQueries {
  /** @throws AppError `rate_limited`, at once: nobody waits here; what `work` throws */
  answer<T>(by: Principal, work: () => Promise<T>): Promise<T>;
}

export function createRecordQueries(): RecordQueries {
  /** Those being answered, by principal. */
  const open = new Map<string, number>();
  let total = 0;

  return {
    async answer(by, work) {
      const key = principalKey(by);
      const own = open.get(key) ?? 0;
      if (own >= mostOfOne || total >= mostOfAll) {
        const whose = own >= mostOfOne ? "of yours " : "";
        throw new AppError(
          "rate_limited",
          `Other questions ${whose}for records are not answered yet`,
          {
            hint: "Ask again in a second, one after the other",
            retryAfterSeconds: 1,
          },
        );
      }
      open.set(key, own + 1);
      total += 1;
      try {
        return await work();
      } finally {
        total -= 1;
        const left = (open.get(key) ?? 1) - 1;
        if (left > 0) open.set(key, left);
        else open.delete(key);
      }
    },
  };
}
