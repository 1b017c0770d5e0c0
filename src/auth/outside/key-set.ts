import { AuthServerUnavailable } from "./ask-auth-server.ts";
import type { AskAuthServer } from "./ask-auth-server.ts";
import { readKeySet } from "./json-web-keys.ts";
import type { VerificationKey } from "./json-web-keys.ts";

export type KeysAnswer =
  | { kind: "keys"; keys: readonly VerificationKey[] }
  | { kind: "unavailable"; reason: string };

/** An issuer's published keys, kept. */
export interface KeySet {
  /** Those that are known; asks for them when there are none, or when they are no longer fresh. */
  current(): Promise<KeysAnswer>;
  /**
   * For a token that none of these has signed: asks again, at most once in `keySetTimes.cooldownMs` whoever calls.
   * In between it answers what the last time has shown: the known keys, or that they could not be got.
   */
  fresher(): Promise<KeysAnswer>;
}

export const keySetTimes = {
  /** So much longer than it is published is a key good here, when the issuer answers. */
  freshMs: 600_000,
  /** So long, when it does not. */
  maxAgeMs: 86_400_000,
  /** Between two searches for a key that is not known, and between two attempts to freshen what is known. */
  cooldownMs: 30_000,
  /** Between two attempts while nothing is known. */
  retryMs: 5000,
} as const;

/** The most that a key set may have. */
const maxBodyBytes = 256 * 1024;

interface Known {
  keys: readonly VerificationKey[];
  loadedAtMs: number;
}

/**
 * Makes a key set that asks for its keys when they are needed, one request at a time, and keeps the old ones while
 * the issuer cannot be asked.
 * @param options.load gets the keys that are published now @throws AuthServerUnavailable
 */
export function createKeySet(options: {
  load: () => Promise<readonly VerificationKey[]>;
  /** Milliseconds since the epoch. */
  now: () => number;
}): KeySet {
  const { load, now } = options;
  let known: Known | undefined;
  /** Of the last attempt, when it failed. */
  let failure: { reason: string; atMs: number } | undefined;
  let searchedAtMs: number | undefined;
  let running: Promise<void> | undefined;

  const renew = async (): Promise<void> => {
    try {
      const keys = await load();
      known = { keys, loadedAtMs: now() };
      failure = undefined;
    } catch (error) {
      if (!(error instanceof AuthServerUnavailable)) throw error;
      failure = { reason: error.message, atMs: now() };
    } finally {
      running = undefined;
    }
  };
  const renewOnce = (): Promise<void> => (running ??= renew());

  const ageMs = ({ loadedAtMs }: Known): number => now() - loadedAtMs;
  const unavailable = (): KeysAnswer => ({
    kind: "unavailable",
    reason: failure?.reason ?? "The keys of the issuer are not known",
  });
  const whatIsKnown = (): KeysAnswer =>
    known !== undefined && ageMs(known) < keySetTimes.maxAgeMs
      ? { kind: "keys", keys: known.keys }
      : unavailable();
  const mayTry = (): boolean => {
    const pauseMs = known === undefined ? keySetTimes.retryMs : keySetTimes.cooldownMs;
    return failure === undefined || now() - failure.atMs >= pauseMs;
  };

  return {
    async current() {
      const isFresh = known !== undefined && ageMs(known) < keySetTimes.freshMs;
      if (!isFresh && mayTry()) await renewOnce();
      return whatIsKnown();
    },
    async fresher() {
      if (searchedAtMs === undefined || now() - searchedAtMs >= keySetTimes.cooldownMs) {
        searchedAtMs = now();
        await renewOnce();
      } else {
        await running;
      }
      return failure === undefined ? whatIsKnown() : unavailable();
    },
  };
}

/** The keys at an address. @throws AuthServerUnavailable */
export async function fetchKeys(
  url: string,
  ask: AskAuthServer,
): Promise<readonly VerificationKey[]> {
  const headers = { accept: "application/jwk-set+json, application/json" };
  const { status, body } = await ask({ method: "GET", url, headers, maxBodyBytes });
  if (status !== 200) {
    throw new AuthServerUnavailable(`The keys of the issuer were answered with status ${status}`);
  }
  const keys = readKeySet(body);
  if (keys === undefined) throw new AuthServerUnavailable("The keys of the issuer cannot be read");
  return keys;
}
