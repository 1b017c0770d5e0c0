import type { FastifyRequest } from "fastify";
import type { Readable } from "node:stream";
import { bodyTooLarge, HttpError } from "./error-answer.ts";
import { readText, type ReadText, type ReadTextLimits } from "./read-text.ts";

export interface BodyLimits extends Omit<ReadTextLimits, "wholeBytes"> {
  /** What helps who sends more than `mostBytes`. */
  hint?: string | undefined;
}

/** How long the body of somebody who has shown nothing yet may take, in milliseconds. */
export const strangersBodyMs = 10_000;
/** The most that is taken in of who has shown nothing, where no route says otherwise, in bytes. */
const strangersBodyBytes = 16 * 1024;

/**
 * The text of a request's body. Every body is read by this: what fastify itself reads it keeps in as many pieces as the
 * sender chose.
 * @throws HttpError 413, 408 or 503 for what goes beyond a limit, 400 when the sender goes away
 */
export async function bodyText(
  { headers }: Pick<FastifyRequest, "headers">,
  payload: Readable,
  limits: BodyLimits,
): Promise<string> {
  const { mostBytes, mostMs, mayHold, hint } = limits;
  const length = headers["content-length"];
  // Node's parser cuts the body at that length, and refuses a head that says how long it is in several ways.
  const wholeBytes = length === undefined ? undefined : Number(length);
  if (wholeBytes !== undefined && wholeBytes > mostBytes) throw bodyTooLarge(mostBytes, hint);
  let read: ReadText;
  try {
    read = await readText(payload, { mostBytes, mostMs, mayHold, wholeBytes });
  } catch {
    // No fault of ours, and nobody is there to hear of it.
    throw new HttpError(400, "usage", "The request's body ended early", {
      headers: { connection: "close" },
    });
  }
  switch (read.kind) {
    case "text":
      return read.text;
    case "too large":
      throw bodyTooLarge(mostBytes, hint);
    case "too slow":
      throw new HttpError(408, "timeout", "The request's body took too long", {
        headers: { connection: "close" },
      });
    case "no room":
      throw new HttpError(503, "rate_limited", "Too many requests are being read", {
        hint: "Show the token in the Authorization header",
        headers: { "retry-after": "1", connection: "close" },
      });
  }
}

/** What a route takes in, less of who has shown nothing yet. */
export function routeLimits({
  principal,
  routeOptions,
}: Pick<FastifyRequest, "principal" | "routeOptions">): BodyLimits {
  const { bodyLimit: mostBytes } = routeOptions;
  if (principal !== null) return { mostBytes };
  return { mostBytes: Math.min(mostBytes, strangersBodyBytes), mostMs: strangersBodyMs };
}
