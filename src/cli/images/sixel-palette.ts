import type { Pixels } from "./decode-pixels.ts";

/** Terminals have as many colour registers, and no more. */
const mostColours = 256;
/** Pixels less opaque than this are left out. */
const opaque = 128;

/** At most 256 colours for an image, and which of them each pixel has; -1 where it has none. */
export interface Palette {
  colours: readonly (readonly [red: number, green: number, blue: number])[];
  indices: Int16Array;
}

interface Bucket {
  count: number;
  sum: [number, number, number];
}

/** The most frequent colours, alike ones (of five bits a part) as one; any other pixel has the nearest of them. */
export function paletteOf({ width, height, rgba }: Pixels): Palette {
  const buckets = new Map<number, Bucket>();
  const keys = new Int32Array(width * height).fill(-1);
  for (let at = 0; at < keys.length; at += 1) {
    const [red = 0, green = 0, blue = 0, alpha = 0] = rgba.subarray(at * 4, at * 4 + 4);
    if (alpha < opaque) continue;
    const key = ((red >> 3) << 10) | ((green >> 3) << 5) | (blue >> 3);
    keys[at] = key;
    const bucket = buckets.get(key) ?? { count: 0, sum: [0, 0, 0] };
    bucket.count += 1;
    bucket.sum = [bucket.sum[0] + red, bucket.sum[1] + green, bucket.sum[2] + blue];
    buckets.set(key, bucket);
  }
  const colours = [...buckets.values()]
    .toSorted((one, other) => other.count - one.count)
    .slice(0, mostColours)
    .map(
      ({ count, sum: [red, green, blue] }) => [red / count, green / count, blue / count] as const,
    );
  const nearest = new Map<number, number>();
  for (const [key, { count, sum }] of buckets) {
    let best = 0;
    let least = Infinity;
    for (const [index, [red, green, blue]] of colours.entries()) {
      const away =
        (red - sum[0] / count) ** 2 + (green - sum[1] / count) ** 2 + (blue - sum[2] / count) ** 2;
      if (away < least) [best, least] = [index, away];
    }
    nearest.set(key, best);
  }
  return { colours, indices: Int16Array.from(keys, (key) => nearest.get(key) ?? -1) };
}
