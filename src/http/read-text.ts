import type { Readable } from "node:stream";

export interface ReadTextLimits {
  mostBytes: number;
  /** How long it may take in all, in milliseconds; absent: as long as its connection may. */
  mostMs?: number | undefined;
  /** How many bytes there will be, where whoever takes the stream apart holds its sender to that; absent: unknown. */
  wholeBytes?: number | undefined;
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
const nothing = Buffer.alloc(0);

/**
 * Reads a stream to its end, into one buffer that grows unless all of it comes in one piece: a sender decides into how
 * many it cuts what it sends, and a list of them would take some hundred bytes for each.
 * @throws what the stream failed with, when its sender goes away among others
 */
export function readText(stream: Readable, limits: ReadTextLimits): Promise<ReadText> {
  const { mostBytes, mostMs, wholeBytes, mayHold } = limits;
  return new Promise((resolve, reject) => {
    let held = nothing;
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
      if (mayHold?.(size - held.length) === false) return false;
      // Not out of the pool, of which a slow sender would keep a whole slab.
      const larger = Buffer.allocUnsafeSlow(size);
      held.copy(larger, 0, 0, bytes);
      held = larger;
      return true;
    };
    const take = (chunk: Buffer): void => {
      const total = bytes + chunk.length;
      const isWhole = total === wholeBytes;
      if (total > mostBytes) settle({ kind: "too large" });
      // Nothing of it is kept, so there is nothing to copy and nobody to ask.
      else if (isWhole && bytes === 0 && mayHold === undefined) settle(textOf(chunk));
      else if (total > held.length && !grow(total)) settle({ kind: "no room" });
      else {
        chunk.copy(held, bytes);
        bytes = total;
        if (isWhole) end();
      }
    };
    const end = (): void => settle(textOf(held.subarray(0, bytes)));
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

function textOf(bytes: Buffer): ReadText {
  return { kind: "text", text: bytes.toString("utf8") };
}
