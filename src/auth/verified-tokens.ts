import type { MintedToken, Storage } from "../core/storage.ts";

/** Beyond so many the oldest are asked of the storage again. */
const maxRemembered = 1000;

/**
 * Live minted tokens that were found before, so that not every request waits for the storage. Whether one has
 * expired is looked at on each use, and who revokes one calls `forget`, so a revocation holds at once.
 */
export interface VerifiedTokens {
  /** The token of this hash, from memory or else by `load`; only what is not revoked is remembered. */
  find(
    hash: string,
    load: () => Promise<MintedToken | undefined>,
  ): Promise<MintedToken | undefined>;
  /** To be called after a revocation is in the storage. A `find` under way remembers nothing. */
  forget(hash: string): void;
}

const ofStorage = new WeakMap<Storage, VerifiedTokens>();

/**
 * The one memory that belongs to a storage. One gateway owns a storage (by its lock), so everybody who reads
 * or revokes its tokens meets here, and nobody can forget to hand the memory on.
 */
export function verifiedTokensOf(storage: Storage): VerifiedTokens {
  const known = ofStorage.get(storage) ?? createVerifiedTokens();
  ofStorage.set(storage, known);
  return known;
}

function createVerifiedTokens(): VerifiedTokens {
  const remembered = new Map<string, MintedToken>();
  let revocations = 0;
  return {
    async find(hash, load) {
      const found = remembered.get(hash);
      if (found !== undefined) {
        return found;
      }
      const before = revocations;
      const token = await load();
      if (token !== undefined && token.revokedAtMs === null && before === revocations) {
        const [oldest] = remembered.keys();
        if (oldest !== undefined && remembered.size >= maxRemembered) {
          remembered.delete(oldest);
        }
        remembered.set(hash, token);
      }
      return token;
    },
    forget(hash) {
      revocations += 1;
      remembered.delete(hash);
    },
  };
}
