import { Agent } from "undici";
import type { Dispatcher } from "undici";
import type { StopSignal } from "../core/stop-signal.ts";
import type { HttpAnswer, SendHttp } from "../mcp-client/transport.ts";
import { AnswerBody } from "./answer-body.ts";

const connectMs = 10_000;

export interface UndiciHttp {
  send: SendHttp;
  /** Ends every connection and what is under way on them; never rejects. */
  close(): Promise<void>;
}

/**
 * HTTP for the connections to one upstream server, over connections that are kept and used again. Without a
 * limit on how long an answer may be silent, which a slow tool or a quiet event stream may well be: the limits
 * of calls are set where they are made.
 */
export function createUndiciHttp(): UndiciHttp {
  const agent = new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: connectMs },
  });
  return {
    send: ({ method, url, headers, body, signal }) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        agent.dispatch(
          {
            origin: url.origin,
            path: `${url.pathname}${url.search}`,
            method,
            headers,
            body: body ?? null,
          },
          new Exchange(signal, resolve, reject),
        );
      }),
    close: () => agent.destroy().catch(() => undefined),
  };
}

/** One request and its answer, as undici tells of them. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #signal: StopSignal;
  readonly #resolve: (answer: HttpAnswer) => void;
  readonly #reject: (reason: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #body: AnswerBody | undefined;

  constructor(
    signal: StopSignal,
    resolve: (answer: HttpAnswer) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    signal.addEventListener("abort", this.#onAbort);
  }

  /** The request goes out now: it has a connection. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal.aborted) controller.abort(asError(this.#signal.reason));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2],
  ): void {
    // An interim answer (RFC 9110 §15.2); the real one follows.
    if (status < 200) return;
    const body = new AnswerBody(controller);
    this.#body = body;
    // Whoever waits runs when all that came with the head has been handed on: often that is the whole body.
    this.#resolve({ status, headers: singleHeaders(headers), body });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.push(chunk);
  }

  onResponseEnd(): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#body?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#reject(error);
    this.#body?.end(error);
  }

  readonly #onAbort = (): void => {
    // Before it has a connection nothing of undici can be aborted; who asked does not wait for that.
    this.#reject(this.#signal.reason);
    this.#controller?.abort(asError(this.#signal.reason));
  };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("aborted", { cause: reason });
}

/** Of a header that came more than once the values in one, as RFC 9110 §5.3 joins them. */
function singleHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Readonly<Record<string, string | undefined>> {
  if (isSingle(headers)) return headers;
  const single: Record<string, string | undefined> = {};
  for (const name in headers) {
    const value = headers[name];
    single[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return single;
}

function isSingle(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): headers is Readonly<Record<string, string | undefined>> {
  for (const name in headers) if (Array.isArray(headers[name])) return false;
  return true;
}
