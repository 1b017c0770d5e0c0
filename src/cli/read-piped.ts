import { AppError } from "../core/errors.ts";
import type { Io } from "./context.ts";

/** Nobody is told to wait for what comes at once. */
const noticeAfterMs = 1000;

export interface PipedOptions {
  /** How long to wait, in milliseconds. */
  limitMs: number;
  /** Called once when nothing has arrived for a second. */
  onWait: () => void;
  /** What to throw when the time is over. */
  overdue: () => AppError;
  /**
   * Whether what has come is all that is wanted; the writer's end of file is not waited for then.
   * @param latest what came last
   * @param size of all that has come, in bytes
   */
  isEnough: (latest: Buffer, size: number) => boolean;
  /** Ends the wait, with its reason. */
  signal: AbortSignal;
}

/**
 * Reads stdin until there is enough of it, or to its end. Afterwards it is closed, so that an open pipe does not keep
 * the process alive.
 * @throws AppError `usage`: it cannot be read; what `overdue` makes; the reason of `signal`
 */
export async function readPiped(stdin: Io["stdin"], options: PipedOptions): Promise<Buffer> {
  const { limitMs, signal } = options;
  signal.throwIfAborted();
  const chunks: Buffer[] = [];
  let size = 0;
  const notice = setTimeout(() => size === 0 && options.onWait(), Math.min(noticeAfterMs, limitMs));
  let limit: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    limit = setTimeout(() => reject(options.overdue()), limitMs);
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
  });
  const input = stdin[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = input.next().catch((error: unknown) => {
        throw new AppError("usage", "Stdin cannot be read", { cause: error });
      });
      const { done, value } = await Promise.race([next, interrupted]);
      if (done === true) return Buffer.concat(chunks);
      const bytes: Buffer = typeof value === "string" ? Buffer.from(value) : value;
      chunks.push(bytes);
      size += bytes.length;
      if (options.isEnough(bytes, size)) return Buffer.concat(chunks);
    }
  } finally {
    clearTimeout(notice);
    clearTimeout(limit);
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
    // A read in flight may still fail while it is closed.
    stdin.on("error", () => undefined);
    stdin.destroy();
  }
}
