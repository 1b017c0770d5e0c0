/** One HTTP request and its answer, for as long as either is under way. */
export interface HttpExchange {
  readonly signal: AbortSignal;
  readonly abort: () => void;
  /** It is over. */
  close(): void;
}

/** All that is under way to one server. */
export interface HttpExchanges {
  /**
   * @param outer aborts it too
   * @param parting nothing comes back but that it was heard: it may finish while the connection is closed
   */
  open(outer: AbortSignal | undefined, parting: boolean): HttpExchange;
  /** Ends those of which an answer is expected. */
  abortAnswered(): void;
  abortAll(): void;
  /** Resolves when none of the parting ones is under way. */
  partingIdle(): Promise<void>;
}

export function createHttpExchanges(): HttpExchanges {
  const underWay = new Map<AbortController, { parting: boolean }>();
  const waiting: (() => void)[] = [];
  const partingUnderWay = (): boolean =>
    Array.from(underWay.values()).some(({ parting }) => parting);
  return {
    open(outer, parting) {
      const controller = new AbortController();
      const abort = (): void => controller.abort(outer?.reason);
      if (outer?.aborted === true) abort();
      else outer?.addEventListener("abort", abort, { once: true });
      underWay.set(controller, { parting });
      return {
        signal: controller.signal,
        abort: () => controller.abort(),
        close() {
          outer?.removeEventListener("abort", abort);
          underWay.delete(controller);
          if (!partingUnderWay()) for (const resolve of waiting.splice(0)) resolve();
        },
      };
    },
    abortAnswered() {
      for (const [controller, { parting }] of underWay) if (!parting) controller.abort();
    },
    abortAll() {
      for (const controller of underWay.keys()) controller.abort();
    },
    partingIdle() {
      if (!partingUnderWay()) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
  };
}
