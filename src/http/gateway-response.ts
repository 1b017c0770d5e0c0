import { ServerResponse } from "node:http";
import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders } from "node:http";

/** What every answer carries that does not say otherwise. */
export const securityHeaders: readonly (readonly [name: string, value: string])[] = [
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ["cross-origin-resource-policy", "same-origin"],
  ["referrer-policy", "no-referrer"],
  // Every answer here is of this moment, and some hold a token.
  ["cache-control", "no-store"],
  ["vary", "Origin"],
];

/** A response whose head, whoever writes it, has the headers that every answer of the gateway carries. */
export class GatewayResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  /**
   * Once for each answer: Node calls it where nobody else has.
   * @param headers names in lower case; one of those above is this answer's own then
   */
  override writeHead(
    status: number,
    reason?: string | OutgoingHttpHeaders | OutgoingHttpHeader[],
    headers?: OutgoingHttpHeaders | OutgoingHttpHeader[],
  ): this {
    const given = typeof reason === "string" ? headers : reason;
    const text = typeof reason === "string" ? reason : undefined;
    const isAlone = !Array.isArray(given) && this.getHeaderNames().length === 0;
    if (!isAlone) {
      for (const [name, value] of securityHeaders) {
        if (!this.hasHeader(name)) this.setHeader(name, value);
      }
    }
    return super.writeHead(status, text, isAlone ? withSecurity(given) : given);
  }
}

/** In one list, which is written as it comes: what is set before takes several times as long. */
function withSecurity(given: OutgoingHttpHeaders = {}): OutgoingHttpHeader[] {
  const list: OutgoingHttpHeader[] = [];
  for (const [name, value] of securityHeaders) {
    if (given[name] === undefined) list.push(name, value);
  }
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) list.push(name, value);
  }
  return list;
}
