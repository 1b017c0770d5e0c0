import { AppError } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";
import { isPiped } from "../../is-piped.ts";
import { readPiped } from "../../read-piped.ts";
import { forms } from "./given-server.ts";
import { mostSnippetBytes } from "./parse-snippet.ts";

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
  const bytes = await readPiped(io.stdin, {
    limitMs,
    onWait: () => io.note("Waiting for a snippet on stdin"),
    overdue: () => new AppError("usage", `No end came on stdin within ${limitMs / 1000} s`),
    isEnough: (_latest, size) => size > mostSnippetBytes,
    signal,
  });
  if (bytes.length > mostSnippetBytes) {
    throw new AppError("usage", "What comes on stdin is larger than 1 MiB");
  }
  return new TextDecoder().decode(bytes);
}
