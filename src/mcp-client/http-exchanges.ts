import { Stop } from "../core/stop-signal.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import { UnderWay } from "../core/under-way.ts";

/** One HTTP request and its answer, for as long as either is under way. */
export interface HttpExchange {
  readonly signal: StopSignal;
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
  open(outer: StopSignal | undefined, parting: boolean): HttpExchange;
  /** Ends those of which an answer is expected. */
  abortAnswered(): void;
  abortAll(): void;
  /** Resolves when none of the parting ones is under way. */
  partingIdle(): Promise<void>;
}

export function createHttpExchanges(): HttpExchanges {
  const answered = new UnderWay<Stop>();
  const parting = new UnderWay<Stop>();
  const waiting: (() => void)[] = [];
  const abortAnswered = (): void => {
    for (const stop of answered) stop.abort();
  };
  return {
    open(outer, isParting) {
      const stop = new Stop();
      const abort = (): void => stop.abort(outer?.reason);
      if (outer?.aborted === true) abort();
      else outer?.addEventListener("abort", abort);
      const underWay = isParting ? parting : answered;
      underWay.add(stop);
      return {
        signal: stop,
        abort: () => stop.abort(),
        close() {
          outer?.removeEventListener("abort", abort);
          underWay.delete(stop);
          if (parting.size === 0) for (const resolve of waiting.splice(0)) resolve();
        },
      };
    },
    abortAnswered,
    abortAll() {
      abortAnswered();
      for (const stop of parting) stop.abort();
    },
    partingIdle() {
      if (parting.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
  };
}
