import { readImageHeader } from "./image-header.ts";
import type { ImageHeader } from "./image-header.ts";

/** Nobody looks at more of it in a terminal, and decoding takes memory and time. */
const largestBytes = 10_000_000;
const longestSide = 8192;
/** What a screen of 4K has, and a little more. */
const mostPixels = 8 * 1024 * 1024;
/** Of all images of an answer: pixels, times how often a decoder goes over them. */
const mostWork = 4 * mostPixels;
const mostImages = 20;
/** Of all images of an answer: what is written to the terminal. */
const mostWritten = 20_000_000;

/** What the images of one answer may cost together. */
export interface ImageBudget {
  /** What an image is by its first bytes; undefined where it is not to be tried. What is tried counts, drawn or not. */
  take(bytes: Uint8Array): ImageHeader | undefined;
  /** Whether so many bytes more may be written; they count then. */
  write(length: number): boolean;
}

export function createImageBudget(): ImageBudget {
  let tried = 0;
  let work = 0;
  let written = 0;
  return {
    take(bytes) {
      if (tried >= mostImages || bytes.length > largestBytes) return undefined;
      const header = readImageHeader(bytes);
      if (header === undefined || Math.max(header.width, header.height) > longestSide) {
        return undefined;
      }
      const pixels = header.width * header.height;
      if (pixels > mostPixels || work + pixels * header.scans > mostWork) return undefined;
      tried += 1;
      work += pixels * header.scans;
      return header;
    },
    write(length) {
      if (written + length > mostWritten) return false;
      written += length;
      return true;
    },
  };
}
