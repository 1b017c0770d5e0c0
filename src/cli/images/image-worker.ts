import { parentPort } from "node:worker_threads";
import type { DrawJob } from "./image-drawer.ts";
import { kittyPixels } from "./kitty-image.ts";
import { decodePixels } from "./decode-pixels.ts";
import { sixelImage } from "./sixel-image.ts";

// The thread in which images of others are decoded: `image-drawer.ts` starts it, and ends it when it takes too long.
parentPort?.on("message", (job: DrawJob) => {
  let drawn: string | undefined;
  try {
    drawn = draw(job);
  } catch {
    // Decoders throw many things at broken files; the file is saved then.
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
  parentPort?.postMessage(drawn);
});

function draw(job: DrawJob): string {
  const pixels = decodePixels(job.bytes, job.header);
  return job.way === "kitty"
    ? kittyPixels(pixels, job.columns)
    : sixelImage(pixels, job.widest, job.tallest);
}
