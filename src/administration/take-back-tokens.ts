import { endedToken } from "../auth/passwords/end-sessions.ts";
import type { MintedToken } from "../core/identities.ts";

/** The rows that take the place of these tokens when they are taken back: their secrets are erased. */
export function takeBackTokens(tokens: readonly MintedToken[], atMs: number): MintedToken[] {
  return tokens.filter(({ hash }) => hash !== null).map((token) => endedToken(token, atMs));
}
