import type { CanonicalUrl } from "../core/url.ts";

export const storeKinds = ["keychain", "file"] as const;
export type StoreKind = (typeof storeKinds)[number];

/** Where a profile's token came from when it was saved. */
export const profileSources = [
  "option",
  "stdin",
  "local",
  "web",
  "device",
  "client",
  "password",
] as const;
export type ProfileSource = (typeof profileSources)[number];

/** A profile's key: canonical URL and name. */
export interface ProfileKey {
  url: CanonicalUrl;
  /** Several profiles may be kept for one URL; `default` unless `--profile` named it. */
  name: string;
}

/** What sign-in knows about a profile before it is saved. */
export interface ProfileDraft extends ProfileKey {
  /** The endpoint as it was given. */
  endpoint: string;
  /**
   * Set where the name in `endpoint` stands for several loopback addresses: the endpoint with the literal
   * address that was verified. Requests go there.
   */
  verifiedEndpoint?: string | undefined;
  source: ProfileSource;
  /** What answers there: a OneDoor gateway (REST fast path) or any MCP server; absent: nobody asked yet. */
  server?: "onedoor" | "mcp" | undefined;
  /** Set for minted local tokens: the only instance the token may be sent to. */
  instanceId?: string | undefined;
  /** The server's own id for the token, where it told one. */
  tokenId?: string | undefined;
  /** What the server said at sign-in; for display when it cannot be asked. */
  who?: string | undefined;
  role?: string | undefined;
  /** Milliseconds since the epoch; absent when the server does not say. */
  expiresAtMs?: number | undefined;
  /** The authorization server that issued it, and the scopes granted; for display, as above. */
  issuer?: string | undefined;
  scope?: string | undefined;
}

/** The metadata of one bearer profile; the secret lives in its credential store. */
export interface Profile extends ProfileDraft {
  store: StoreKind;
  /** When it was first signed in. */
  createdAtMs: number;
  /** When its token was last got anew; absent: at `createdAtMs`. */
  renewedAtMs?: number | undefined;
  /** Whether what is kept with its token gets another one without a person; for display: that is in the secret. */
  renews?: boolean | undefined;
  /** When `auth switch` last chose it: the latest choice is the default, for its URL and over all. */
  chosenAtMs?: number | undefined;
}

/** Where requests made with this profile go. */
export function addressOf(profile: ProfileDraft): string {
  return profile.verifiedEndpoint ?? profile.endpoint;
}
