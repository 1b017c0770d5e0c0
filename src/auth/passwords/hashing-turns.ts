import { AppError } from "../../core/errors.ts";
import { createFairLine } from "./fair-line.ts";

/** Who wants a turn. */
export interface TurnTaker {
  /** Where it comes from: waiting places are shared among networks, since one machine may have many addresses. */
  network: string;
  /** The account, where it was signed in to from there before: it may wait in the places that are kept for such. */
  knownAccount?: string | undefined;
}

/** Lets few hashings run at once, and few wait: each takes the memory and the time of thousands of requests. */
export interface HashingTurns {
  /**
   * Does `work` when its turn has come.
   * @throws what `work` throws; AppError `rate_limited` when too many wait, at once or later, when its place is
   *   given to somebody of another network who has none
   */
  take<T>(work: () => Promise<T>, by?: TurnTaker): Promise<T>;
}

interface Waiting {
  begin(): void;
  refuse(): void;
}

/**
 * @param options.maxWaiting places for everybody, shared among networks
 * @param options.maxKnownWaiting places beside those, shared among known accounts: whoever fills the others with the
 *   addresses of many networks keeps nobody out who was in before
 * @param options.tooMany the beginning of the sentence for whoever finds no place
 */
export function createHashingTurns({
  maxRunning,
  maxWaiting,
  maxKnownWaiting,
  tooMany,
}: {
  maxRunning: number;
  maxWaiting: number;
  maxKnownWaiting: number;
  tooMany: string;
}): HashingTurns {
  let running = 0;
  const refuse = (waiting: Waiting): void => waiting.refuse();
  const everybody = createFairLine<Waiting>(maxWaiting, refuse);
  const known = createFairLine<Waiting>(maxKnownWaiting, refuse);
  /** The line whose turn it is; the lines take turns, so that neither waits for the whole of the other. */
  let [first, second] = [known, everybody];

  const wait = ({ network, knownAccount }: TurnTaker): Promise<void> =>
    new Promise((begin, reject) => {
      const waiting: Waiting = {
        begin,
        refuse: () =>
          reject(
            new AppError("rate_limited", `${tooMany}; try again in 5 s`, { retryAfterSeconds: 5 }),
          ),
      };
      const isKept = knownAccount !== undefined && known.add(knownAccount, waiting);
      if (!isKept && !everybody.add(network, waiting)) waiting.refuse();
    });

  return {
    async take(work, by = { network: "" }) {
      if (running < maxRunning) running += 1;
      // Who leaves hands its place on, so `running` stays as it is.
      else await wait(by);
      try {
        return await work();
      } finally {
        const next = first.next() ?? second.next();
        [first, second] = [second, first];
        if (next === undefined) running -= 1;
        else next.begin();
      }
    },
  };
}
