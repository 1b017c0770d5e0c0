import { AuthServerUnavailable } from "./ask-auth-server.ts";
import type { AskAuthServer } from "./ask-auth-server.ts";
import { readKeySet } from "./json-web-keys.ts";
import type { VerificationKey } from "./json-web-keys.ts";

export type KeysAnswer =
  | { kind: "keys"; keys: readonly VerificationKey[] }
  | { kind: "unavailable"; reason: string };

/** An issuer's published keys, kept. */
export interface KeySet {
  /**
   * Those that are known. When they are no longer fresh they are asked for meanwhile, and waited for only where there
   * are none, or where nobody has asked for long.
   */
  current(): Promise<KeysAnswer>;
  /**
   * For a token that none of these has signed: asks again, at most once in `keySetTimes.cooldownMs` whoever calls.
   * In between it answers what the last time has shown: the known keys, or that they could not be got.
   * @param of.lookedAt the keys that have not signed it
   * @param of.missing there when none of them has the name of the token's key: where that one may be newer than they
   *   are, the answer in between is that this cannot be found out now
   */
  fresher(of: {
    lookedAt: readonly VerificationKey[];
    missing?: MissingKey | undefined;
  }): Promise<KeysAnswer>;
}

export interface MissingKey {
  /** When the token says that it was made, in milliseconds since the epoch; undefined: it does not say. */
  issuedAtMs: number | undefined;
}

export const keySetTimes = {
  /** After so long the keys are asked for again. */
  freshMs: 600_000,
  /** So much longer than it is published is a key good here, when the issuer answers. */
  overdueMs: 1_200_000,
  /** So long, when it does not. */
  maxAgeMs: 86_400_000,
  /** Between two searches for a key that is not known, and between two attempts to freshen what is known. */
  cooldownMs: 30_000,
  /** Between two attempts while nothing is known. */
  retryMs: 5000,
  /** How far the issuer's clock may be behind ours. */
  skewMs: 30_000,
} as const;

/** The most that a key set may have. */
const maxBodyBytes = 256 * 1024;

const justAsked: KeysAnswer = {
  kind: "unavailable",
  reason: "The issuer's keys were asked for a moment ago, and the token's was not among them",
};

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

  /** How long ago that is may be anything where the clock was put back: as long as counts, then. */
  const isPast = (sinceMs: number, spanMs: number): boolean => {
    const passedMs = now() - sinceMs;
    return passedMs < 0 || passedMs >= spanMs;
  };
  const isOlder = ({ loadedAtMs }: Known, spanMs: number): boolean => isPast(loadedAtMs, spanMs);
  const unavailable = (): KeysAnswer => ({
    kind: "unavailable",
    reason: failure?.reason ?? "The keys of the issuer are not known",
  });
  const whatIsKnown = (): KeysAnswer =>
    known !== undefined && !isOlder(known, keySetTimes.maxAgeMs)
      ? { kind: "keys", keys: known.keys }
      : unavailable();
  const mayTry = (): boolean => {
    const pauseMs = known === undefined ? keySetTimes.retryMs : keySetTimes.cooldownMs;
    return failure === undefined || isPast(failure.atMs, pauseMs);
  };
  /** While the issuer does not answer nobody waits for it again; else only for what nobody has asked for in long. */
  const mustWait = (of: Known): boolean => {
    const isDown = failure !== undefined && !isPast(failure.atMs, keySetTimes.overdueMs);
    return isOlder(of, isDown ? keySetTimes.maxAgeMs : keySetTimes.overdueMs);
  };
  const mayComeStill = ({ loadedAtMs }: Known, { issuedAtMs = Infinity }: MissingKey): boolean =>
    issuedAtMs + keySetTimes.skewMs >= loadedAtMs;

  return {
    async current() {
      if (known !== undefined && !isOlder(known, keySetTimes.freshMs)) return whatIsKnown();
      if (!mayTry()) return whatIsKnown();
      const renewed = renewOnce();
      if (known === undefined || mustWait(known)) await renewed;
      // Whoever has to wait is told of a fault of ours.
      else renewed.catch(() => undefined);
      return whatIsKnown();
    },
    async fresher({ lookedAt, missing }) {
      if (running !== undefined) {
        await running;
      } else if (known?.keys === lookedAt) {
        if (searchedAtMs === undefined || isPast(searchedAtMs, keySetTimes.cooldownMs)) {
          searchedAtMs = now();
          await renewOnce();
        } else if (missing !== undefined && mayComeStill(known, missing)) {
          return justAsked;
        }
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
