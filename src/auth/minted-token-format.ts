import { hash, timingSafeEqual } from "node:crypto";

/** What every token minted by a gateway begins with; a token of this form is shown to no remote server. */
export const mintedTokenPrefix = "od_";

const mintedToken = /^od_[\w-]{43}$/;

/** Exactly what this gateway mints: the prefix and 32 bytes in base64url. */
export function isMintedToken(bearer: string): boolean {
  return mintedToken.test(bearer);
}

/** Whether one stands anywhere in a text, as where somebody pasted more than was asked for. */
export function holdsMintedToken(text: string): boolean {
  return /od_[\w-]{43}/.test(text);
}

/** A new token. @param randomBytes a cryptographic source: `node:crypto`'s */
export function newMintedToken(randomBytes: (size: number) => Uint8Array): string {
  return tokenOf(randomBytes(32));
}

function tokenOf(bytes: Uint8Array): string {
  return `${mintedTokenPrefix}${Buffer.from(bytes).toString("base64url")}`;
}

const familyBytes = 16;

/** What all refresh tokens of a new session begin with. @param randomBytes a cryptographic source: `node:crypto`'s */
export function newRefreshFamily(randomBytes: (size: number) => Uint8Array): Uint8Array {
  return randomBytes(familyBytes);
}

/** The next refresh token of a family: in the form of every minted token, half of it new. */
export function newRefreshToken(
  family: Uint8Array,
  randomBytes: (size: number) => Uint8Array,
): string {
  return tokenOf(Buffer.concat([family, randomBytes(32 - familyBytes)]));
}

/** The family of a refresh token; of any other minted token 16 bytes that no session has. */
export function refreshFamilyOf(token: string): Uint8Array {
  const bytes = Buffer.from(token.slice(mintedTokenPrefix.length), "base64url");
  return bytes.subarray(0, familyBytes);
}

/** The form in which a family is stored: SHA-256 in hex. */
export function hashRefreshFamily(family: Uint8Array): string {
  return hash("sha256", family);
}

/** Whether two stored forms are the same, in a time that does not tell how much of them is. */
export function isSameHash(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/**
 * The form in which a minted token is stored: SHA-256 in hex. The token holds 256 random bits (a refresh token
 * 128 beside its family), so nothing slower would protect it better.
 */
export function hashToken(token: string): string {
  return hash("sha256", token);
}
