import type { MintedToken } from "../core/identities.ts";

/** The rows that take the place of these tokens when they are taken back: their secrets are erased. */
export function takeBackTokens(tokens: readonly MintedToken[], atMs: number): MintedToken[] {
  return tokens.flatMap((token) =>
    token.hash === null ? [] : [{ ...token, hash: null, refresh: null, revokedAtMs: atMs }],
  );
}
