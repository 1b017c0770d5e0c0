import { AppError } from "./errors.ts";

declare const canonicalUrl: unique symbol;
/** A server's identity: what profiles are keyed by. Made by `parseServerUrl` only. */
export type CanonicalUrl = string & { readonly [canonicalUrl]: true };

/** A server's address as a person gave it, understood. */
export interface ServerUrl {
  /**
   * Scheme, host and path prefix: one name for one server, however its address is written. The three names
   * of the loopback interface are one, written as the literal that no name server can point elsewhere.
   */
  canonical: CanonicalUrl;
  /** The address as it was given, normalised by the URL standard, without fragment. */
  endpoint: string;
  loopback: boolean;
}

/** Parameters that carry a credential by their name; `-` and `_` are left out before the comparison. */
const credentialParameter =
  /^(?:(?:access|auth|id|refresh|session|bearer|api|secret)?token|(?:x?api|access|auth|secret|private|subscription)?key|(?:client)?secret|password|passwd|pwd|pass|auth|authorization|bearer|jwt|credentials?|code|sig|signature)$/iu;

/** Values that are a credential whatever their parameter is called: our own, well-known prefixes, a JWT. */
const credentialValue = /^(?:od_|sk-|sk_|gh[opsu]_|github_pat_|xox[abp]-|glpat-|eyJ[\w-]+\.)/u;

/** Longer than any address of a server, short enough for every check here. */
const maxLength = 2048;

const sameLoopbackNames = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Whether a host (a name or literal, brackets and one trailing dot allowed, no port) is this machine's
 * loopback interface: `localhost`, 127.0.0.0/8 (RFC 1122 §3.2.1.3), `::1`. Names below `.localhost` are not
 * taken for it, because not every resolver keeps them on the machine. Mapped addresses are not either.
 */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/u, "");
  if (name === "localhost" || name === "::1" || name === "[::1]") return true;
  return /^127(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/u.test(name);
}

function usage(message: string, correction?: string): AppError {
  return new AppError("usage", message, {
    hint: correction === undefined ? undefined : `Did you mean ${correction}`,
  });
}

