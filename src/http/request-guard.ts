import type { IncomingMessage, ServerResponse } from "node:http";
import type { Configuration } from "../core/configuration.ts";
import { isLoopbackHost } from "../core/url.ts";
import { HttpError } from "./error-answer.ts";
import { headerValues } from "./header-values.ts";

/** What every request must pass before anything else looks at it. */
export interface RequestGuard {
  /**
   * Checks target, Host and Origin, and sets the headers that follow from them.
   * @returns true when the request was a CORS preflight and only needs its (empty) answer
   * @throws HttpError 400 or 403
   */
  admit(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Headers that a reverse proxy adds: who sends them is not this machine's user. */
const forwardingHeaders = [
  "forwarded",
  "via",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "true-client-ip",
  "cf-connecting-ip",
];

export function isForwarded({ headers }: Pick<IncomingMessage, "headers">): boolean {
  return (
    forwardingHeaders.some((name) => headers[name] !== undefined) ||
    Object.keys(headers).some((name) => name.startsWith("x-forwarded-"))
  );
}

/** Whether a page's script sent it, or could have: browsers always send one of these with `fetch`. */
export function isFromBrowser({ headers }: Pick<IncomingMessage, "headers">): boolean {
  return (
    headers.origin !== undefined ||
    Object.keys(headers).some((name) => name.startsWith("sec-fetch-"))
  );
}

/** The host name of a `Host` header, without port; undefined when it is not a valid one (RFC 9110 §7.2). */
export function hostnameOf(host: string | undefined): string | undefined {
  const match = /^(\[[\da-f:.]+\]|[a-z\d._-]+)(?::(\d{1,5}))?$/iu.exec(host ?? "");
  if (match?.[1] === undefined || Number(match[2] ?? 0) > 65_535) return undefined;
  return match[1].toLowerCase().replace(/\.$/u, "");
}

export function createRequestGuard(
  configuration: Pick<Configuration, "externalUrl" | "allowedHosts" | "allowedOrigins" | "auth">,
): RequestGuard {
  const external =
    configuration.externalUrl === undefined ? undefined : new URL(configuration.externalUrl);
  const hosts = new Set(configuration.allowedHosts.map((host) => host.toLowerCase()));
  const origins = new Set(configuration.allowedOrigins.map(canonicalOrigin));
  if (external !== undefined) origins.add(external.origin);
  const open = configuration.auth.some(({ type }) => type === "none");

  /**
   * Whether browsers are told to come to `externalUrl` by https only (RFC 6797). They take it for all ports of a
   * host, so not where another port than the usual one is named, and never for this machine's own names.
   */
  const isStrict =
    external?.protocol === "https:" && external.port === "" && !isLoopbackHost(external.hostname);

  /** The last `Host` that was one of ours: nearly all requests have the same. */
  let known: string | undefined;

  /** Guards against DNS rebinding: a page's own name, pointed at this machine, is no name of ours. */
  const isOurHost = (header: string): boolean => {
    if (header === known) return true;
    const hostname = hostnameOf(header);
    if (hostname === undefined) return false;
    const isOurs =
      isLoopbackHost(hostname) ||
      hostname === external?.hostname ||
      hosts.has(hostname) ||
      hosts.has(header.toLowerCase());
    if (isOurs) known = header;
    return isOurs;
  };

  const isOurOrigin = (origin: string): boolean => {
    if (!URL.canParse(origin)) return false;
    const { protocol, hostname, origin: canonical } = new URL(origin);
    if (canonical !== origin) return false;
    if (origins.has(canonical)) return true;
    return (protocol === "http:" || protocol === "https:") && isLoopbackHost(hostname);
  };

  return {
    admit(request, response) {
      const { headers, method, url } = request;
      // An absolute target would overrule Host (RFC 9112 §3.2.2), and only proxies get them.
      if (url?.startsWith("/") !== true) {
        throw new HttpError(400, "usage", "The request target must be a path");
      }
      if (headers.host === undefined || headerValues(request, "host").length !== 1) {
        throw new HttpError(400, "usage", "The request must have one Host header");
      }
      if (!isOurHost(headers.host)) {
        throw new HttpError(403, "forbidden", "This gateway does not answer under that Host", {
          hint: "Add the name to allowedHosts, or set externalUrl",
        });
      }
      if (isStrict && hostnameOf(headers.host) === external?.hostname) {
        response.setHeader("strict-transport-security", "max-age=31536000");
      }
      const { origin } = headers;
      if (origin !== undefined) {
        if (!isOurOrigin(origin)) {
          throw new HttpError(403, "forbidden", "This gateway takes no requests from that Origin", {
            hint: "Add it to allowedOrigins",
          });
        }
        allowOrigin(response, origin);
      }
      if (open && (isForwarded(request) || headers["sec-fetch-site"] === "cross-site")) {
        throw new HttpError(
          403,
          "forbidden",
          "Without authentication this gateway takes no forwarded or cross-site requests",
          { hint: "Use another auth type" },
        );
      }
      const asked = headers["access-control-request-method"];
      if (method !== "OPTIONS" || origin === undefined || asked === undefined) return false;
      allowPreflight(response, headers["access-control-request-headers"]);
      return true;
    },
  };
}

function canonicalOrigin(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).origin : origin;
}

/** CORS (Fetch standard §3.2) without credentials: the bearer is a header that the script sets itself. */
function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader(
    "access-control-expose-headers",
    "WWW-Authenticate, Mcp-Session-Id, Retry-After",
  );
}

/** The headers asked for are granted as they are: the origin is trusted already. */
function allowPreflight(response: ServerResponse, headers: string | undefined): void {
  response.setHeader("access-control-allow-methods", "GET, POST, PUT, DELETE");
  if (headers !== undefined && /^[\w\- ,]{1,1000}$/u.test(headers)) {
    response.setHeader("access-control-allow-headers", headers);
  }
  response.setHeader("access-control-max-age", "600");
}
