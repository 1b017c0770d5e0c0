/** What is used of an AbortSignal where calls pass: every AbortSignal is one. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
  /** @throws its reason, once it is aborted */
  throwIfAborted(): void;
}

/**
 * In place of an AbortController and its signal, for what each call makes several of: those cost, with one
 * listener, some fifty times as much.
 */
export class Stop implements StopSignal {
  #aborted = false;
  #reason: unknown;
  /** None until there is one: nearly all have exactly one, and an array that grows takes room for many. */
  #listeners: (() => void)[] | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** The listeners run before this returns, each once; a second time does nothing. */
  abort(reason: unknown = new DOMException("This operation was aborted", "AbortError")): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const listeners = this.#listeners;
    for (let next = listeners?.shift(); next !== undefined; next = listeners?.shift()) next();
  }

  addEventListener(_type: "abort", listener: () => void): void {
    if (this.#aborted) return;
    if (this.#listeners === undefined) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    const listeners = this.#listeners;
    if (listeners === undefined) return;
    const at = listeners.indexOf(listener);
    if (at === -1) return;
    if (at === listeners.length - 1) listeners.pop();
    else listeners.splice(at, 1);
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }
}

/** For what takes nothing else. */
export function abortSignalOf(signal: StopSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort);
  return controller.signal;
}
