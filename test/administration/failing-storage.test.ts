import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { createFailingStorage } from "../auth/support/failing-storage.ts";
import type { FailingStorage } from "../auth/support/failing-storage.ts";
import { contentOf } from "../auth/support/identities.ts";
import { outcomeOf } from "./support/outcome.ts";
import { addSession, openAcme, openWorld, owner, startMs } from "./support/world.ts";
import type { World } from "./support/world.ts";

const vic = { organizationId: "acme", userId: "vic" };
const pat = { organizationId: "acme", userId: "pat" };

const changes = {
  "organizations.add": ({ administration: a }) =>
    a.organizations.add(owner, { id: "new", name: "New" }),
  "organizations.remove": ({ administration: a }) => a.organizations.remove(owner, "acme"),
  "organizations.restore": ({ administration: a }) => a.organizations.restore(owner, "gone"),
  "users.add": ({ administration: a }) => a.users.add(owner, { id: "new", name: "New" }),
  "users.remove": ({ administration: a }) => a.users.remove(owner, "vic"),
  "users.restore": ({ administration: a }) => a.users.restore(owner, "lost"),
  "users.disable": ({ administration: a }) => a.users.disable(owner, "vic"),
  "users.enable": ({ administration: a }) => a.users.enable(owner, "ed"),
  "users.setPassword": ({ administration: a }) =>
    a.users.setPassword(owner, "vic", "correct horse battery"),
  "members.set": ({ administration: a }) => a.members.set(owner, { ...vic, role: "admin" }),
  "members.remove": ({ administration: a }) => a.members.remove(owner, vic),
  "members.restore": ({ administration: a }) => a.members.restore(owner, pat),
  "tokens.create": ({ administration: a }) => a.tokens.create(owner, { name: "new", ...vic }),
  "tokens.rotate": ({ administration: a, tokens }) => a.tokens.rotate(owner, tokens.vic),
  "tokens.revoke": ({ administration: a, tokens }) => a.tokens.revoke(owner, tokens.vic),
  purge: ({ administration: a }) => a.purge(owner, startMs + 1),
} satisfies Record<string, (world: World) => Promise<unknown>>;

const open = async (): Promise<{ world: World; storage: FailingStorage }> => {
  const storage = createFailingStorage(createMemoryStorage());
  const world = await openAcme(storage);
  await world.administration.users.disable(owner, "ed");
  await addSession(world, "vic");
  // What was deleted before can be purged.
  world.nowMs += 1;
  return { world, storage };
};

/** What a gateway started on this storage would know. */
const stored = async (storage: FailingStorage) => contentOf((await openWorld(storage)).directory);

const tries = Object.entries(changes).flatMap(([name, change]) =>
  (["once", "until healed"] as const).map((how) => [name, how, change] as const),
);

/** What came of a change at whose nth point the storage failed; undefined: it has fewer. */
async function failedAt(
  point: number,
  how: "once" | "until healed",
  change: (world: World) => Promise<unknown>,
): Promise<Record<string, unknown> | undefined> {
  const { world, storage } = await open();
  const before = contentOf(world.directory);
  const rows = await world.history();
  storage.failAt(point, how);
  const outcome = await outcomeOf(() => change(world));
  if (!storage.heal()) return undefined;
  const after = await stored(storage);
  const written = (await world.history()).length > rows.length;
  const here = contentOf(world.directory);
  const result = {
    code: "code" in outcome ? outcome.code : "ok",
    written,
    storageIsAsBefore: isDeepStrictEqual(after, before),
    hereIsAsBefore: isDeepStrictEqual(here, before),
    hereIsAsInStorage: isDeepStrictEqual(here, after),
  };
  await world.administration.users.add(owner, { id: "next", name: "Next" });
  const agree = isDeepStrictEqual(contentOf(world.directory), await stored(storage));
  return { ...result, agreeAfterTheNext: agree };
}

describe("a storage that fails at every point of a change", () => {
  test.each(tries)("%s, %s: memory and storage agree", async (_name, how, change) => {
    const results: Record<string, unknown>[] = [];
    for (;;) {
      const result = await failedAt(results.length, how, change);
      if (result === undefined) break;
      results.push(result);
    }
    const answerLost = results.pop();
    // Begin, row and history (before and after each), commit: nothing of it is anywhere.
    expect(results.length).toBeGreaterThanOrEqual(6);
    expect(new Set(results.map((result) => JSON.stringify(result)))).toStrictEqual(
      new Set([
        JSON.stringify({
          code: "store_unavailable",
          written: false,
          storageIsAsBefore: true,
          hereIsAsBefore: true,
          hereIsAsInStorage: true,
          agreeAfterTheNext: true,
        }),
      ]),
    );
    // It was committed, and is in effect as soon as the storage can be asked: now, or with the next change.
    expect(answerLost).toMatchObject({
      code: "store_unavailable",
      written: true,
      hereIsAsInStorage: how === "once",
      agreeAfterTheNext: true,
    });
  });
});
