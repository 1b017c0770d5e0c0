import type { IncomingMessage } from "node:http";

/** What stands behind the `?` of a request's address; undefined where there is none, as at most calls. */
export function queryOf({ url = "" }: Pick<IncomingMessage, "url">): URLSearchParams | undefined {
  const queryAt = url.indexOf("?");
  return queryAt < 0 ? undefined : new URLSearchParams(url.slice(queryAt + 1));
}
