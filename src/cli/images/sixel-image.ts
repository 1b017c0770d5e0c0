import type { Pixels } from "./decode-pixels.ts";
import { scalePixels } from "./scale-pixels.ts";
import { paletteOf } from "./sixel-palette.ts";

/** Rows of pixels in a band: one bit each of a character. */
const bandHeight = 6;

/** An image as sixels (DEC STD 070), no wider and no taller than that. */
export function sixelImage(given: Pixels, widest: number, tallest: number): string {
  const pixels = scalePixels(given, widest, tallest);
  const { width, height } = pixels;
  const { colours, indices } = paletteOf(pixels);
  const registers = colours.map(
    (parts, index) => `#${index};2;${parts.map((part) => Math.round(part / 2.55)).join(";")}`,
  );
  const bands: string[] = [];
  for (let top = 0; top < height; top += bandHeight) {
    const rows = new Map<number, Uint8Array>();
    const bottom = Math.min(height, top + bandHeight);
    for (let y = top; y < bottom; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const colour = indices[y * width + x] ?? -1;
        if (colour < 0) continue;
        const row = rows.get(colour) ?? new Uint8Array(width);
        row[x] = (row[x] ?? 0) | (1 << (y - top));
        rows.set(colour, row);
      }
    }
    bands.push([...rows].map(([colour, row]) => `#${colour}${sixelsOf(row)}`).join("$"));
  }
  // What is transparent stays as the terminal has it (1).
  return `\u001bP0;1;0q"1;1;${width};${height}${registers.join("")}${bands.join("-")}\u001b\\`;
}

function sixelsOf(row: Uint8Array): string {
  let sixels = "";
  for (let at = 0; at < row.length;) {
    let end = at + 1;
    while (end < row.length && row[end] === row[at]) end += 1;
    const sixel = String.fromCharCode(63 + (row[at] ?? 0));
    sixels += end - at > 3 ? `!${end - at}${sixel}` : sixel.repeat(end - at);
    at = end;
  }
  return sixels;
}
