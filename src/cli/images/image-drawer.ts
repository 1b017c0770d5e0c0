import { Worker } from "node:worker_threads";
import type { ImageHeader } from "./image-header.ts";

/** An image, and how a terminal is to get it. */
export type DrawJob = { bytes: Uint8Array; header: ImageHeader } & (
  | { way: "kitty"; columns: number | undefined }
  | { way: "sixel"; widest: number; tallest: number }
);

/** Decodes images in a thread of its own, one after the other. */
export interface ImageDrawer {
  /** What the terminal is to be sent; undefined for what cannot be drawn, or not in time. */
  draw(job: DrawJob): Promise<string | undefined>;
  close(): void;
}

/** Of what JavaScript itself holds; what pixels take is bounded by their number. */
const mostMemoryMb = 512;

/**
 * Decoding is somebody else's code at somebody else's data: the command goes on meanwhile, and ends it when the time for
 * all images together is over, or the command is.
 * @param url the bundle of `image-worker.ts`
 */
export function createImageDrawer(url: URL, signal: AbortSignal, limitMs: number): ImageDrawer {
  let worker: Worker | undefined;
  let leftMs = limitMs;
  let answer: ((drawn: string | undefined) => void) | undefined;
  const end = (): void => {
    leftMs = 0;
    answer?.(undefined);
    void worker?.terminate();
  };
  const start = (): Worker => {
    const started = new Worker(url, {
      name: "images",
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: mostMemoryMb },
    });
    started.on("message", (drawn: string | undefined) => answer?.(drawn));
    started.on("error", end);
    started.on("exit", end);
    return started;
  };
  signal.addEventListener("abort", end, { once: true });
  return {
    async draw(job) {
      if (leftMs <= 0 || signal.aborted) return undefined;
      const startedAt = performance.now();
      const timer = setTimeout(end, leftMs);
      try {
        return await new Promise<string | undefined>((resolve) => {
          answer = resolve;
          worker ??= start();
          // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
          worker.postMessage(job);
        });
      } finally {
        clearTimeout(timer);
        answer = undefined;
        leftMs -= performance.now() - startedAt;
      }
    },
    close() {
      signal.removeEventListener("abort", end);
      end();
    },
  };
}
