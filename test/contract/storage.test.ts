import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AuditEvent } from "../../src/core/audit.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { MintedToken, Storage, StorageTransaction } from "../../src/core/storage.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { createSilentLogger } from "../storage/support/silent-logger.ts";
import { bundleStorageWorker } from "../storage/support/storage-worker-bundle.ts";

let bundle: Awaited<ReturnType<typeof bundleStorageWorker>>;
let directory: string;

beforeAll(async () => {
  bundle = await bundleStorageWorker();
  directory = await mkdtemp(join(tmpdir(), "onedoor-storage-"));
});
afterAll(async () => {
  await bundle.remove();
  await rm(directory, { recursive: true, force: true });
});

const adapters: Record<string, () => Promise<Storage>> = {
  memory: async () => createMemoryStorage(randomUUID()),
  sqlite: () => {
    const place = join(directory, randomUUID());
    return openSqliteStorage({
      file: join(place, "onedoor.db"),
      lockFile: join(place, "owner.lock"),
      now: Date.now,
      newId: randomUUID,
      logger: createSilentLogger(),
      workerUrl: bundle.url,
    });
  },
};

function token(changes: Partial<MintedToken> = {}): MintedToken {
  const id = randomUUID();
  return {
    id,
    hash: `hash of ${id}`,
    kind: "cli",
    userId: "ada",
    role: "admin",
    createdAtMs: 1_000,
    expiresAtMs: 2_000,
    revokedAtMs: null,
    ...changes,
  };
}

function event(changes: Partial<AuditEvent> = {}): AuditEvent {
  return {
    id: randomUUID(),
    timeMs: 1_764_000_000_000,
    toolName: "everything__echo",
    params: { message: "grüß \u{1F600} 'quoted'", nested: { list: [1, null, true] } },
    status: "success",
    durationMs: 12.5,
    userId: null,
    organizationId: null,
    projectId: null,
    sessionId: null,
    clientName: "unknown",
    ...changes,
  };
}

const refused = { code: "store_unavailable" };

describe.each(Object.entries(adapters))("storage in %s", (_name, open) => {
  let storage: Storage;
  const within = <T>(work: (tx: StorageTransaction) => Promise<T>): Promise<T> =>
    storage.withPrincipal(systemPrincipal, work);

  beforeEach(async () => {
    storage = await open();
  });
  afterEach(() => storage.close());

  test("has an instance id", () => {
    expect(storage.instanceId).toMatch(/^[\w-]{20,}$/);
  });

  test("finds a token by its hash, every field as it was", async () => {
    const [mine, other] = [token({ revokedAtMs: 5 }), token({ role: "viewer" })];
    await within(async (tx) => {
      await tx.tokens.insert(mine);
      await tx.tokens.insert(other);
    });
    expect(await within((tx) => tx.tokens.findByHash(mine.hash))).toStrictEqual(mine);
    expect(await within((tx) => tx.tokens.findByHash(other.hash))).toStrictEqual(other);
    expect(await within((tx) => tx.tokens.findByHash("x"))).toBeUndefined();
  });

  test("refuses a second token with the same hash or id", async () => {
    const first = token();
    await within((tx) => tx.tokens.insert(first));
    await expect(
      within((tx) => tx.tokens.insert(token({ hash: first.hash }))),
    ).rejects.toMatchObject(refused);
    await expect(within((tx) => tx.tokens.insert(token({ id: first.id })))).rejects.toMatchObject(
      refused,
    );
  });

  test("revokes a live token once", async () => {
    const live = token();
    const expired = token({ expiresAtMs: 1_500 });
    await within(async (tx) => {
      await tx.tokens.insert(live);
      await tx.tokens.insert(expired);
    });
    expect(await within((tx) => tx.tokens.revoke(live.id, 1_600))).toBe(true);
    expect(await within((tx) => tx.tokens.revoke(live.id, 1_700))).toBe(false);
    expect(await within((tx) => tx.tokens.revoke(expired.id, 1_600))).toBe(false);
    expect(await within((tx) => tx.tokens.revoke("nobody's", 1_600))).toBe(false);
    const found = await within((tx) => tx.tokens.findByHash(live.hash));
    expect(found?.revokedAtMs).toBe(1_600);
  });

  test("forgets tokens that expired before the time given", async () => {
    const [old, young] = [token({ expiresAtMs: 1_999 }), token({ expiresAtMs: 2_000 })];
    await within(async (tx) => {
      await tx.tokens.insert(old);
      await tx.tokens.insert(young);
    });
    expect(await within((tx) => tx.tokens.deleteExpired(2_000))).toBe(1);
    expect(await within((tx) => tx.tokens.findByHash(old.hash))).toBeUndefined();
    expect(await within((tx) => tx.tokens.findByHash(young.hash))).toStrictEqual(young);
  });

  test("lists audit events newest first, every field as it was, nulls included", async () => {
    const first = event({ timeMs: 10 });
    const second = event({
      timeMs: 20,
      status: "denied",
      userId: "ada",
      organizationId: "o",
      projectId: "p",
      sessionId: "s",
      clientName: "cursor",
    });
    const third = event({ timeMs: 20, status: "error" });
    await within((tx) => tx.audit.appendAll([second, third]));
    await within((tx) => tx.audit.appendAll([first]));
    const list = (options: { limit: number; beforeMs?: number }) =>
      within((tx) => tx.audit.list(options));
    expect(await list({ limit: 10 })).toStrictEqual([third, second, first]);
    expect(await list({ limit: 1 })).toStrictEqual([third]);
    expect(await list({ limit: 10, beforeMs: 20 })).toStrictEqual([first]);
  });

  test("takes an empty batch", async () => {
    await within((tx) => tx.audit.appendAll([]));
    expect(await within((tx) => tx.audit.list({ limit: 10 }))).toStrictEqual([]);
  });

  test("undoes everything when the work throws, and goes on", async () => {
    const kept = token();
    await within((tx) => tx.tokens.insert(kept));
    const failure = new Error("in the middle");
    await expect(
      within(async (tx) => {
        await tx.tokens.revoke(kept.id, 1_600);
        await tx.tokens.insert(token({ hash: "undone" }));
        await tx.audit.appendAll([event()]);
        throw failure;
      }),
    ).rejects.toBe(failure);
    expect(await within((tx) => tx.tokens.findByHash(kept.hash))).toStrictEqual(kept);
    expect(await within((tx) => tx.tokens.findByHash("undone"))).toBeUndefined();
    expect(await within((tx) => tx.audit.list({ limit: 10 }))).toStrictEqual([]);
  });

  test("undoes a batch of which one row is refused", async () => {
    const twice = event();
    await expect(within((tx) => tx.audit.appendAll([event(), twice, twice]))).rejects.toMatchObject(
      refused,
    );
    expect(await within((tx) => tx.audit.list({ limit: 10 }))).toStrictEqual([]);
  });

  test("runs transactions one after the other, in the order they came", async () => {
    const steps: string[] = [];
    const step = (name: string) =>
      within(async (tx) => {
        steps.push(`${name} begins`);
        await tx.tokens.insert(token());
        await tx.tokens.findByHash("x");
        steps.push(`${name} ends`);
      });
    await Promise.all([step("a"), step("b"), step("c")]);
    expect(steps).toStrictEqual(
      ["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]),
    );
  });

  test("refuses work after it was closed, and closes twice", async () => {
    await within((tx) => tx.tokens.findByHash("x"));
    await storage.close();
    await storage.close();
    await expect(within((tx) => tx.tokens.findByHash("x"))).rejects.toMatchObject(refused);
  });
});
