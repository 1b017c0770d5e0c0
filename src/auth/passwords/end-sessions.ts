import type { MintedToken } from "../../core/identities.ts";

/** The rows in the place of a user's sessions, ended: for whoever disables the user or sets another password. */
export function endSessions(
  userId: string,
  tokens: readonly MintedToken[],
  atMs: number,
): MintedToken[] {
  return tokens
    .filter((token) => token.kind === "session" && token.userId === userId && token.hash !== null)
    .map((token) => endedToken(token, atMs));
}

/** The row in the place of a token that is taken back: its secrets are erased. */
export function endedToken(token: MintedToken, atMs: number): MintedToken {
  return { ...token, hash: null, refresh: null, revokedAtMs: atMs };
}
