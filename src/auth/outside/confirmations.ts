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

export type Confirmed = Extract<Confirmation, { kind: "confirmed" }>;

/** @param askedAtMs milliseconds since the epoch: when the question was asked that this is the answer to */
export type KnownConfirmation =
  | (Confirmed & { askedAtMs: number })
  | Exclude<Confirmation, Confirmed>;

/** What of a confirmation is worth keeping, and what keeping it costs: about as many characters. */
export type KeepConfirmed = (confirmed: Confirmed) => { kept: Confirmed; weight: number };

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
  of(token: string, hash: string): Promise<KnownConfirmation>;
  /** The token was ended: no answer to a question asked before now is believed, and none is asked for a while. */
  end(hash: string): void;
  /** Whether it was, as long as that is remembered: no shorter than a confirmation would have been. */
  isEnded(hash: string): boolean;
}

interface Answered {
  confirmation: KnownConfirmation;
  askedAtMs: number;
  untilMs: number;
}

/** A rejection may be of a token that is good in a moment: the server's clock, a copy of its database. */
const maxRejectedMs = 5000;
/** Of what is kept of confirmations, all together. */
const maxWeight = 16 * 1024 * 1024;
const maxEntries = 10_000;

type Refusal = Extract<Confirmation, { kind: "rejected" }>;
export const tokenExpired: Refusal = { kind: "rejected", reason: "The token has expired" };
const tokenEnded: Refusal = { kind: "rejected", reason: "The token has been taken back" };

/**
 * Remembers a confirmation for `cacheMs` from the moment of the question, and never past the token's end; a rejection
 * for a few seconds. Both are bounded, apart from each other, so that many bad tokens push out no good one, and what
 * is over is forgotten. All who ask about one token at a time share one question.
 * @param options.keep what of a confirmation is remembered, and given to all who ask
 * @param options.now milliseconds since the epoch
 */
export function createConfirmations(options: {
  ask: AskAboutToken;
  keep: KeepConfirmed;
  cacheMs: number;
  now: () => number;
}): Confirmations {
  const { ask, keep, cacheMs, now } = options;
  const confirmed = createBoundedMap<Answered>({ entries: maxEntries, weight: maxWeight });
  /** Tokens that were good when they were last asked about: they go before those of strangers. */
  const proven = createBoundedMap<true>({ entries: maxEntries, weight: maxEntries });
  const rejected = createBoundedMap<Answered>({ entries: maxEntries, weight: maxEntries });
  const questions = new Map<string, Promise<KnownConfirmation>>();

  const isOver = ({ askedAtMs, untilMs }: Answered): boolean =>
    now() < askedAtMs || untilMs <= now();
  const remembered = (hash: string): KnownConfirmation | undefined => {
    // What was taken back stays so, whatever was known of it before.
    const answers = [rejected.get(hash), confirmed.get(hash)];
    return answers.find((each) => each !== undefined && !isOver(each))?.confirmation;
  };

  const remember = (hash: string, answer: Confirmation, askedAtMs: number): KnownConfirmation => {
    confirmed.dropWhile(isOver);
    rejected.dropWhile(isOver);
    const ended = rejected.get(hash);
    if (ended?.confirmation === tokenEnded && askedAtMs <= ended.askedAtMs) return tokenEnded;
    const expiresAtMs = (answer.kind === "confirmed" ? answer.expiresAtMs : undefined) ?? Infinity;
    const current = expiresAtMs <= now() ? tokenExpired : answer;
    if (current.kind === "confirmed") {
      const untilMs = Math.min(askedAtMs + cacheMs, expiresAtMs);
      const { kept, weight } = keep(current);
      const confirmation = { ...kept, askedAtMs };
      confirmed.set(hash, { confirmation, askedAtMs, untilMs }, weight);
      proven.set(hash, true, 1);
      rejected.delete(hash);
      return confirmation;
    }
    confirmed.delete(hash);
    proven.delete(hash);
    const untilMs = askedAtMs + Math.min(cacheMs, maxRejectedMs);
    rejected.set(hash, { confirmation: current, askedAtMs, untilMs }, 1);
    return current;
  };

  const question = async (token: string, hash: string): Promise<KnownConfirmation> => {
    const askedAtMs = now();
    try {
      const answer = await ask(token, { isUnproven: proven.get(hash) === undefined });
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
    isEnded: (hash) => rejected.get(hash)?.confirmation === tokenEnded,
    end(hash) {
      confirmed.delete(hash);
      proven.delete(hash);
      const askedAtMs = now();
      const untilMs = askedAtMs + Math.max(cacheMs, maxRejectedMs);
      rejected.set(hash, { confirmation: tokenEnded, askedAtMs, untilMs }, 1);
    },
  };
}
