/** A bounded number of things under way at once, and a bounded number that wait for it. */
export interface Places {
  /**
   * Does `work` when there is a place.
   * @param options.isUnproven never takes the last places, and lets the others go first
   * @param options.signal ends the waiting, not the work
   * @returns undefined when too many wait already, or the signal ended the waiting
   * @throws what `work` throws
   */
  take<T>(
    work: () => Promise<T>,
    options: { isUnproven: boolean; signal: AbortSignal },
  ): Promise<{ result: T } | undefined>;
}

/** @param limits.kept places that are kept for what is not unproven; `waiting`: of each of the two kinds */
export function createPlaces(limits: { atOnce: number; kept: number; waiting: number }): Places {
  const { atOnce, kept, waiting } = limits;
  let running = 0;
  const proven = new Set<() => void>();
  const unproven = new Set<() => void>();

  const hasPlace = (isUnproven: boolean): boolean => running < atOnce - (isUnproven ? kept : 0);
  const callNext = (): void => {
    const next = first(proven) ?? (hasPlace(true) ? first(unproven) : undefined);
    if (next !== undefined) next();
  };
  /** Resolves to whether there is a place, which is taken then. */
  const waitForPlace = (queue: Set<() => void>, signal: AbortSignal): Promise<boolean> =>
    new Promise((resolve) => {
      const leave = (isCalled: boolean): void => {
        queue.delete(called);
        signal.removeEventListener("abort", gaveUp);
        if (isCalled) running += 1;
        resolve(isCalled);
      };
      const called = (): void => leave(true);
      const gaveUp = (): void => leave(false);
      queue.add(called);
      signal.addEventListener("abort", gaveUp);
    });

  return {
    async take(work, { isUnproven, signal }) {
      const queue = isUnproven ? unproven : proven;
      if (hasPlace(isUnproven)) running += 1;
      else if (queue.size >= waiting || signal.aborted) return undefined;
      else if (!(await waitForPlace(queue, signal))) return undefined;
      try {
        return { result: await work() };
      } finally {
        running -= 1;
        callNext();
      }
    },
  };
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const each of set) return each;
  return undefined;
}
