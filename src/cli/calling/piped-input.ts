import { StringDecoder } from "node:string_decoder";
import { abortReason } from "../../client/http-json.ts";
import { AppError } from "../../core/errors.ts";
import type { Io } from "../context.ts";
import { maxInputBytes, tooMuch } from "./given-arguments.ts";

/** A pipe that says nothing for so long may be one that never will. */
const silentMs = 1000;

export interface PipedInputOptions {
  io: Pick<Io, "stdin">;
  /** Ctrl-C. */
  signal: AbortSignal;
  /** How long silence is waited for, in milliseconds, at the start and in the middle. */
  limitMs: number;
  /**
   * Called once when nothing came within the first second. Says whether to wait on or to do without
   * stdin; what arrives while it thinks is waited for.
   */
  onSilent(): Promise<"wait" | "go-on">;
}

/**
 * Reads stdin to its end as UTF-8. Undefined when it stayed silent and `onSilent` said to go on; stdin
 * is then left alone.
 * @throws AppError `usage` when silence lasts longer than `limitMs`, or there is too much
 */
export function readPipedInput(options: PipedInputOptions): Promise<string | undefined> {
  const { stdin } = options.io;
  const { signal, limitMs } = options;
  return new Promise((resolve, reject) => {
    const decoder = new StringDecoder("utf8");
    const pieces: string[] = [];
    let bytes = 0;
    let settled = false;
    let limit: NodeJS.Timeout | undefined;

    const finish = (end: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(limit);
      clearTimeout(silence);
      stdin
        .removeListener("data", onData)
        .removeListener("end", onEnd)
        .removeListener("error", onError);
      signal.removeEventListener("abort", onAbort);
      stdin.pause();
      end();
    };
    const fail = (error: unknown): void => {
      finish(() => {
        reject(error);
      });
    };
    const startLimit = (): void => {
      clearTimeout(limit);
      limit = setTimeout(() => {
        fail(
          new AppError("usage", `stdin is a pipe that stayed silent for ${limitMs / 1000} s`, {
            hint: "Give the arguments as key=value, or </dev/null when there are none",
          }),
        );
      }, limitMs);
    };
    const onData = (chunk: Buffer | string): void => {
      clearTimeout(silence);
      const buffer = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      bytes += buffer.length;
      if (bytes > maxInputBytes) {
        fail(tooMuch("stdin"));
        return;
      }
      pieces.push(decoder.write(buffer));
      startLimit();
    };
    const onEnd = (): void => {
      finish(() => {
        resolve(pieces.join("") + decoder.end());
      });
    };
    const onError = (error: NodeJS.ErrnoException): void => {
      // A socket whose other end is gone has ended, however it ended.
      if (error.code === "ECONNRESET") onEnd();
      else
        fail(
          new AppError("usage", `Cannot read stdin (${error.code ?? "unknown"})`, { cause: error }),
        );
    };
    const onAbort = (): void => {
      fail(abortReason(signal));
    };
    const silence = setTimeout(() => {
      options
        .onSilent()
        .then((answer) => {
          if (answer === "wait" || bytes > 0) return undefined;
          return finish(() => {
            resolve(undefined);
          });
        })
        .catch(fail);
    }, silentMs);

    startLimit();
    stdin.on("data", onData).on("end", onEnd).on("error", onError);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
