/** A certificate with its chain, and the private key that fits it, both as they stand in their files (PEM). */
export interface TlsMaterial {
  cert: string;
  key: string;
  /** SHA-256 of the certificate itself (DER), in lower-case hex: what local programs expect to be shown. */
  fingerprint: string;
  /** Milliseconds since the epoch, as the next. */
  validFromMs: number;
  validToMs: number;
}
