import { AppError } from "../../core/errors.ts";
import type { Context, Io } from "../context.ts";
import { isPiped } from "../is-piped.ts";

const maxLineBytes = 64 * 1024;
const noticeAfterMs = 1000;

/** What the first line of stdin is. */
export type SecretKind = "token" | "password" | "client secret" | "secret";

const ofTokens = "--local takes one from your own gateway; </dev/null reads none";

/**
 * The first line of stdin where that is a pipe, a file or a socket, without what programs write around a line: byte
 * order mark and line end. It is waited for outside the command's deadline.
 * @param limitMs how long, in milliseconds
 * @returns undefined where nothing is piped in, or, which is said, nothing came
 * @throws AppError `usage`: nothing within `limitMs`, or more than 64 KiB; the reason of an abort (Ctrl-C)
 */
export async function pipedLine(
  what: SecretKind,
  limitMs: number,
  { io, deadline, signal }: Context,
): Promise<string | undefined> {
  if (!isPiped(io.stdin)) return undefined;
  const more = what === "token" ? ` (${ofTokens})` : "";
  const onWait = (): void => io.note(`Waiting for a ${what} on stdin${more}`);
  const line = await deadline.outside(() =>
    readSecretLine(io.stdin, { limitMs, onWait, signal, what }),
  );
  if (line === undefined) io.note("stdin was empty: did the command before the pipe fail?");
  return line?.replace(/^\uFEFF/u, "").replace(/\r$/u, "");
}

/**
 * Reads the first line of stdin; the writer's end of file is not waited for, and what follows the line is
 * left alone. Afterwards stdin is closed, so that an open pipe does not keep the process alive.
 * @param options.limitMs how long to wait for it
 * @param options.onWait called once when nothing has arrived for a second
 * @returns the line as it came; undefined when stdin ended without a byte
 * @throws AppError `usage`: nothing within `limitMs`, or more than 64 KiB; the reason of `signal`
 */
async function readSecretLine(
  stdin: Io["stdin"],
  options: {
    limitMs: number;
    onWait: () => void;
    signal: AbortSignal;
    what: SecretKind;
  },
): Promise<string | undefined> {
  const { limitMs, signal, what } = options;
  signal.throwIfAborted();
  const chunks: Buffer[] = [];
  let size = 0;
  const notice = setTimeout(() => size === 0 && options.onWait(), Math.min(noticeAfterMs, limitMs));
  let limit: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    limit = setTimeout(() => {
      reject(
        new AppError("usage", `No whole ${what} came on stdin within ${limitMs / 1000} s`, {
          hint: what === "token" ? ofTokens : undefined,
        }),
      );
    }, limitMs);
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
      if (done === true) return size === 0 ? undefined : firstLine(chunks, what);
      const bytes = typeof value === "string" ? Buffer.from(value) : value;
      chunks.push(bytes);
      size += bytes.length;
      if (bytes.includes("\n") || size > maxLineBytes) return firstLine(chunks, what);
    }
  } finally {
    clearTimeout(notice);
    clearTimeout(limit);
    if (onAbort) signal.removeEventListener("abort", onAbort);
    // A read in flight may still fail while it is closed.
    stdin.on("error", () => undefined);
    if ("destroy" in stdin && typeof stdin.destroy === "function") stdin.destroy();
  }
}

function firstLine(chunks: readonly Buffer[], what: string): string {
  const bytes = Buffer.concat(chunks);
  const newline = bytes.indexOf("\n");
  const end = newline === -1 ? bytes.length : newline;
  if (end > maxLineBytes) throw new AppError("usage", `The ${what} on stdin is longer than 64 KiB`);
  return bytes.toString("utf8", 0, end);
}
