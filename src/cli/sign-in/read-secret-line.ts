import { AppError } from "../../core/errors.ts";
import type { Context, Io } from "../context.ts";
import { isPiped } from "../is-piped.ts";
import { readPiped } from "../read-piped.ts";

const maxLineBytes = 64 * 1024;

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
 * left alone.
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
  const { limitMs, onWait, signal, what } = options;
  const bytes = await readPiped(stdin, {
    limitMs,
    onWait,
    overdue: () =>
      new AppError("usage", `No whole ${what} came on stdin within ${limitMs / 1000} s`, {
        hint: what === "token" ? ofTokens : undefined,
      }),
    isEnough: (latest, size) => latest.includes("\n") || size > maxLineBytes,
    signal,
  });
  return bytes.length === 0 ? undefined : firstLine(bytes, what);
}

function firstLine(bytes: Buffer, what: string): string {
  const newline = bytes.indexOf("\n");
  const end = newline === -1 ? bytes.length : newline;
  if (end > maxLineBytes) throw new AppError("usage", `The ${what} on stdin is longer than 64 KiB`);
  return bytes.toString("utf8", 0, end);
}
