import { Buffer } from "node:buffer";
import { inflateSync } from "node:zlib";
import { convertIndexedToRgb, decode as decodePng } from "fast-png";
import { decode as decodeJpeg } from "jpeg-js";
import type { ImageHeader } from "./image-header.ts";

/** Four bytes for each pixel: red, green, blue, opacity. */
export interface Pixels {
  width: number;
  height: number;
  rgba: Uint8Array;
}

/** @throws Error for what cannot be decoded, or is more than its header says */
export function decodePixels(bytes: Uint8Array, { kind, width, height }: ImageHeader): Pixels {
  if (kind === "jpeg") {
    const options = {
      useTArray: true,
      formatAsRGBA: true,
      tolerantDecoding: true,
      maxResolutionInMP: 9,
      maxMemoryUsageInMB: 512,
    } as const;
    const { data, ...size } = decodeJpeg(bytes, options);
    return { ...size, rgba: data };
  }
  if (kind === "gif") throw new Error("GIF is not decoded here");
  return pngPixels(bytes, width, height);
}

function pngPixels(bytes: Uint8Array, width: number, height: number): Pixels {
  const png = decodePng(plainPng(bytes, width, height));
  const { palette } = png;
  const data = palette === undefined ? png.data : convertIndexedToRgb(png);
  const channels = palette === undefined ? png.channels : (palette[0]?.length ?? 3);
  const count = width * height;
  if (data.length < count * channels) throw new Error("The image is shorter than its header says");
  // Of sixteen bits the upper eight; of fewer than eight as many as there are.
  const shift = png.depth === 16 ? 8 : 0;
  const scale = palette === undefined && png.depth < 8 ? 255 / (2 ** png.depth - 1) : 1;
  const rgba = new Uint8Array(count * 4);
  const at = (index: number): number => ((data[index] ?? 0) >> shift) * scale;
  for (let pixel = 0; pixel < count; pixel += 1) {
    const from = pixel * channels;
    const grey = channels < 3;
    rgba[pixel * 4] = at(from);
    rgba[pixel * 4 + 1] = at(grey ? from : from + 1);
    rgba[pixel * 4 + 2] = at(grey ? from : from + 2);
    rgba[pixel * 4 + 3] = channels % 2 === 0 ? at(from + channels - 1) : 255;
  }
  return { width, height, rgba };
}

/**
 * The parts of a PNG that make its pixels, and nothing else: what is compressed in other chunks is never unpacked, and
 * of the pixels no more than the header says.
 */
function plainPng(given: Uint8Array, width: number, height: number): Uint8Array {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  const kept = [bytes.subarray(0, 8)];
  const data: Buffer[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const end = at + 12 + length;
    if (end > bytes.length) break;
    const type = bytes.toString("latin1", at + 4, at + 8);
    if (type === "IDAT") data.push(bytes.subarray(at + 8, end - 4));
    if (["IHDR", "PLTE", "tRNS", "IDAT", "IEND"].includes(type)) kept.push(bytes.subarray(at, end));
    at = end;
  }
  // A filter byte for each line, of each of the seven passes too, and at most eight bytes a pixel.
  inflateSync(Buffer.concat(data), { maxOutputLength: width * height * 8 + (height + 8) * 8 });
  return Buffer.concat(kept);
}
