import type { Readable } from "node:stream";

export interface ReadTextLimits {
  mostBytes: number;
  /** How long it may take in all, in milliseconds; absent: as long as its connection may. */
  mostMs?: number | undefined;
  /** Asked for memory before it is taken. @returns whether that many bytes more may be held */
  mayHold?: ((moreBytes: number) => boolean) | undefined;
}

/** A stream's text (UTF-8), or which limit it went beyond; then nothing of it is kept. */
export type ReadText =
  | { kind: "text"; text: string }
  | { kind: "too large" }
  | { kind: "too slow" }
  | { kind: "no room" };

const smallest = 1024;

/**
 * Reads a stream to its end into one buffer that grows: a sender decides into how many pieces it cuts what it sends,
 * and a list of them would take some hundred bytes for each.
 * @throws what the stream failed with, when its sender goes away among others
 */
export function readText(stream: Readable, limits: ReadTextLimits): Promise<ReadText> {
  const { mostBytes, mostMs, mayHold = () => true } = limits;
  return new Promise((resolve, reject) => {
    let held = Buffer.alloc(0);
    let bytes = 0;
    const done = (): void => {
      clearTimeout(timer);
      stream.off("data", take).off("end", end).off("error", fail).off("close", closed);
    };
    const settle = (read: ReadText): void => {
      done();
      resolve(read);
    };
    /** Twice as large as before, so that all copying together is no more than twice the text. */
    const grow = (atLeast: number): boolean => {
      const size = Math.min(Math.max(atLeast, held.length * 2, smallest), mostBytes);
      if (!mayHold(size - held.length)) return false;
      // Not out of the pool, of which a slow sender would keep a whole slab.
      const larger = Buffer.allocUnsafeSlow(size);
      held.copy(larger, 0, 0, bytes);
      held = larger;
      return true;
    };
    const take = (chunk: Buffer): void => {
      const total = bytes + chunk.length;
      if (total > mostBytes) settle({ kind: "too large" });
      else if (total > held.length && !grow(total)) settle({ kind: "no room" });
      else {
        chunk.copy(held, bytes);
        bytes = total;
      }
    };
    const end = (): void => settle({ kind: "text", text: held.toString("utf8", 0, bytes) });
    const fail = (error: Error): void => {
      done();
      reject(error);
    };
    const closed = (): void => fail(new Error("The body ended early"));
    const timer =
      mostMs === undefined ? undefined : setTimeout(() => settle({ kind: "too slow" }), mostMs);
    // Who went away before anybody read is not told of again.
    if (stream.destroyed) closed();
    else stream.on("data", take).on("end", end).on("error", fail).on("close", closed);
  });
}
