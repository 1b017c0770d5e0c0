/** Who waits for the one connection. */
export type Turn = "transaction" | "read";

/** The line before the one connection. */
export interface Turns {
  /**
   * Resolves when the connection is free for the one who asks, in the order they came among their kind. Of those that
   * wait, transactions go first, but for one read after each: neither kind ever waits for all of the other.
   * @returns gives the connection back; to be called once
   */
  take(turn: Turn): Promise<() => void>;
}

export function createTurns(): Turns {
  const waiting: Record<Turn, (() => void)[]> = { transaction: [], read: [] };
  let isTaken = false;
  let last: Turn = "read";

  const next = (): void => {
    const first = last === "transaction" ? "read" : "transaction";
    const turn = waiting[first].length > 0 ? first : last;
    const begin = waiting[turn].shift();
    isTaken = begin !== undefined;
    begin?.();
  };

  return {
    async take(turn) {
      if (isTaken) await new Promise<void>((resolve) => waiting[turn].push(resolve));
      isTaken = true;
      last = turn;
      return next;
    },
  };
}
