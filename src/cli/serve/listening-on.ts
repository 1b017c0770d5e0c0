import type { HttpServer } from "../../http/http-server.ts";

/** One sentence on where a gateway listens: what it was told to, and what it is found by on its own machine. */
export function listeningOn({ urls, localUrls }: Pick<HttpServer, "urls" | "localUrls">): string {
  const shown = `Listening on ${urls.join(" and ")}`;
  const others = localUrls.filter((url) => !urls.includes(url));
  return others.length === 0
    ? shown
    : `${shown} and, for the commands of this machine, ${others.join(" and ")}`;
}
