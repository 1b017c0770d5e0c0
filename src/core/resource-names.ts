/**
 * Resource URIs of several servers side by side. A URI stays as its server gave it wherever that is enough to
 * find it again; `onedoor:<server>:<uri>`, the server's name percent-encoded, always says whose is meant.
 */
export interface ServerUri {
  server: string;
  uri: string;
}

const scheme = "onedoor:";

/**
 * Whether a URI is of the gateway's own scheme, however that is spelt. Such a URI says whose it is; no server is
 * believed that lists one, or is asked for one that is not its.
 */
export function isGatewayUri(uri: string): boolean {
  return uri.trimStart().slice(0, scheme.length).toLowerCase() === scheme;
}

/** `onedoor:<server>:<uri>`. */
export function qualifiedUri({ server, uri }: ServerUri): string {
  return `${scheme}${encodeURIComponent(server)}:${uri}`;
}

/** Reads `onedoor:<server>:<uri>`; undefined for every other URI. */
export function parseQualifiedUri(text: string): ServerUri | undefined {
  if (!text.startsWith(scheme)) return undefined;
  const end = text.indexOf(":", scheme.length);
  if (end === -1) return undefined;
  try {
    const server = decodeURIComponent(text.slice(scheme.length, end));
    return server === "" ? undefined : { server, uri: text.slice(end + 1) };
  } catch {
    return undefined;
  }
}

/** The scheme of a URI or a URI template in lower case (RFC 3986 §3.1); undefined when it has none. */
export function schemeOf(uri: string): string | undefined {
  return /^[a-z][a-z0-9+.-]{0,63}(?=:)/iu.exec(uri)?.[0].toLowerCase();
}

/** Whether `uri` is the resource itself or something below it (MCP, `notifications/resources/updated`). */
export function isWithin(uri: string, resource: string): boolean {
  if (!uri.startsWith(resource)) return false;
  return (
    uri.length === resource.length ||
    resource.endsWith("/") ||
    "/?#".includes(uri[resource.length] ?? "")
  );
}
