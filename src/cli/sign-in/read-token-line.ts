import { fstatSync } from "node:fs";
import { AppError } from "../../core/errors.ts";
import type { Io } from "../context.ts";

const maxTokenBytes = 64 * 1024;
const noticeAfterMs = 1000;

/**
 * Whether somebody may have put a token into stdin: a pipe, a file or a socket. A character device (a
 * terminal, `/dev/null`) is none. A stream without a descriptor was handed in on purpose.
 */
export function isPiped(stdin: Io["stdin"]): boolean {
  if (stdin.fd === undefined) return true;
  try {
    const found = fstatSync(stdin.fd);
    return found.isFIFO() || found.isFile() || found.isSocket();
  } catch {
    // A closed descriptor holds nothing.
    return false;
  }
}

/**
 * Reads the first line of stdin; the writer's end of file is not waited for, and what follows the line is
 * left alone. Afterwards stdin is closed, so that an open pipe does not keep the process alive.
 * @param options.limitMs how long to wait for it
 * @param options.onWait called once when nothing has arrived for a second
 * @returns the line as it came; undefined when stdin ended without a byte
 * @throws AppError `usage`: nothing within `limitMs`, or more than 64 KiB; the reason of `signal`
 */
export async function readTokenLine(
  stdin: Io["stdin"],
  options: {
    limitMs: number;
    onWait: () => void;
    signal: AbortSignal;
    /** What the line is, for messages. */
    what?: "token" | "password" | "client secret" | undefined;
  },
): Promise<string | undefined> {
  const { limitMs, signal, what = "token" } = options;
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
          ...(what === "token" && {
            hint: "--local takes one from your own gateway; </dev/null reads none",
          }),
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
      if (bytes.includes("\n") || size > maxTokenBytes) return firstLine(chunks, what);
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
  if (end > maxTokenBytes)
    throw new AppError("usage", `The ${what} on stdin is longer than 64 KiB`);
  return bytes.toString("utf8", 0, end);
}
