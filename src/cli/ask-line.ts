import { createInterface } from "node:readline/promises";
import type { Context } from "./context.ts";

/**
 * Asks a person a question that yes or no answers, outside the command's deadline.
 * @param otherwise what Enter means; the end of the input (Ctrl-D), and what is neither yes nor no, mean no
 * @throws the reason of an abort (Ctrl-C)
 */
export async function askYesNo(
  question: string,
  otherwise: boolean,
  context: Context,
): Promise<boolean> {
  const answer = await askLine(`${question} ${otherwise ? "[Y/n]" : "[y/N]"}`, context);
  if (answer === undefined) return false;
  return answer.trim() === "" ? otherwise : (readYesNo(answer) ?? false);
}

/** What a person typed, as an answer to a question; undefined: it is none. */
export function readYesNo(line: string): boolean | undefined {
  if (/^y(?:es)?$/iu.test(line.trim())) return true;
  return /^no?$/iu.test(line.trim()) ? false : undefined;
}

/** @returns undefined at the end of the input */
function askLine(question: string, { io, signal, deadline }: Context): Promise<string | undefined> {
  return deadline.outside(async () => {
    io.note(question, { always: true });
    const lines = createInterface({ input: io.stdin, terminal: false });
    const stop = (): void => {
      lines.close();
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      const { value } = await lines[Symbol.asyncIterator]().next();
      signal.throwIfAborted();
      return value;
    } finally {
      signal.removeEventListener("abort", stop);
      lines.close();
    }
  });
}
