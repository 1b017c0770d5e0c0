import { createHash } from "node:crypto";

/** SHA-256 of a text, in hex: whether two processes speak of the same one. */
export function textFingerprint(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
