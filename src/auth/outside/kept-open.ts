import type { Principal } from "../../core/principal.ts";
import { AuthServerUnavailable } from "./ask-auth-server.ts";
import type { Confirmations, Confirmed, KnownConfirmation } from "./confirmations.ts";

type Known = Extract<KnownConfirmation, { kind: "confirmed" }>;

/** A token somebody came in with, and what is known of it since. */
export interface Bearer {
  token: string;
  hash: string;
}

/**
 * Whether those who came in may stay, which is asked often and without waiting. The token is kept for it in memory,
 * as long as anybody holds the principal.
 */
export interface KeptOpen {
  /** Remembers who came in with a token that is confirmed. */
  add(principal: Principal, bearer: Bearer, confirmed: Known): void;
  /** The same standing for what the principal has become. */
  replace(old: Principal, next: Principal): void;
  /**
   * What is known of the token now. Where that is older than it may be, the server is asked meanwhile, and what is
   * known stays good for a minute at most. A token that was ended here is good no more at once.
   * @returns undefined when it is not good any more, or was never let in here
   */
  confirmed(principal: Principal): { bearer: Bearer; confirmed: Confirmed } | undefined;
}

interface Held {
  bearer: Bearer;
  confirmed: Known;
  /** When that was asked. */
  confirmedAtMs: number;
  /** When the server was last asked, whether it answered or not. */
  askedAtMs: number;
  isOver: boolean;
}

/** Between two questions about one token, at least. */
const askEveryMs = 5000;
/** How long who is in may stay without an answer, after the last one has become old. */
const graceMs = 60_000;

export function createKeptOpen(options: {
  confirmations: Pick<Confirmations, "of" | "isEnded">;
  cacheMs: number;
  /** Milliseconds since the epoch. */
  now: () => number;
}): KeptOpen {
  const { confirmations, now } = options;
  const freshMs = Math.max(options.cacheMs, askEveryMs);
  const held = new WeakMap<Principal, Held>();

  const askAgain = async (of: Held): Promise<void> => {
    of.askedAtMs = now();
    try {
      const answer = await confirmations.of(of.bearer.token, of.bearer.hash);
      if (answer.kind === "confirmed") {
        of.confirmed = answer;
        of.confirmedAtMs = answer.askedAtMs;
      } else of.isOver = true;
    } catch (error) {
      if (!(error instanceof AuthServerUnavailable)) of.isOver = true;
    }
  };

  return {
    add(principal, bearer, confirmed) {
      const { askedAtMs } = confirmed;
      held.set(principal, {
        bearer,
        confirmed,
        confirmedAtMs: askedAtMs,
        askedAtMs,
        isOver: false,
      });
    },
    replace(old, next) {
      const of = held.get(old);
      if (of !== undefined) held.set(next, of);
    },
    confirmed(principal) {
      const of = held.get(principal);
      if (of === undefined || of.isOver) return undefined;
      const { bearer, confirmed } = of;
      if (confirmations.isEnded(bearer.hash)) {
        of.isOver = true;
        return undefined;
      }
      // Where the clock was put back, time begins anew: how much has passed is not known.
      of.confirmedAtMs = Math.min(of.confirmedAtMs, now());
      of.askedAtMs = Math.min(of.askedAtMs, now());
      const ageMs = now() - of.confirmedAtMs;
      if (ageMs >= freshMs && now() - of.askedAtMs >= askEveryMs) void askAgain(of);
      if (ageMs >= freshMs + graceMs) return undefined;
      const isExpired = confirmed.expiresAtMs !== undefined && confirmed.expiresAtMs <= now();
      return isExpired ? undefined : { bearer, confirmed };
    },
  };
}
