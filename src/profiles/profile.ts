import type { CanonicalUrl } from "../core/url.ts";

export type StoreKind = "keychain" | "file";

/** Where a profile's token came from when it was saved. */
export type ProfileSource = "option" | "stdin" | "local";

/** The metadata of one bearer profile; the secret lives in its credential store. */
export interface Profile {
  /** The canonical URL (scheme, host, path prefix) it belongs to. */
  url: CanonicalUrl;
  /** The endpoint as it was given and verified; requests go there. */
  endpoint: string;
  /** Several profiles may be kept for one URL; `default` unless `--profile` named it. */
  name: string;
  store: StoreKind;
  source: ProfileSource;
  /** What answers there: a OneDoor gateway (REST fast path) or any MCP server. */
  server: "onedoor" | "mcp";
  /** Set for minted local tokens: the only instance the token may be sent to. */
  instanceId?: string | undefined;
  /** The server's own id for the token, where it told one (revocation). */
  tokenId?: string | undefined;
  /** What the server said at sign-in; for display when it cannot be asked. */
  who?: string | undefined;
  role?: string | undefined;
  createdAtMs: number;
  /** Milliseconds since the epoch; absent when the server does not say. */
  expiresAtMs?: number | undefined;
}

/** A profile's key: canonical URL and name. */
export interface ProfileKey {
  url: CanonicalUrl;
  name: string;
}
