import { randomUUID } from "node:crypto";
import Database from "libsql";
import { describe, expect, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import type { Storage, StorageTransaction } from "../../src/core/storage.ts";
import { startStorageThread } from "../../src/storage/sqlite/storage-worker.ts";
import type { StorageWorker } from "../../src/storage/sqlite/storage-worker.ts";
import { createWorkerStorage } from "../../src/storage/sqlite/worker-storage.ts";
import { auditRows } from "./support/audit-rows.ts";
import { change, event, member, organization, token, user } from "./support/rows.ts";
import { useStoragePlace, within } from "./support/storage-place.ts";

const place = useStoragePlace();
const failed = new AppError("store_unavailable", "The gateway's database cannot be used");

type Fault =
  /** The statement does not reach the database. */
  | "before"
  /** It does its work, and its answer is lost. */
  | "after"
  /** It does not reach the database, nor does the rollback that follows. */
  | "before, and the rollback fails";

interface FaultyWorker extends StorageWorker {
  /** Lets the statement with this number, counted from now, fail once. */
  failAt(statement: number, fault: Fault): void;
  /** Whether it has. */
  readonly hasFailed: boolean;
}

function faulty(worker: StorageWorker): FaultyWorker {
  let left = Infinity;
  let fault: Fault = "before";
  let hasFailed = false;
  let isRollbackBroken = false;
  const meet = async <T>(isCommit: boolean, statement: () => Promise<T>): Promise<T> => {
    left -= 1;
    if (left !== 0) return await statement();
    hasFailed = true;
    isRollbackBroken = fault === "before, and the rollback fails";
    // A commit that was made is made, whatever becomes of its answer.
    if (fault === "after" && !isCommit) await statement();
    throw failed;
  };
  return {
    ...worker,
    get hasFailed() {
      return hasFailed;
    },
    failAt(statement, kind) {
      left = statement;
      fault = kind;
      hasFailed = false;
    },
    begin: () => meet(false, () => worker.begin()),
    execute: (sql, params) => meet(sql === "COMMIT", () => worker.execute(sql, params)),
    executeMany: (sql, rows) => meet(false, () => worker.executeMany(sql, rows)),
    async rollback() {
      if (isRollbackBroken) {
        isRollbackBroken = false;
        throw failed;
      }
      await worker.rollback();
    },
  };
}

async function openFaulty(): Promise<{ storage: Storage; worker: FaultyWorker }> {
  const { bundle, file, lockFile, logger } = place;
  const start = { file, lockFile, newInstanceId: randomUUID(), nowMs: 0 };
  const worker = faulty(await startStorageThread(bundle.url).open(start, () => undefined));
  return { storage: createWorkerStorage(worker, logger), worker };
}

const everything = async (storage: Storage) => ({
  ...(await within(storage, async (tx) => ({
    organizations: await tx.organizations.all(),
    users: await tx.users.all(),
    members: await tx.members.all(),
    tokens: await tx.tokens.all(),
    changes: await tx.changes.list({ limit: 1000 }),
  }))),
  audit: await auditRows(storage),
});

const theirs = token({ organizationId: "acme", kind: "personal" });
const own = token();
const session = token({
  organizationId: "acme",
  kind: "session",
  refresh: { hash: "refreshes", familyHash: "family", expiresAtMs: 9_000 },
});

/** What the transactions below find. */
async function setUp(tx: StorageTransaction): Promise<void> {
  await tx.organizations.insert(organization());
  await tx.users.insert(user({ password: { hash: "first", setAtMs: 3 } }));
  await tx.users.insert(user({ id: "gone", deletedAtMs: 5 }));
  await tx.members.insert(member());
  await tx.members.insert(member({ userId: "gone" }));
  await tx.tokens.insert(theirs);
  await tx.tokens.insert(own);
  await tx.tokens.insert(session);
  await tx.changes.append([change({ timeMs: 1 }), change({ timeMs: 2 })]);
  await tx.audit.appendAll([event({ timeMs: 1 }), event({ timeMs: 2 })]);
}

const transactions: Record<string, (tx: StorageTransaction) => Promise<void>> = {
  "makes an organisation with its first member and a token": async (tx) => {
    await tx.organizations.insert(organization({ id: "beta" }));
    await tx.users.insert(user({ id: "bob" }));
    await tx.members.insert(member({ organizationId: "beta", userId: "bob" }));
    await tx.tokens.insert(token({ organizationId: "beta", userId: "bob" }));
    await tx.changes.append([change(), change(), change()]);
  },
  "deletes a user with the membership and all tokens": async (tx) => {
    await tx.users.replace(user({ deletedAtMs: 9 }));
    await tx.members.replace(member({ deletedAtMs: 9 }));
    for (const each of [theirs, own]) {
      await tx.tokens.replace({ ...each, hash: null, revokedAtMs: 9 });
    }
    await tx.changes.append([change({ entity: "user" }), change({ entity: "member" })]);
  },
  "disables a user, sets a password and ends a session": async (tx) => {
    await tx.users.replace(user({ password: { hash: "another", setAtMs: 9 }, disabledAtMs: 9 }));
    await tx.tokens.replace({ ...session, hash: null, refresh: null, revokedAtMs: 9 });
    await tx.tokens.insert(token({ ...session, id: "another", hash: null, refresh: null }));
    await tx.changes.append([change({ entity: "user" }), change({ entity: "token" })]);
  },
  "writes audit rows and removes old ones": async (tx) => {
    await tx.audit.appendAll([event(), event()]);
    await tx.audit.prune(2, 10);
    await tx.audit.appendAll([event()]);
  },
  purges: async (tx) => {
    await tx.tokens.purge(5_000);
    await tx.members.purge(5_000);
    await tx.users.purge(5_000);
    await tx.organizations.purge(5_000);
    await tx.changes.purgeServers(5_000);
    await tx.changes.append([change({ entity: "purge" })]);
  },
};

const faults: Fault[] = ["before", "after", "before, and the rollback fails"];

describe.each(Object.entries(transactions))("a transaction that %s", (_what, work) => {
  test.each(faults)("leaves nothing, whichever statement fails (%s)", async (fault) => {
    const { storage, worker } = await openFaulty();
    await within(storage, setUp);
    const before = await everything(storage);
    const failAt = (statement: number): Promise<unknown> => {
      worker.failAt(statement, fault);
      return within(storage, work).catch((error: unknown) => error);
    };
    let statements = 1;
    for (let error = await failAt(1); error !== undefined; error = await failAt(statements)) {
      expect(error).toBe(failed);
      expect([statements, await everything(storage)]).toStrictEqual([statements, before]);
      statements += 1;
    }
    worker.failAt(Infinity, fault);
    // BEGIN, several statements and COMMIT were failed before; a failing checkpoint undoes nothing.
    expect(statements).toBeGreaterThan(4);
    const after = await everything(storage);
    expect(after).not.toStrictEqual(before);
    await within(storage, (tx) => tx.users.insert(user({ id: "next" })));
    expect((await everything(storage)).users).toHaveLength(after.users.length + 1);
    await storage.close();
    const again = await place.open();
    expect((await everything(again)).users).toHaveLength(after.users.length + 1);
  });
});

test("a change that is written stands when the checkpoint after it fails", async () => {
  const { storage, worker } = await openFaulty();
  await within(storage, (tx) => tx.tokens.insert(own));
  // BEGIN, UPDATE, COMMIT, and then the checkpoint.
  worker.failAt(4, "before");
  await within(storage, (tx) => tx.tokens.replace({ ...own, hash: null, revokedAtMs: 9 }));
  expect(worker.hasFailed).toBe(true);
  expect(await within(storage, (tx) => tx.tokens.all())).toMatchObject([{ hash: null }]);
  expect(place.logger.warnings).toStrictEqual([
    "A change is written, but a power cut could still undo it, and what it erased is still in the log",
  ]);
  await storage.close();
});

test("a token that is taken back among other transactions is out of the write-ahead log each time", async () => {
  const storage = await place.open();
  await within(storage, (tx) => tx.tokens.insert(own));
  await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      await within(storage, (tx) => tx.tokens.replace({ ...own, revokedAtMs: at }));
      await within(storage, (tx) => tx.audit.appendAll([event()]));
    }),
  );
  // Inside another transaction there is no checkpoint; that would be said.
  expect(place.logger.warnings).toStrictEqual([]);
});

test("a transaction that failed holds the database no longer", async () => {
  const storage = await place.open();
  await expect(
    within(storage, async (tx) => {
      await tx.users.insert(user());
      await tx.users.insert(user());
    }),
  ).rejects.toMatchObject({ code: "store_unavailable" });
  const other = new Database(place.file);
  other.exec("BEGIN IMMEDIATE; ROLLBACK");
  other.close();
});
