declare const canonicalUrl: unique symbol;
/** A server's identity: what profiles are keyed by. Made by `parseServerUrl` only. */
export type CanonicalUrl = string & { readonly [canonicalUrl]: true };
