import type { JsonObject } from "../../core/json.ts";
import { createBoundedMap } from "./bounded-map.ts";

/** What an auth server says of a token. Reasons are one line for people and hold nothing of the token. */
export type Confirmation =
  | {
      kind: "confirmed";
      claims: JsonObject;
      /** The issuer's scopes of the token. */
      scopes: readonly string[];
      /** Milliseconds since the epoch; absent: it names no end. */
      expiresAtMs?: number | undefined;
    }
  /** Not one of its good tokens, as far as it can tell: another one's perhaps. */
  | { kind: "not-mine"; reason: string }
  | { kind: "rejected"; reason: string };

/** @throws AuthServerUnavailable */
export type AskAboutToken = (
  token: string,
  options: { isUnproven: boolean },
) => Promise<Confirmation>;

/** What was asked of an auth server about tokens, remembered for a while under their hashes. */
export interface Confirmations {
  /**
   * The answer about a token: one that is remembered, or of the question that is under way, or of a new one.
   * @param hash hex SHA-256 of the token
   * @throws AuthServerUnavailable; an old answer is never used in place of the one that does not come
   */
  of(token: string, hash: string): Promise<Confirmation>;
  /** The token was ended: no answer to a question asked before now is believed, and none is asked for a while. */
  end(hash: string): void;
}

interface Answered {
  confirmation: Confirmation;
  askedAtMs: number;
  untilMs: number;
}

/** A rejection may be of a token that is good in a moment: the server's clock, a copy of its database. */
const maxRejectedMs = 5000;
/** Characters of claims, all together. */
const maxClaims = 32 * 1024 * 1024;
const maxEntries = 10_000;

export const tokenExpired: Confirmation = { kind: "rejected", reason: "The token has expired" };
const tokenEnded: Confirmation = { kind: "rejected", reason: "The token has been taken back" };

/**
 * Remembers a confirmation for `cacheMs` from the moment of the question, and never past the token's end; a rejection
 * for a few seconds. Both are bounded, apart from each other, so that many bad tokens push out no good one. All who
 * ask about one token at a time share one question.
 * @param options.now milliseconds since the epoch
 */
export function createConfirmations(options: {
  ask: AskAboutToken;
  cacheMs: number;
  now: () => number;
}): Confirmations {
  const { ask, cacheMs, now } = options;
  const confirmed = createBoundedMap<Answered>({ entries: maxEntries, weight: maxClaims });
  const rejected = createBoundedMap<Answered>({ entries: maxEntries, weight: maxEntries });
  const questions = new Map<string, Promise<Confirmation>>();

  const remembered = (hash: string): Confirmation | undefined => {
    const nowMs = now();
    const isGood = (answered: Answered | undefined): answered is Answered =>
      answered !== undefined && answered.askedAtMs <= nowMs && nowMs < answered.untilMs;
    // What was taken back stays so, whatever was known of it before.
    return [rejected.get(hash), confirmed.get(hash)].find(isGood)?.confirmation;
  };

  const remember = (hash: string, answer: Confirmation, askedAtMs: number): Confirmation => {
    const ended = rejected.get(hash);
    if (ended?.confirmation === tokenEnded && askedAtMs <= ended.askedAtMs) return tokenEnded;
    const expiresAtMs = (answer.kind === "confirmed" ? answer.expiresAtMs : undefined) ?? Infinity;
    const confirmation = expiresAtMs <= now() ? tokenExpired : answer;
    if (confirmation.kind === "confirmed") {
      const untilMs = Math.min(askedAtMs + cacheMs, expiresAtMs);
      const weight = JSON.stringify(confirmation.claims).length;
      confirmed.set(hash, { confirmation, askedAtMs, untilMs }, weight);
      rejected.delete(hash);
    } else {
      confirmed.delete(hash);
      const untilMs = askedAtMs + Math.min(cacheMs, maxRejectedMs);
      rejected.set(hash, { confirmation, askedAtMs, untilMs }, 1);
    }
    return confirmation;
  };

  const question = async (token: string, hash: string): Promise<Confirmation> => {
    const askedAtMs = now();
    try {
      const answer = await ask(token, { isUnproven: confirmed.get(hash) === undefined });
      return remember(hash, answer, askedAtMs);
    } finally {
      questions.delete(hash);
    }
  };

  return {
    async of(token, hash) {
      const known = remembered(hash);
      if (known !== undefined) return known;
      let running = questions.get(hash);
      if (running === undefined) {
        running = question(token, hash);
        questions.set(hash, running);
      }
      return running;
    },
    end(hash) {
      confirmed.delete(hash);
      const askedAtMs = now();
      const untilMs = askedAtMs + Math.max(cacheMs, maxRejectedMs);
      rejected.set(hash, { confirmation: tokenEnded, askedAtMs, untilMs }, 1);
    },
  };
}
