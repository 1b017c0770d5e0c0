import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * What one side of the local proof vouches for. Both nonces make it fresh, the role keeps one side's
 * proof from passing as the other's, and the address keeps it from being relayed from another port.
 */
export interface ProofClaims {
  /** `administrator`: a client that asks for a token good for the administration only. */
  role: "gateway" | "client" | "administrator";
  clientNonce: string;
  serverNonce: string;
  instanceId: string;
  /** The literal address the client dialled: `127.0.0.1:3050`, `[::1]:3050`. */
  address: string;
}

/** HMAC-SHA256 (RFC 2104) in base64url. JSON of an array of strings can be read in one way only. */
export function proofOf(secret: string, claims: ProofClaims): string {
  const { role, clientNonce, serverNonce, instanceId, address } = claims;
  const message = ["onedoor local proof v1", role, clientNonce, serverNonce, instanceId, address];
  return createHmac("sha256", Buffer.from(secret, "base64url"))
    .update(JSON.stringify(message))
    .digest("base64url");
}

/** Compares in constant time. */
export function isProof(secret: string, claims: ProofClaims, given: string): boolean {
  const expected = Buffer.from(proofOf(secret, claims));
  const shown = Buffer.from(given);
  return expected.length === shown.length && timingSafeEqual(expected, shown);
}

/**
 * `ip:port` in the one spelling both sides use: IPv6 in brackets, an IPv4 address that a dual-stack socket
 * shows as `::ffff:127.0.0.1` as plain IPv4. Takes the IP with or without brackets.
 */
export function dialledAddress(ip: string, port: number | string): string {
  const bare = ip.replace(/^\[|\]$/g, "").toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1];
  const host = mapped ?? bare;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Brings `ip:port` text into the spelling of `dialledAddress`; the port is what follows the last colon. */
export function canonicalAddress(address: string): string {
  const colon = address.lastIndexOf(":");
  return dialledAddress(address.slice(0, Math.max(colon, 0)), address.slice(colon + 1));
}

const nonceShape = /^[\w-]{22,128}$/;

/** base64url of at least 128 bits. */
export function isNonce(value: unknown): value is string {
  return typeof value === "string" && nonceShape.test(value);
}
