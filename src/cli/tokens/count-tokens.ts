import { setImmediate as nextTurn } from "node:timers/promises";
import { countTokens as count } from "gpt-tokenizer/encoding/o200k_base";
import { tokenPieces } from "./token-pieces.ts";

/** What the tokens are counted with: one of many tokenizers, and a public one. Other models count differently. */
export const tokenizer = "o200k_base";

/** Special tokens are text like any other where somebody else wrote them. */
const asText = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };
/** After so many characters, counted since the last time, everybody else has a turn. */
const turnLength = 20_000;

/** How many tokens a text is. Words of more than 500 characters are counted in pieces, nearly right. */
export interface TokenCounter {
  /** @throws the reason of the signal */
  (text: string): Promise<number>;
}

/** Counts texts of others, however many and long, without keeping anybody from ending it. */
export function createTokenCounter(signal: AbortSignal): TokenCounter {
  let sinceTurn = 0;
  return async (text) => {
    let tokens = 0;
    for (const piece of tokenPieces(text)) {
      tokens += count(piece, asText);
      sinceTurn += piece.length;
      if (sinceTurn < turnLength) continue;
      sinceTurn = 0;
      await nextTurn();
      signal.throwIfAborted();
    }
    return tokens;
  };
}
