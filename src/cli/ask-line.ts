import { createInterface } from "node:readline/promises";
import type { Context } from "./context.ts";

/**
 * Asks a person for one line, outside the command's deadline.
 * @returns undefined at the end of the input (Ctrl-D)
 * @throws the reason of an abort (Ctrl-C)
 */
export function askLine(
  question: string,
  { io, signal, deadline }: Context,
): Promise<string | undefined> {
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
