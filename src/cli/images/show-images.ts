import { setImmediate as nextTurn } from "node:timers/promises";
import type { Context } from "../context.ts";
import { askTerminal, swallowLateAnswer } from "./ask-terminal.ts";
import { createImageBudget } from "./image-budget.ts";
import { createImageDrawer } from "./image-drawer.ts";
import type { ImageDrawer } from "./image-drawer.ts";
import type { ImageHeader } from "./image-header.ts";
import { imageTerminal } from "./image-terminal.ts";

/** How wide a column is where the terminal does not say: no font is much narrower. */
const columnPx = 8;
/** What is higher than this many screens (or than it is wide, where the terminal does not say) is made smaller. */
const screens = 4;
/** Decoding the images of one answer may take so long in all. */
const drawingLimitMs = 3000;
/** Writing to a terminal blocks: between two pieces Ctrl-C is heard. */
const pieceLength = 65_536;

type Showing = Pick<Context, "io" | "environment" | "onForcedEnd" | "signal" | "interrupt">;

interface Draw {
  (bytes: Uint8Array, header: ImageHeader): Promise<string | undefined> | string | undefined;
}

/**
 * Shows images in the terminal, where it can, and has the others saved, in order. What it shows is hostile: sizes are
 * read before anything is decoded, that is done in a thread, and time, memory and output are bounded for all images
 * together. Whatever cannot be shown, for whatever reason, is saved.
 * @param worker the bundle of `image-worker.ts`, which the build puts beside this one, and how long it may take
 * @throws what `save` throws; the reason of the signal, when all is saved
 */
export async function showImages<T extends { bytes: Uint8Array }>(
  binaries: readonly T[],
  context: Showing,
  save: (left: readonly T[]) => Promise<void>,
  worker = { url: new URL("./image-worker.js", import.meta.url), limitMs: drawingLimitMs },
): Promise<void> {
  const { signal } = context;
  const left: T[] = [];
  const budget = createImageBudget();
  const drawer = createImageDrawer(worker.url, signal, worker.limitMs);
  let way: Way | undefined;
  try {
    for (const binary of binaries) {
      const header = signal.aborted ? undefined : budget.take(binary.bytes);
      // Whoever has no image to show asks nobody.
      if (header !== undefined) way ??= await chooseWay(context, drawer);
      const sequence = header && (await way?.draw?.(binary.bytes, header));
      if (sequence === undefined || signal.aborted || !budget.write(sequence.length)) {
        left.push(binary);
      } else {
        await write(sequence, context);
      }
    }
  } finally {
    drawer.close();
  }
  try {
    await save(left);
  } finally {
    if (way?.isSilent === true) await swallowLateAnswer(context);
  }
  signal.throwIfAborted();
}

async function write(sequence: string, { io, signal }: Showing): Promise<void> {
  const encoder = new TextEncoder();
  for (let at = 0; at < sequence.length; at += pieceLength) {
    await io.out(encoder.encode(sequence.slice(at, at + pieceLength)));
    await nextTurn();
    if (!signal.aborted) continue;
    // Else the terminal takes what follows for more of the image.
    await io.out(encoder.encode("\u001b\\"));
    break;
  }
  await io.out(encoder.encode("\n"));
}

interface Way {
  /** Absent where the terminal shows no images. */
  draw?: Draw;
  /** Was asked, and may answer yet. */
  isSilent?: boolean;
}

async function chooseWay(context: Showing, drawer: ImageDrawer): Promise<Way> {
  const { columns } = context.io;
  const isWide = ({ width }: ImageHeader): boolean => width > columns * columnPx;
  switch (imageTerminal(context.environment)) {
    case "kitty": {
      const { kittyPng } = await import("./kitty-image.ts");
      const draw: Draw = (bytes, header) => {
        const over = isWide(header) ? columns : undefined;
        if (header.kind === "png") return kittyPng(bytes, over);
        return header.kind === "jpeg"
          ? drawer.draw({ way: "kitty", bytes, header, columns: over })
          : undefined;
      };
      return { draw };
    }
    case "iterm2": {
      const { itermImage } = await import("./iterm-image.ts");
      return { draw: (bytes, header) => itermImage(bytes, isWide(header)) };
    }
    case "ask": {
      const answer = await askTerminal(context);
      if (answer === "silent") return { isSilent: true };
      if (answer?.sixel !== true) return {};
      const widest = answer.widthPx ?? columns * columnPx;
      const tallest = (answer.heightPx ?? widest) * screens;
      const draw: Draw = (bytes, header) =>
        header.kind === "gif"
          ? undefined
          : drawer.draw({ way: "sixel", bytes, header, widest, tallest });
      return { draw };
    }
    case undefined:
      return {};
  }
}
