import { createHmac, timingSafeEqual } from "node:crypto";
import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { RequestFault } from "./request-fault.ts";

/** What a `requestState` belongs to; with any other it is worth nothing. */
export interface StateBinding {
  /** Whose request it is: `principalKey`. */
  principal: string;
  method: string;
  server: string;
  /** The server's own name of the tool or prompt, or URI of the resource. */
  name: string;
}

export type StateContent =
  /** The upstream server's own state, handed back to it as it was. */
  | { upstream: string }
  /** The turn of a parked call. */
  | { turn: string };

/**
 * The gateway's `requestState` (2026-07-28, "Multi round-trip requests"): a client carries it, so it is
 * hostile input when it comes back. Authenticated with a key that lives as long as the process, bound to the
 * request it was made for, and good for a limited time.
 */
export interface RequestStates {
  seal(content: StateContent, binding: StateBinding): string;
  /**
   * Opens a state: the upstream server's once, a turn as often as it is there.
   * @throws RequestFault; it says the same of a forged one, another principal's, and one of another request
   */
  open(state: Json, binding: StateBinding): StateContent;
}

/** A state larger than this was not made here. */
const longestState = 1024 * 1024;
const mostUsed = 50_000;

export function createRequestStates(options: {
  /** Milliseconds since the epoch. */
  now: () => number;
  randomBytes: (count: number) => Uint8Array;
  /** How long a state is good, in milliseconds. */
  lifetimeMs: number;
}): RequestStates {
  const { now, randomBytes, lifetimeMs } = options;
  const key = randomBytes(32);
  /** Nonces of states that were opened, with the time from which they need not be remembered. */
  const used = new Map<string, number>();

  const authenticate = (
    payload: string,
    { principal, method, server, name }: StateBinding,
  ): string =>
    createHmac("sha256", key)
      .update(JSON.stringify([payload, principal, method, server, name]))
      .digest("base64url");

  const remember = (nonce: string, untilMs: number): void => {
    for (const [old, until] of used) {
      if (until > now() && used.size < mostUsed) break;
      used.delete(old);
    }
    used.set(nonce, untilMs);
  };

  return {
    seal(content, binding) {
      const nonce = Buffer.from(randomBytes(16)).toString("base64url");
      const payload = Buffer.from(
        JSON.stringify({ nonce, until: now() + lifetimeMs, server: binding.server, ...content }),
      ).toString("base64url");
      return `${payload}.${authenticate(payload, binding)}`;
    },
    open(state, binding) {
      const [payload = "", mac = "", ...rest] = typeof state === "string" ? split(state) : [];
      // As text: decoding would let several spellings of one code pass.
      const given = Buffer.from(mac);
      const right = Buffer.from(authenticate(payload, binding));
      const isRight = given.length === right.length && timingSafeEqual(given, right);
      const read = isRight && rest.length === 0 ? readPayload(payload) : undefined;
      if (read === undefined) throw invalidState("is not one for this request");
      if (read.until <= now()) throw invalidState("has expired");
      // A turn is there once, for whoever knows it; wrong answers do not use it up.
      if ("turn" in read.content) return read.content;
      if (used.has(read.nonce)) throw invalidState("was used before");
      remember(read.nonce, read.until);
      return read.content;
    },
  };
}

/**
 * The server that a state says it is for, believed by nobody: which of several candidates to try it with.
 */
export function claimedServer(state: Json | undefined): string | undefined {
  const [payload] = typeof state === "string" ? split(state) : [];
  return payload === undefined ? undefined : readPayload(payload)?.server;
}

export function invalidState(why: string): RequestFault {
  return new RequestFault(`The requestState ${why}: send the request again without it`);
}

function split(state: string): string[] {
  return state.length > longestState ? [] : state.split(".", 3);
}

function readPayload(
  text: string,
): { nonce: string; until: number; server: string; content: StateContent } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { nonce, until, server, upstream, turn } = value;
  if (typeof nonce !== "string" || typeof until !== "number" || typeof server !== "string") {
    return undefined;
  }
  if (typeof upstream === "string") return { nonce, until, server, content: { upstream } };
  return typeof turn === "string" ? { nonce, until, server, content: { turn } } : undefined;
}
