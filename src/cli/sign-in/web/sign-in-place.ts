import type { AuthorizationServer } from "../../../oauth/oauth.ts";

/** Where a person signs in, and for whom where that is somebody else. A URL's host is ASCII, whatever its name is. */
export interface SignInPlace {
  host: string;
  /** Other hosts that the answer goes to: the issuer's and the token endpoint's. */
  others: readonly string[];
}

/** @param address of the page that the person signs in at, or of what is asked in its place */
export function signInPlace(
  address: string,
  { issuer, tokenEndpoint }: Pick<AuthorizationServer, "issuer" | "tokenEndpoint">,
): SignInPlace {
  const { host } = new URL(address);
  const hosts = new Set([host, new URL(issuer).host, new URL(tokenEndpoint).host]);
  hosts.delete(host);
  return { host, others: [...hosts] };
}

/** `good.example`, or `good.example, for evil.example`. */
export function sayPlace({ host, others }: SignInPlace): string {
  return others.length === 0 ? host : `${host}, for ${others.join(" and ")}`;
}
