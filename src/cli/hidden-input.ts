import { StringDecoder } from "node:string_decoder";
import { AppError } from "../core/errors.ts";
import type { Context, Io } from "./context.ts";
import { createLineEditor } from "./line-editor.ts";

/** Asks for one line, which is not shown unless `shown` says so; undefined: the person ended the input (Ctrl-D). */
export type AskHidden = (
  question: string,
  options?: { shown?: boolean },
) => Promise<string | undefined>;

/**
 * Lets `use` ask the person at the terminal for lines that are not shown while they are typed; each is waited for outside
 * the command's deadline. Keys come raw meanwhile: Backspace and Ctrl-U edit, Ctrl-C ends the command. Whatever happens, the
 * terminal shows what is typed again afterwards; stdin is closed then.
 * @param use its `release` gives the terminal back until the next question, for who waits for something else: of raw
 *   keys Ctrl-C is noticed only where a line is read
 * @throws what `use` throws; the reason of an abort (Ctrl-C); AppError `usage` where stdin is no terminal, cannot be
 *   read, or has a line of more than 4096 characters
 */
export async function withHiddenInput<T>(
  context: Context,
  use: (ask: AskHidden, release: () => void) => Promise<T>,
): Promise<T> {
  const { io, signal, deadline } = context;
  signal.throwIfAborted();
  const { stdin } = io;
  const typing = typingOn(stdin);
  context.onForcedEnd(typing.show);
  const keys = createKeys(stdin, signal);
  try {
    return await use((question, { shown = false } = {}) => {
      if (shown) typing.show();
      else typing.hide();
      io.note(question, { always: true });
      return deadline.outside(() => readLine(keys, context));
    }, typing.show);
  } finally {
    typing.show();
    keys.close();
  }
}

/** @throws AppError `usage` where there is no terminal */
function typingOn(stdin: Io["stdin"]): { hide: () => void; show: () => void } {
  if (stdin.setRawMode === undefined) {
    throw new AppError("usage", "There is no terminal to ask on", {
      hint: "Put the answer into stdin, as its first line",
    });
  }
  let hidden = false;
  const set = (next: boolean): void => {
    if (hidden !== next) stdin.setRawMode?.(next);
    hidden = next;
  };
  return { hide: () => set(true), show: () => set(false) };
}

interface Keys {
  /** The next character; undefined: stdin has ended. @throws the reason of the signal; AppError `usage` */
  next(): Promise<string | undefined>;
  close(): void;
  readonly edit: ReturnType<typeof createLineEditor>;
}

function createKeys(stdin: Io["stdin"], signal: AbortSignal): Keys {
  const decoder = new StringDecoder("utf8");
  const input = stdin[Symbol.asyncIterator]();
  /** What has arrived, and belongs to no line yet. */
  let waiting: string[] = [];
  let onAbort: (() => void) | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
  });
  // It may come while nobody waits for a key.
  interrupted.catch(() => undefined);

  return {
    async next() {
      while (waiting.length === 0) {
        const arriving = input.next().catch((error: unknown) => {
          throw new AppError("usage", "Stdin cannot be read", { cause: error });
        });
        const { done, value } = await Promise.race([arriving, interrupted]);
        if (done === true) return undefined;
        waiting = Array.from(typeof value === "string" ? value : decoder.write(value));
      }
      return waiting.shift();
    },
    close() {
      if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
      // A read in flight may still fail while it is closed.
      stdin.on("error", () => undefined);
      stdin.destroy();
    },
    edit: createLineEditor(),
  };
}

async function readLine(
  keys: Keys,
  { signal, interrupt }: Pick<Context, "signal" | "interrupt">,
): Promise<string | undefined> {
  for (;;) {
    const character = await keys.next();
    if (character === undefined) return undefined;
    const typed = keys.edit(character);
    switch (typed.kind) {
      case "more":
        break;
      case "line":
        return typed.line;
      case "end":
        return undefined;
      case "interrupt":
        interrupt();
        signal.throwIfAborted();
        break;
      case "too-long":
        throw new AppError("usage", "No line is that long");
    }
  }
}
