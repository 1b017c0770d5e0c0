import { Buffer } from "node:buffer";

/** What the first bytes of an image say of it, whatever its server calls it. */
export interface ImageHeader {
  kind: "png" | "jpeg" | "gif";
  width: number;
  height: number;
  /** How often a decoder goes over all pixels; known before it does. */
  scans: number;
}

const pngSignature = Buffer.from("89504e470d0a1a0a", "hex");

/** Undefined for what is no image of these kinds, and for one without a size. */
export function readImageHeader(given: Uint8Array): ImageHeader | undefined {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  const header = pngHeader(bytes) ?? gifHeader(bytes) ?? jpegHeader(bytes);
  return header === undefined || header.width < 1 || header.height < 1 ? undefined : header;
}

function pngHeader(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < 33 || !bytes.subarray(0, 8).equals(pngSignature)) return undefined;
  if (bytes.toString("latin1", 12, 16) !== "IHDR") return undefined;
  return { kind: "png", width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), scans: 1 };
}

function gifHeader(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < 13 || !/^GIF8[79]a$/u.test(bytes.toString("latin1", 0, 6))) return undefined;
  return { kind: "gif", width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8), scans: 1 };
}

/** ITU-T T.81, B.2: the first frame header says the size; each scan header is a way over its pixels. */
function jpegHeader(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined;
  let size: { width: number; height: number } | undefined;
  let scans = 0;
  let at = 2;
  while (at + 4 <= bytes.length) {
    // Within a scan a 0xff that begins no marker is followed by zero or a restart.
    at = bytes.indexOf(0xff, at);
    if (at === -1 || at + 4 > bytes.length) break;
    const marker = bytes[at + 1] ?? 0;
    const isSegment = marker >= 0xc0 && marker < 0xff && (marker < 0xd0 || marker > 0xd9);
    if (!isSegment) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    const isFrame = marker < 0xd0 && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) {
      // A second frame is nothing that anybody writes.
      if (size !== undefined || at + 9 > bytes.length) return undefined;
      size = { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    }
    if (marker === 0xda) scans += 1;
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return size === undefined ? undefined : { kind: "jpeg", ...size, scans: Math.max(1, scans) };
}
