import { Buffer } from "node:buffer";
import { deflateSync } from "node:zlib";
import type { Pixels } from "./decode-pixels.ts";
import { scalePixels } from "./scale-pixels.ts";

/** The most base64 that one escape sequence of the protocol may bring. */
const chunkLength = 4096;
/** Pixels cost far more bytes than the file did; no terminal is much wider. */
const widest = 2048;

/**
 * A PNG for the kitty graphics protocol, as it is. The terminal is asked not to answer.
 * @param columns how many columns to draw it over; absent: its own size
 */
export function kittyPng(bytes: Uint8Array, columns: number | undefined): string {
  return sequences("f=100", bytes, columns);
}

/** Any other image, decoded, for the same protocol. */
export function kittyPixels(pixels: Pixels, columns: number | undefined): string {
  const { width, height, rgba } = scalePixels(pixels, widest, widest);
  return sequences(`f=32,s=${width},v=${height},o=z`, deflateSync(rgba), columns);
}

function sequences(form: string, data: Uint8Array, columns: number | undefined): string {
  const base64 = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
  const keys = `a=T,${form},q=2${columns === undefined ? "" : `,c=${columns}`}`;
  const parts: string[] = [];
  for (let at = 0; at < base64.length; at += chunkLength) {
    const more = at + chunkLength < base64.length ? 1 : 0;
    const start = at === 0 ? `${keys},` : "";
    parts.push(`\u001b_G${start}m=${more};${base64.slice(at, at + chunkLength)}\u001b\\`);
  }
  return parts.join("");
}
