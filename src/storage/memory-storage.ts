import { randomUUID } from "node:crypto";
import type { AuditEvent } from "../core/audit.ts";
import { AppError } from "../core/errors.ts";
import type { MintedToken, Storage, StorageTransaction } from "../core/storage.ts";

interface Content {
  tokens: ReadonlyMap<string, MintedToken>;
  audit: readonly AuditEvent[];
}

/** Storage that lasts as long as the object: for tests, and where nothing must be written to disk. */
export function createMemoryStorage(instanceId: string = randomUUID()): Storage {
  let content: Content = { tokens: new Map(), audit: [] };
  let turn: Promise<unknown> = Promise.resolve();
  let closed = false;

  return {
    instanceId,
    withPrincipal(_principal, work) {
      const mine = turn.then(async () => {
        if (closed) {
          throw new AppError("store_unavailable", "The gateway's database is closed");
        }
        const draft = { tokens: new Map(content.tokens), audit: [...content.audit] };
        const result = await work(transactionOn(draft));
        content = draft;
        return result;
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
    async close() {
      await turn;
      closed = true;
    },
  };
}

function transactionOn(draft: {
  tokens: Map<string, MintedToken>;
  audit: AuditEvent[];
}): StorageTransaction {
  return {
    tokens: {
      async insert(token) {
        const taken = [...draft.tokens.values()].some(({ hash }) => hash === token.hash);
        if (taken || draft.tokens.has(token.id)) {
          throw conflict();
        }
        draft.tokens.set(token.id, { ...token });
      },
      async findByHash(hash) {
        const found = [...draft.tokens.values()].find((token) => token.hash === hash);
        return found && { ...found };
      },
      async revoke(id, atMs) {
        const token = draft.tokens.get(id);
        if (token === undefined || token.revokedAtMs !== null || token.expiresAtMs <= atMs) {
          return false;
        }
        draft.tokens.set(id, { ...token, revokedAtMs: atMs });
        return true;
      },
      async deleteExpired(beforeMs) {
        const expired = [...draft.tokens.values()].filter(
          ({ expiresAtMs }) => expiresAtMs < beforeMs,
        );
        for (const { id } of expired) {
          draft.tokens.delete(id);
        }
        return expired.length;
      },
    },
    audit: {
      async appendAll(events) {
        const ids = new Set(draft.audit.map(({ id }) => id));
        for (const event of events) {
          if (ids.has(event.id)) {
            throw conflict();
          }
          ids.add(event.id);
          draft.audit.push(structuredClone(event));
        }
      },
      async list({ limit, beforeMs = Infinity }) {
        return draft.audit
          .filter(({ timeMs }) => timeMs < beforeMs)
          .toReversed()
          .toSorted((a, b) => b.timeMs - a.timeMs)
          .slice(0, limit)
          .map((event) => structuredClone(event));
      },
    },
  };
}

function conflict(): AppError {
  return new AppError("store_unavailable", "The gateway's database cannot be used", {
    cause: new Error("a row with this id or hash exists"),
  });
}
