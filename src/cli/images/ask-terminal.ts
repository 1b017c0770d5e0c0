import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "../context.ts";

/** What a terminal says of itself. */
export interface TerminalAnswer {
  sixel: boolean;
  /** Of its text area, in pixels, where it says so. */
  widthPx?: number | undefined;
  heightPx?: number | undefined;
}

type Asking = Pick<Context, "io" | "onForcedEnd" | "interrupt">;

/** Keys that were typed before are here by then. */
const typedMs = 10;
/** Somebody waits meanwhile: who has not answered by then shows no images. */
const patienceMs = 290;
/** Bytes of an answer. */
const longestAnswer = 4096;

/**
 * Asks the terminal for its size in pixels (XTWINOPS 14) and for what it can do (DA1, which every terminal answers, and
 * last). Keys come raw meanwhile, and are not shown; the terminal is as it was afterwards. Undefined where nobody can
 * be asked: where something was typed already, too. `silent`: was asked and has not answered yet.
 *
 * Keys that are typed meanwhile are lost, but for Ctrl-C: no program can give them back to its terminal. That is why
 * it is short, and why who types ahead is not asked.
 */
export async function askTerminal(context: Asking): Promise<TerminalAnswer | "silent" | undefined> {
  const { io } = context;
  const { stdin } = io;
  if (!io.stdinIsTerminal || stdin.setRawMode === undefined || stdin.destroyed) return undefined;
  if (stdin.readableLength > 0) return undefined;
  return listening(context, async (heard) => {
    await heard.until(/[^]/u, typedMs);
    if (heard.text() !== "") return undefined;
    await io.out(new TextEncoder().encode("\u001b[14t\u001b[c"));
    await heard.until(deviceAttributes, patienceMs);
    const said = deviceAttributes.exec(heard.text())?.[1];
    if (said === undefined) return "silent";
    const [, height, width] = sizeInPixels.exec(heard.text()) ?? [];
    return {
      sixel: said.split(";").includes("4"),
      ...(Number(width) > 0 && { widthPx: Number(width) }),
      ...(Number(height) > 0 && { heightPx: Number(height) }),
    };
  });
}

/** Takes an answer that came too late out of the terminal, where the shell would take it for typed. Waits for none. */
export async function swallowLateAnswer(context: Asking): Promise<void> {
  if (context.io.stdin.destroyed) return;
  await listening(context, (heard) => heard.until(deviceAttributes, typedMs));
}

interface Heard {
  text(): string;
  /** Until this was heard, or Ctrl-C, or so much time has passed. */
  until(what: RegExp, limitMs: number): Promise<void>;
}

/** Listens to the raw terminal while `use` runs. */
async function listening<T>(
  { io: { stdin }, onForcedEnd, interrupt }: Asking,
  use: (heard: Heard) => Promise<T>,
): Promise<T> {
  let text = "";
  let isInterrupted = false;
  let tell = nothing;
  const hear = (chunk: Buffer | string): void => {
    const some = String(chunk);
    text = (text + some).slice(-longestAnswer);
    if (some.includes("\u0003")) {
      isInterrupted = true;
      interrupt();
    }
    tell();
  };
  const restore = (): void => void stdin.setRawMode?.(false);
  onForcedEnd(restore);
  stdin.on("data", hear);
  stdin.on("error", nothing);
  stdin.setRawMode?.(true);
  try {
    stdin.resume();
    return await use({
      text: () => text,
      async until(what, limitMs) {
        const heard = new Promise<void>((resolve) => {
          tell = () => {
            if (isInterrupted || what.test(text)) resolve();
          };
        });
        tell();
        await Promise.race([heard, delay(limitMs)]);
      },
    });
  } finally {
    stdin.pause();
    stdin.off("data", hear);
    restore();
  }
}

function nothing(): void {}

const deviceAttributes = /\[\?([\d;]{0,100})c/u;
const sizeInPixels = /\[4;(\d{1,6});(\d{1,6})t/u;
