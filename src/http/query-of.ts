import type { IncomingMessage } from "node:http";

/** What stands behind the `?` of a request's address. */
export function queryOf({ url = "" }: Pick<IncomingMessage, "url">): URLSearchParams {
  const queryAt = url.indexOf("?");
  return new URLSearchParams(queryAt < 0 ? "" : url.slice(queryAt + 1));
}
