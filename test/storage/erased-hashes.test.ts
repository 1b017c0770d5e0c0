import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "libsql";
import { beforeEach, expect, test } from "vitest";
import type { MintedToken } from "../../src/core/identities.ts";
import type { Storage } from "../../src/core/storage.ts";
import { event, token, user } from "./support/rows.ts";
import { useStoragePlace, within } from "./support/storage-place.ts";

const place = useStoragePlace();
let storage: Storage;
beforeEach(async () => {
  storage = await place.open();
});

const withHash = (): MintedToken & { hash: string } => ({
  ...token(),
  hash: createHash("sha256").update(randomUUID()).digest("base64url"),
});
const insert = (tokens: readonly MintedToken[]): Promise<void> =>
  within(storage, async (tx) => {
    for (const each of tokens) await tx.tokens.insert(each);
  });
const takeBack = (each: MintedToken): Promise<void> =>
  within(storage, (tx) => tx.tokens.replace({ ...each, hash: null, revokedAtMs: 5 }));

/** The files of the state directory in which one of the hashes can be read. */
const filesWith = async (tokens: readonly { hash: string }[]): Promise<string[]> => {
  const found: string[] = [];
  for (const name of await readdir(place.state)) {
    const bytes = await readFile(join(place.state, name));
    if (tokens.some(({ hash }) => bytes.includes(hash))) found.push(name);
  }
  return found;
};

test("the hash of a token that is taken back is in no file any more, also among many others", async () => {
  const tokens = Array.from({ length: 300 }, withHash);
  await insert(tokens);
  await within(storage, (tx) => tx.audit.appendAll([event(), event()]));
  expect(await filesWith(tokens)).toContain("onedoor.db-wal");
  const [first, ...others] = tokens;
  await takeBack(first ?? token());
  expect(await filesWith(tokens.slice(0, 1))).toStrictEqual([]);
  expect(await filesWith(others)).toStrictEqual(["onedoor.db"]);
  for (const each of others) await takeBack(each);
  expect(await filesWith(tokens)).toStrictEqual([]);
  expect(place.logger.warnings).toStrictEqual([]);
});

test("so is one that was replaced, and one that was purged", async () => {
  const [old, expired] = [withHash(), withHash()];
  await insert([old, expired]);
  const fresh = withHash();
  await within(storage, (tx) => tx.tokens.replace({ ...old, hash: fresh.hash, expiresAtMs: null }));
  expect(await filesWith([old])).toStrictEqual([]);
  expect(await within(storage, (tx) => tx.tokens.purge(5_000))).toBe(1);
  expect(await filesWith([expired])).toStrictEqual([]);
  expect(await filesWith([fresh])).toStrictEqual(["onedoor.db"]);
});

test("so are a session's refresh tokens when it ends, and a password that is replaced", async () => {
  const [first, second, third, fourth] = [withHash(), withHash(), withHash(), withHash()];
  const session = token({
    kind: "session",
    refresh: { hash: first.hash, familyHash: second.hash, expiresAtMs: 9_000 },
  });
  const ada = user({ password: { hash: third.hash, setAtMs: 5 } });
  await within(storage, async (tx) => {
    await tx.tokens.insert(session);
    await tx.users.insert(ada);
  });
  await within(storage, (tx) => tx.tokens.replace({ ...session, hash: null, refresh: null }));
  expect(await filesWith([first, second])).toStrictEqual([]);
  expect(await filesWith([third])).not.toStrictEqual([]);
  await within(storage, (tx) =>
    tx.users.replace({ ...ada, password: { hash: fourth.hash, setAtMs: 6 } }),
  );
  expect(await filesWith([third])).toStrictEqual([]);
  expect(await filesWith([fourth])).toStrictEqual(["onedoor.db"]);
});

test("it is said when another program keeps the log from being emptied", async () => {
  const old = withHash();
  await insert([old]);
  const reader = spawn(process.execPath, [place.bundle.readScript, place.file], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(reader, "exit");
  try {
    await once(reader.stdout, "data");
    await takeBack(old);
  } finally {
    reader.stdin.end();
    await ended;
  }
  expect(place.logger.warnings).toStrictEqual([
    "A change is written, but a power cut could still undo it, and what it erased is still in the log",
  ]);
  // The next one does it for both.
  const other = withHash();
  await insert([other]);
  await takeBack(other);
  expect(await filesWith([old, other])).toStrictEqual([]);
  expect(place.logger.warnings).toHaveLength(1);
  const database = new Database(place.file);
  expect(database.prepare("SELECT hash FROM minted_tokens").pluck(true).all()).toStrictEqual([
    null,
    null,
  ]);
  database.close();
});
