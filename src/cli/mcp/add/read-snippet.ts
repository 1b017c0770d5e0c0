import { AppError } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";
import { isPiped } from "../../is-piped.ts";
import { forms } from "./given-server.ts";
import { mostSnippetBytes } from "./parse-snippet.ts";

const noticeAfterMs = 1000;
const limitMs = 60_000;

/**
 * What comes on stdin, to its end. It is waited for outside the command's deadline, at most a minute.
 * @throws AppError `usage`: nothing is piped in, nothing came, or too much; the reason of an abort (Ctrl-C)
 */
export async function readSnippet({ io, deadline, signal }: Context): Promise<string> {
  if (io.stdinIsTerminal || !isPiped(io.stdin)) {
    throw new AppError("usage", "What is the server?", { hint: forms });
  }
  const text = await deadline.outside(() => readAll(io, signal));
  if (text.trim() !== "") return text;
  throw new AppError("usage", "stdin was empty: did the command before the pipe fail?", {
    hint: forms,
  });
}

async function readAll(io: Context["io"], signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const { stdin } = io;
  let size = 0;
  const chunks: Buffer[] = [];
  const notice = setTimeout(() => {
    if (size === 0) io.note("Waiting for a snippet on stdin");
  }, noticeAfterMs);
  let limit: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    limit = setTimeout(() => {
      reject(new AppError("usage", `No end came on stdin within ${limitMs / 1000} s`));
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
      if (done === true) return new TextDecoder().decode(Buffer.concat(chunks));
      const bytes: Buffer = typeof value === "string" ? Buffer.from(value) : value;
      chunks.push(bytes);
      size += bytes.length;
      if (size > mostSnippetBytes) {
        throw new AppError("usage", "What comes on stdin is larger than 1 MiB");
      }
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