/** Enough of a rejected address to recognise it; nothing that could be a credential. */
function shown(text: string): string {
  return /[@?#\s\p{Cc}]/u.test(text) || text.length > 200 ? "The URL" : `"${text}"`;
}

/** Reads `text` with a scheme that it lacks, for the correction that is offered. */
function withScheme(text: string): string | undefined {
  const rest = text.replace(/^[a-z][a-z\d+.-]*:(?=\D|$)\/*|^\/+/iu, "");
  if (rest === "" || !URL.canParse(`https://${rest}`)) return undefined;
  const url = new URL(`https://${rest}`);
  return bare(url, isLoopbackHost(url.hostname) ? "http:" : "https:", url.host);
}

/** The address without credentials, query and fragment. */
function bare(url: URL, protocol = url.protocol, host = url.host): string {
  return `${protocol}//${host}${url.pathname === "/" ? "" : url.pathname}`;
}

function carriesCredential(url: URL): boolean {
  const fragment = new URLSearchParams(url.hash.slice(1));
  return [...url.searchParams, ...fragment].some(
    ([name, value]) =>
      credentialParameter.test(name.replaceAll(/[-_]/gu, "")) || credentialValue.test(value),
  );
}

/**
 * An IPv6 literal that means an IPv4 address: mapped (RFC 4291 §2.5.5.2), translated (RFC 2765) or
 * compatible (deprecated). Returns the IPv4 address; `::` and `::1` are not among them.
 */
function embeddedIpv4(hostname: string): string | undefined {
  const match =
    /^\[::(?:ffff:(?:0:)?)?(?:([\da-f]{1,4}):)?([\da-f]{1,4})\]$/u.exec(hostname) ?? undefined;
  if (!match || hostname === "[::1]") return undefined;
  const high = Number.parseInt(match[1] ?? "0", 16);
  const low = Number.parseInt(match[2] ?? "0", 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/**
 * Whether a host of a `URL` is this machine in whatever clothes: loopback, what names below `.localhost` resolve to on
 * most machines, the addresses to listen on, and what of these IPv6 embeds. Wider than `isLoopbackHost`: it is for what
 * must not come here from elsewhere, or leave from here.
 */
export function isThisMachine(hostname: string): boolean {
  const name = hostname.replace(/\.$/u, "");
  const address = embeddedIpv4(name) ?? name;
  return (
    isLoopbackHost(address) ||
    address.endsWith(".localhost") ||
    address === "0.0.0.0" ||
    address === "[::]"
  );
}

/** Host in canonical spelling. `URL` has already made it lower case and punycode. */
function canonicalHost(hostname: string): string {
  const name = hostname.replace(/\.$/u, "");
  return sameLoopbackNames.has(name) ? "127.0.0.1" : name;
}

/** Percent-encoding in one spelling (RFC 3986 §6.2.2): unreserved characters plain, hex in upper case. */
function normalisePath(pathname: string): string {
  return pathname.replace(/%[\da-f]{2}/giu, (triplet) => {
    const character = String.fromCodePoint(Number.parseInt(triplet.slice(1), 16));
    return /[\w.~-]/u.test(character) ? character : triplet.toUpperCase();
  });
}

/**
 * What stands for the server in a path: without trailing `/`, and without `/mcp` and `/sse` at the end,
 * repeated, so that the key of a key is the key itself.
 */
function pathPrefix(pathname: string): string {
  return normalisePath(pathname).replace(/(?:\/(?:mcp|sse)?)+$/u, "");
}

const encodedSlash = /%(?:2f|5c)/iu;

function checkHost(url: URL): void {
  const port = url.port === "" ? "" : `:${url.port}`;
  const corrected = (host: string): string => bare(url, url.protocol, `${host}${port}`);
  const { hostname } = url;
  if (/^0\.\d+\.\d+\.\d+$/u.test(hostname)) {
    throw usage(
      `${hostname} is an address to listen on, not one to connect to`,
      corrected("127.0.0.1"),
    );
  }
  if (hostname === "[::]") {
    throw usage("[::] is an address to listen on, not one to connect to", corrected("[::1]"));
  }
  const ipv4 = embeddedIpv4(hostname);
  if (ipv4 !== undefined) {
    throw usage(`${hostname} is an IPv4 address in the clothes of IPv6`, corrected(ipv4));
  }
  if (/^\.|\.\.|\.\.$/u.test(hostname) || hostname === "") {
    throw usage("The URL's host name has an empty part");
  }
}

/**
 * Understands a server's address and gives it its canonical name (contract "URL keys").
 * @param text as a person typed it; white space around it does not count
 * @param options.insecureHttp take plain `http` to a host that is not loopback
 * @throws AppError `usage`, with the corrected address in the hint where there is one. A credential in the
 *   address is refused and never repeated.
 */
export function parseServerUrl(text: string, options: { insecureHttp?: boolean } = {}): ServerUrl {
  const trimmed = text.trim();
  if (trimmed === "") throw usage("The URL is empty");
  if (trimmed.length > maxLength) throw usage(`The URL is longer than ${maxLength} characters`);
  if (/[\s\p{Cc}\p{Cf}\\]/u.test(trimmed)) {
    throw usage("The URL holds white space, a backslash or a control character");
  }
  const scheme = /^([a-z][a-z\d+.-]*):\/\//iu.exec(trimmed)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    throw usage(`${shown(trimmed)} has no scheme (http:// or https://)`, withScheme(trimmed));
  }
  if (scheme !== "http" && scheme !== "https") {
    throw usage(
      `${scheme}:// is not spoken here; only http:// and https:// are`,
      withScheme(trimmed),
    );
  }
  if (!URL.canParse(trimmed)) throw usage(`${shown(trimmed)} is not a valid URL`);
  const url = new URL(trimmed);
  // `https://@host` parses to empty credentials; whoever wrote it meant some.
  if (url.username !== "" || url.password !== "" || /^[^/]*\/\/[^/?#]*@/u.test(trimmed)) {
    throw usage(
      "The URL holds credentials; give the token with --token or on stdin instead",
      bare(url),
    );
  }
  if (carriesCredential(url)) {
    throw usage(
      "The URL holds what looks like a token; give it with --token or on stdin instead",
      bare(url),
    );
  }
  if (encodedSlash.test(url.pathname)) {
    throw usage(
      "The URL's path holds an encoded slash, which servers read in different ways",
      bare(url).replaceAll(/%2f|%5c/giu, "/"),
    );
  }
  checkHost(url);
  const loopback = isLoopbackHost(url.hostname);
  if (url.protocol === "http:" && !loopback && options.insecureHttp !== true) {
    throw new AppError(
      "usage",
      `${bare(url)} would carry the token unencrypted: only https is taken beyond this machine`,
      { hint: `Did you mean ${bare(url, "https:")} (or add --insecure-http)` },
    );
  }
  url.hash = "";
  return { canonical: canonicalOf(url), endpoint: url.href, loopback };
}

function canonicalOf(url: URL): CanonicalUrl {
  const port = url.port === "" ? "" : `:${url.port}`;
  const host = canonicalHost(url.hostname);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place that makes this type
  return `${url.protocol}//${host}${port}${pathPrefix(url.pathname)}` as CanonicalUrl;
}

/**
 * Whether a request address lies within a profile's origin and path prefix, compared by whole segments:
 * the rule that says where a bearer may go. False for anything that is not a plain http(s) address.
 */
export function covers(profileUrl: CanonicalUrl, requestUrl: string): boolean {
  if (!URL.canParse(requestUrl) || !URL.canParse(profileUrl)) return false;
  const request = new URL(requestUrl);
  if (request.username !== "" || request.password !== "") return false;
  if (encodedSlash.test(request.pathname) || requestUrl.includes("\\")) return false;
  const profile = new URL(profileUrl);
  if (request.protocol !== profile.protocol || request.port !== profile.port) return false;
  if (canonicalHost(request.hostname) !== canonicalHost(profile.hostname)) return false;
  const prefix = pathPrefix(profile.pathname);
  const path = normalisePath(request.pathname);
  return path === prefix || path.startsWith(`${prefix}/`);
}
