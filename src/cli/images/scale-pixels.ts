import type { Pixels } from "./decode-pixels.ts";

/** An image no wider and no taller than that, its proportions kept: each pixel is the mean of those it stands for. */
export function scalePixels(pixels: Pixels, widest: number, tallest: number): Pixels {
  const { width, height, rgba } = pixels;
  const scale = Math.min(widest / width, tallest / height);
  if (scale >= 1) return pixels;
  const newWidth = Math.max(1, Math.round(width * scale));
  const newHeight = Math.max(1, Math.round(height * scale));
  const scaled = new Uint8Array(newWidth * newHeight * 4);
  for (let y = 0; y < newHeight; y += 1) {
    const [top, bottom] = spanOf(y, newHeight, height);
    for (let x = 0; x < newWidth; x += 1) {
      const [left, right] = spanOf(x, newWidth, width);
      const sum = [0, 0, 0, 0];
      for (let row = top; row < bottom; row += 1) {
        for (let at = (row * width + left) * 4; at < (row * width + right) * 4; at += 1) {
          sum[at % 4] = (sum[at % 4] ?? 0) + (rgba[at] ?? 0);
        }
      }
      const count = (bottom - top) * (right - left);
      for (let channel = 0; channel < 4; channel += 1) {
        scaled[(y * newWidth + x) * 4 + channel] = Math.round((sum[channel] ?? 0) / count);
      }
    }
  }
  return { width: newWidth, height: newHeight, rgba: scaled };
}

/** The places that the `index`th of `count` parts covers, one at least. */
function spanOf(index: number, count: number, length: number): [number, number] {
  const from = Math.floor((index * length) / count);
  return [from, Math.max(from + 1, Math.floor(((index + 1) * length) / count))];
}
