import { createHash } from "node:crypto";

/** What every token minted by a gateway begins with; a token of this form is shown to no remote server. */
export const mintedTokenPrefix = "od_";

const mintedToken = /^od_[\w-]{43}$/;

/** Exactly what this gateway mints: the prefix and 32 bytes in base64url. */
export function isMintedToken(bearer: string): boolean {
  return mintedToken.test(bearer);
}

/** A new token. @param randomBytes a cryptographic source: `node:crypto`'s */
export function newMintedToken(randomBytes: (size: number) => Uint8Array): string {
  return `${mintedTokenPrefix}${Buffer.from(randomBytes(32)).toString("base64url")}`;
}

/**
 * The form in which a minted token is stored: SHA-256 in hex. The token holds 256 random bits, so nothing
 * slower would protect it better.
 */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
