/**
 * Where a server's own paths hang: the endpoint without a trailing `/`, `/mcp` or `/sse`, without query
 * and fragment. A path prefix stays (two gateways may share a host).
 */
export function baseOf(endpoint: string): string {
  const url = new URL(endpoint);
  const path = url.pathname.replace(/\/+$/u, "").replace(/\/(?:mcp|sse)$/u, "");
  return `${url.origin}${path.replace(/\/+$/u, "")}`;
}

/**
 * The addresses at which an MCP endpoint may be, best guess first: as it was given, then `/mcp` below it,
 * which is where most servers have it and what people leave out.
 */
export function mcpEndpointsOf(endpoint: string): string[] {
  const given = new URL(endpoint);
  given.hash = "";
  const conventional = `${baseOf(endpoint)}/mcp`;
  return /\/(?:mcp|sse)\/?$/u.test(given.pathname) ? [given.href] : [given.href, conventional];
}
