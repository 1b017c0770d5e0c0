import { lookup as systemLookup } from "node:dns";
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { createPinnedAgent } from "../runtime/pinned-agent.ts";
import type { PinnedRequestOptions } from "../runtime/pinned-agent.ts";
import { expectedCertificates } from "./expected-certificates.ts";
import type { HttpAnswer, HttpQuestion, SharedConnections } from "./http-question.ts";
import { trustIn } from "./network.ts";
import type { Trust } from "./network.ts";
import { singleHeaders } from "./single-headers.ts";

/**
 * `localhost` is this machine and nobody else (RFC 6761 §6.3): 127.0.0.1 is tried first, then ::1, and
 * no name server is asked.
 */
export const lookup: LookupFunction = (hostname, options, callback) => {
  if (!/^localhost\.?$/iu.test(hostname)) {
    systemLookup(hostname, options, callback);
    return;
  }
  const addresses = [
    { address: "127.0.0.1", family: 4 },
    { address: "::1", family: 6 },
  ];
  if (options.all) callback(null, addresses);
  else callback(null, "127.0.0.1", 4);
};

/** @param maxSockets how many connections to one server there may be at once */
export function createConnections(url: string, maxSockets = 8): SharedConnections {
  const options = { keepAlive: true, maxSockets };
  const direct =
    new URL(url).protocol === "https:"
      ? createPinnedAgent(options, expectedCertificates)
      : new HttpAgent(options);
  const proxied: SharedConnections["proxied"] = new Map();
  return {
    maxSockets,
    direct,
    proxied,
    destroy() {
      direct.destroy();
      for (const connections of proxied.values()) connections.destroy();
      proxied.clear();
    },
  };
}

/**
 * Asks the server itself. A certificate of one's own that is expected there is the only one that is taken, whatever
 * else is trusted.
 * @throws what Node says of the connection; anything when the signal is aborted
 */
export function askDirectly({ signal, ...question }: HttpQuestion): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const url = new URL(question.url);
    const secure = url.protocol === "https:";
    const options: RequestOptions & { autoSelectFamily?: boolean } & PinnedRequestOptions & Trust =
      {
        method: question.method ?? "GET",
        headers: {
          ...question.headers,
          ...(question.body === undefined
            ? {}
            : { "content-length": String(Buffer.byteLength(question.body)) }),
        },
        agent:
          question.connections?.direct ?? (secure && createPinnedAgent({}, expectedCertificates)),
        lookup,
        autoSelectFamily: true,
        abandoned: signal,
        ...(secure && trustIn(url)),
      };
    const request = secure ? httpsRequest(url, options) : httpRequest(url, options);
    // Not Node's own `signal`: it destroys the socket with an error of its own, and when nobody reads the
    // answer any more nobody listens for that either.
    const abort = (): void => {
      request.destroy();
      // It has no socket yet to be told by.
      reject(new Error("The question was given up"));
    };
    signal.addEventListener("abort", abort, { once: true });
    request.on("close", () => signal.removeEventListener("abort", abort));
    request.on("error", reject);
    request.on("response", (answer) => {
      // Whoever reads it hears of its end while reading; Node may say it once more when nobody does.
      answer.on("error", () => undefined);
      resolve({
        status: answer.statusCode ?? 0,
        headers: singleHeaders(answer.headers),
        body: answer,
        destroy: () => void answer.destroy(),
      });
    });
    request.end(question.body);
  });
}
