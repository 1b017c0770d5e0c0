import type { MintedToken } from "../core/identities.ts";

/** Where tokens are found by what is shown of them: the ids by hash. */
export interface TokenIndex {
  readonly byHash: ReadonlyMap<string, string>;
  /** By the hash of a session's refresh token, and of the one before it. */
  readonly byRefreshHash: ReadonlyMap<string, string>;
  /** Puts a row in the place of the one that was there under this id. */
  replace(before: MintedToken | undefined, after: MintedToken): void;
}

export function tokenIndexOf(tokens: readonly MintedToken[]): TokenIndex {
  const byHash = new Map<string, string>();
  const byRefreshHash = new Map<string, string>();
  const add = (token: MintedToken): void => {
    if (token.hash !== null) byHash.set(token.hash, token.id);
    for (const hash of refreshHashesOf(token)) byRefreshHash.set(hash, token.id);
  };
  for (const token of tokens) add(token);
  return {
    byHash,
    byRefreshHash,
    replace(before, after) {
      if (before !== undefined) {
        if (before.hash !== null) byHash.delete(before.hash);
        for (const hash of refreshHashesOf(before)) byRefreshHash.delete(hash);
      }
      add(after);
    },
  };
}

function refreshHashesOf({ refresh }: MintedToken): string[] {
  if (refresh === null) return [];
  const { hash, previousHash } = refresh;
  return previousHash === null ? [hash] : [hash, previousHash];
}
