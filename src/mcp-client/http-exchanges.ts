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

class Exchange implements HttpExchange {
  readonly signal = new Stop();
  readonly #outer: StopSignal | undefined;
  readonly #onClose: (exchange: Exchange) => void;

  constructor(outer: StopSignal | undefined, onClose: (exchange: Exchange) => void) {
    this.#outer = outer;
    this.#onClose = onClose;
    if (outer?.aborted === true) this.#onOuter();
    else outer?.addEventListener("abort", this.#onOuter);
  }

  readonly abort = (): void => this.signal.abort();

  close(): void {
    this.#outer?.removeEventListener("abort", this.#onOuter);
    this.#onClose(this);
  }

  readonly #onOuter = (): void => this.signal.abort(this.#outer?.reason);
}

export function createHttpExchanges(): HttpExchanges {
  const answered = new UnderWay<Exchange>();
  const parting = new UnderWay<Exchange>();
  const waiting: (() => void)[] = [];
  const onAnsweredClose = (exchange: Exchange): void => {
    answered.delete(exchange);
  };
  const onPartingClose = (exchange: Exchange): void => {
    parting.delete(exchange);
    if (parting.size === 0) for (const resolve of waiting.splice(0)) resolve();
  };
  const abortAnswered = (): void => {
    for (const exchange of answered) exchange.abort();
  };
  return {
    open(outer, isParting) {
      const exchange = new Exchange(outer, isParting ? onPartingClose : onAnsweredClose);
      (isParting ? parting : answered).add(exchange);
      return exchange;
    },
    abortAnswered,
    abortAll() {
      abortAnswered();
      for (const exchange of parting) exchange.abort();
    },
    partingIdle() {
      if (parting.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
  };
}
