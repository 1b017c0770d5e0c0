import type { MintedToken } from "../core/identities.ts";

/** Where tokens are found by what is shown of them: the ids by hash. */
export interface TokenIndex {
  readonly byHash: ReadonlyMap<string, string>;
  /** By the hash of the family of a session's refresh tokens. */
  readonly byRefreshFamily: ReadonlyMap<string, string>;
  /** Puts a row in the place of the one that was there under this id. */
  replace(before: MintedToken | undefined, after: MintedToken): void;
}

export function tokenIndexOf(tokens: readonly MintedToken[]): TokenIndex {
  const byHash = new Map<string, string>();
  const byRefreshFamily = new Map<string, string>();
  const add = (token: MintedToken): void => {
    if (token.hash !== null) byHash.set(token.hash, token.id);
    if (token.refresh !== null) byRefreshFamily.set(token.refresh.familyHash, token.id);
  };
  for (const token of tokens) add(token);
  return {
    byHash,
    byRefreshFamily,
    replace(before, after) {
      if (before !== undefined) {
        if (before.hash !== null) byHash.delete(before.hash);
        if (before.refresh !== null) byRefreshFamily.delete(before.refresh.familyHash);
      }
      add(after);
    },
  };
}
