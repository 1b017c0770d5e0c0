import type { IncomingMessage } from "node:http";
import { isLoopbackHost } from "../core/url.ts";
import { hostnameOf, isForwarded, isFromBrowser } from "./request-guard.ts";

/**
 * Whether a program of this machine sent a request, talking to us directly: not a page in a browser, and
 * nobody behind a reverse proxy that runs here and says so.
 * @param peer the address at the other end of the connection, mapped IPv4 (RFC 4291 §2.5.5.2) included
 */
export function isLocalProgram(
  peer: string | undefined,
  request: Pick<IncomingMessage, "headers">,
): boolean {
  return (
    isLoopbackHost((peer ?? "").replace(/^::ffff:/u, "")) &&
    isLoopbackHost(hostnameOf(request.headers.host) ?? "") &&
    !isFromBrowser(request) &&
    !isForwarded(request)
  );
}
