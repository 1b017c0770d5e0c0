import type { HttpBody } from "../mcp-client/transport.ts";

/** Bytes that may wait to be read before the socket is not read on. */
const mostWaiting = 64 * 1024;

/** The connection that a body comes from. */
export interface BodySource {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/**
 * A body that is pushed as it comes and read as an iterable, by one reader. In place of a stream of Node's,
 * whose events cost a call more than all the rest of its way to the server.
 */
export class AnswerBody implements HttpBody {
  readonly #source: BodySource;
  #chunks: Uint8Array[] = [];
  #waiting = 0;
  #paused = false;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(source: BodySource) {
    this.#source = source;
  }

  get whole(): Uint8Array | undefined {
    if (!this.#ended || this.#failure !== undefined) return undefined;
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0];
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    if (this.#waiting >= mostWaiting && !this.#paused) {
      this.#paused = true;
      this.#source.pause();
    }
    this.#wake?.();
  }

  /** @param failure why it broke off; absent when it came to its end */
  end(failure?: Error): void {
    this.#ended = true;
    this.#failure = failure;
    this.#wake?.();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: () => this.#next(),
      return: () => {
        this.#chunks = [];
        if (!this.#ended) {
          this.#source.abort(new Error("the rest of the answer is not wanted"));
        }
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#waiting -= chunk.length;
        if (this.#paused && this.#waiting < mostWaiting) {
          this.#paused = false;
          this.#source.resume();
        }
        return { done: false, value: chunk };
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
