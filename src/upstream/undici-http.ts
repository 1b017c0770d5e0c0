import { Agent } from "undici";
import type { Dispatcher } from "undici";
import type { HttpAnswer, SendHttp } from "../mcp-client/transport.ts";

const connectMs = 10_000;

export interface UndiciHttp {
  send: SendHttp;
  /** Ends every connection and what is under way on them; never rejects. */
  close(): Promise<void>;
}

/**
 * HTTP for the connections to one upstream server, over connections that are kept and used again. Without a
 * limit on how long an answer may be silent, which a slow tool or a quiet event stream may well be: the limits
 * of calls are set where they are made.
 */
export function createUndiciHttp(): UndiciHttp {
  const agent = new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: connectMs },
  });
  return {
    async send({ method, url, headers, body, signal }): Promise<HttpAnswer> {
      const answer = await agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers,
        body: body ?? null,
        signal,
      });
      return {
        status: answer.statusCode,
        headers: singleHeaders(answer.headers),
        body: answer.body,
      };
    },
    close: () => agent.destroy().catch(() => undefined),
  };
}

/** Of a header that came more than once the values in one, as RFC 9110 §5.3 joins them. */
function singleHeaders(
  headers: Dispatcher.ResponseData["headers"],
): Readonly<Record<string, string | undefined>> {
  const single: Record<string, string | undefined> = {};
  for (const name in headers) {
    const value = headers[name];
    single[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return single;
}
