import { isJsonObject, parseJson } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { isLoopbackHost } from "../../core/url.ts";
import { AuthServerUnavailable } from "./ask-auth-server.ts";
import type { AskAuthServer } from "./ask-auth-server.ts";

/** What of an issuer's metadata is used here. */
export type IssuerEndpoint = "jwks_uri" | "introspection_endpoint" | "revocation_endpoint";

export interface IssuerMetadata {
  /**
   * Where an endpoint of the issuer is. An answer is used for an hour, and for a day when no newer one can be got;
   * whoever asks meanwhile shares one search.
   * @throws AuthServerUnavailable when the metadata cannot be read, is another issuer's, or does not name it
   */
  endpoint(name: IssuerEndpoint): Promise<string>;
}

const freshMs = 3_600_000;
const maxAgeMs = 24 * freshMs;
/** How long a failure is the answer for everybody. */
const retryMs = 5000;
/** After this no further document is looked for: callers are waiting. */
const searchMs = 5000;
const headers = { accept: "application/json" };

interface Found {
  url: string;
  foundAtMs: number;
}

/**
 * Finds an issuer's endpoints by its metadata (RFC 8414 §3, then OpenID Connect Discovery §4). A document that does
 * not name this very issuer, to the letter, is not used (RFC 8414 §3.3).
 * @param options.issuer an http(s) URL without query and fragment
 */
export function createIssuerMetadata(options: {
  issuer: string;
  ask: AskAuthServer;
  /** Milliseconds since the epoch. */
  now: () => number;
}): IssuerMetadata {
  const { issuer, ask, now } = options;
  const known = new Map<IssuerEndpoint, Found>();
  const failed = new Map<IssuerEndpoint, { error: AuthServerUnavailable; atMs: number }>();
  const searches = new Map<IssuerEndpoint, Promise<string>>();

  /** Not so where the clock was put back: how long ago that is may be anything then. */
  const isWithin = (sinceMs: number, spanMs: number): boolean => {
    const passedMs = now() - sinceMs;
    return passedMs >= 0 && passedMs < spanMs;
  };

  const search = async (name: IssuerEndpoint): Promise<string> => {
    let failure = new AuthServerUnavailable("No metadata of the issuer was found");
    const endMs = now() + searchMs;
    for (const url of metadataUrls(issuer)) {
      if (now() >= endMs) break;
      try {
        const { status, body } = await ask({ method: "GET", url, headers });
        const document = status === 200 ? objectOf(body) : undefined;
        if (document !== undefined) return endpointIn(document, name, issuer);
      } catch (error) {
        if (!(error instanceof AuthServerUnavailable)) throw error;
        failure = error;
      }
    }
    throw failure;
  };

  const renew = async (name: IssuerEndpoint): Promise<string> => {
    try {
      const url = await search(name);
      known.set(name, { url, foundAtMs: now() });
      failed.delete(name);
      return url;
    } catch (error) {
      if (!(error instanceof AuthServerUnavailable)) throw error;
      failed.set(name, { error, atMs: now() });
      return whatIsKnown(name, error);
    } finally {
      searches.delete(name);
    }
  };
  const whatIsKnown = (name: IssuerEndpoint, error: AuthServerUnavailable): string => {
    const found = known.get(name);
    if (found !== undefined && isWithin(found.foundAtMs, maxAgeMs)) return found.url;
    throw error;
  };

  return {
    async endpoint(name) {
      const found = known.get(name);
      if (found !== undefined && isWithin(found.foundAtMs, freshMs)) return found.url;
      const failure = failed.get(name);
      if (failure !== undefined && isWithin(failure.atMs, retryMs)) {
        return whatIsKnown(name, failure.error);
      }
      let running = searches.get(name);
      if (running === undefined) {
        running = renew(name);
        searches.set(name, running);
      }
      return running;
    },
  };
}

/** In the order in which they are asked; the second is where most issuers with a path have theirs. */
export function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/u, "");
  const openid = ".well-known/openid-configuration";
  const urls = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/${openid}`,
    `${origin}/${openid}${path}`,
  ];
  return [...new Set(urls)];
}

/** @throws AuthServerUnavailable */
function endpointIn(document: JsonObject, name: IssuerEndpoint, issuer: string): string {
  const endpoint = document[name];
  if (document["issuer"] !== issuer) {
    throw new AuthServerUnavailable("The metadata names another issuer");
  }
  if (isEndpoint(endpoint, issuer)) return endpoint;
  throw new AuthServerUnavailable(`The metadata of the issuer has no usable ${name}`);
}

function objectOf(body: string): JsonObject | undefined {
  try {
    const value = parseJson(body);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Plain http only where the issuer itself is spoken to so, and from this machine to this machine only. */
function isEndpoint(value: Json | undefined, issuer: string): value is string {
  if (typeof value !== "string" || !URL.canParse(value)) return false;
  const { protocol, hostname, username, password, hash } = new URL(value);
  if (username !== "" || password !== "" || hash !== "") return false;
  if (protocol === "https:") return true;
  const { protocol: issuerProtocol, hostname: issuerHost } = new URL(issuer);
  if (protocol !== "http:" || issuerProtocol !== "http:") return false;
  return isLoopbackHost(hostname) || !isLoopbackHost(issuerHost);
}
