import { Buffer } from "node:buffer";

/**
 * An image for iTerm2's protocol (OSC 1337), which takes files as they are.
 * @param whole whether it is to be as wide as the terminal; else it has its own size
 */
export function itermImage(bytes: Uint8Array, whole: boolean): string {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  const width = whole ? ";width=100%" : "";
  return `\u001b]1337;File=inline=1;size=${bytes.length}${width}:${base64}\u0007`;
}
