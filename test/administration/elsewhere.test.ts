import { beforeEach, describe, expect, test } from "vitest";
import { outcomeOf } from "./support/outcome.ts";
import { actor, addBeta, all, deleted, openAcme, owner } from "./support/world.ts";
import type { RecordPage } from "../../src/core/storage.ts";
import type { World } from "./support/world.ts";

/*
 * An administrator of acme asks for what is beta's, or the gateway's, by its id: in a gateway where that is there,
 * and in one where it never was. There is nothing by which the two answers could be told apart.
 */

const ada = actor("ada", "acme", "admin");
const newest = { order: "newest", limit: 100 } as const;
let withBeta: World;
let without: World;
let ids: { bob: string; root: string };

beforeEach(async () => {
  without = await openAcme();
  withBeta = await openAcme();
  ids = await addBeta(withBeta);
});

type Ask = (world: World["administration"]) => unknown;

const inAcme = (userId: string) => ({ organizationId: "acme", userId });
const inBeta = (userId: string) => ({ organizationId: "beta", userId });

const absent: Record<string, Ask> = {
  "set a member there": (a) => a.members.set(ada, { ...inBeta("bob"), role: "viewer" }),
  "set one of their own there": (a) => a.members.set(ada, { ...inBeta("ed"), role: "viewer" }),
  "set its user here": (a) => a.members.set(ada, { ...inAcme("bob"), role: "viewer" }),
  "set a user of none here": (a) => a.members.set(ada, { ...inAcme("free"), role: "viewer" }),
  "remove a member there": (a) => a.members.remove(ada, inBeta("bob")),
  "remove one of their own there": (a) => a.members.remove(ada, inBeta("ed")),
  "remove its user here": (a) => a.members.remove(ada, inAcme("bob")),
  "make a token there": (a) => a.tokens.create(ada, { name: "x", ...inBeta("bob") }),
  "make one of their own a token there": (a) =>
    a.tokens.create(ada, { name: "x", ...inBeta("ed") }),
  "make its user a token here": (a) => a.tokens.create(ada, { name: "x", ...inAcme("bob") }),
  "make its user a token": (a) => a.tokens.create(ada, { name: "x", userId: "bob" }),
  "replace its token": (a) => a.tokens.rotate(ada, ids.bob),
  "replace the owner's token": (a) => a.tokens.rotate(ada, ids.root),
  "revoke its token": (a) => a.tokens.revoke(ada, ids.bob),
  "revoke the owner's token": (a) => a.tokens.revoke(ada, ids.root),
};

const forbidden: Record<string, Ask> = {
  "add it": (a) => a.organizations.add(ada, { id: "beta", name: "x" }),
  "remove it": (a) => a.organizations.remove(ada, "beta"),
  "restore it": (a) => a.organizations.restore(ada, "beta"),
  "add its user": (a) => a.users.add(ada, { id: "bob", name: "x" }),
  "remove its user": (a) => a.users.remove(ada, "bob"),
  "restore its user": (a) => a.users.restore(ada, "bob"),
  "restore a member there": (a) => a.members.restore(ada, inBeta("bob")),
  "restore its user here": (a) => a.members.restore(ada, inAcme("bob")),
  "restore a server": (a) => a.restoreServer(ada, "betas"),
};

/** There are no more after them. */
const rowsOf = async (page: Promise<RecordPage<unknown>>): Promise<readonly unknown[]> => {
  const { rows, next } = await page;
  expect(next).toBeNull();
  return rows;
};

const empty: Record<string, Ask> = {
  "its members": (a) => a.members.list(ada, { ...all, organizationId: "beta" }),
  "what its user is": (a) => a.members.list(ada, { ...all, userId: "bob" }),
  "tokens of its user": (a) => a.tokens.list(ada, { ...all, userId: "bob" }),
  "its history": (a) => rowsOf(a.history(ada, { organizationId: "beta", limit: 100 })),
  "history of its token": (a) => rowsOf(a.history(ada, { entityId: ids.bob, limit: 100 })),
  "history of its user": (a) =>
    rowsOf(a.history(ada, { entity: "user", entityId: "bob", limit: 100 })),
  "history of servers": (a) => rowsOf(a.history(ada, { entity: "server", limit: 100 })),
  "its calls": (a) => rowsOf(a.audit(ada, { ...newest, organizationId: "beta" })),
  "calls of its user": (a) => rowsOf(a.audit(ada, { ...newest, userId: "bob" })),
  "calls of its session": (a) => rowsOf(a.audit(ada, { ...newest, sessionId: "session of beta" })),
  "calls of nobody": (a) => rowsOf(a.audit(ada, { ...newest, sessionId: "session of null" })),
};

/** Asked in both, the answers are one. */
const asked = async (ask: Ask | undefined): Promise<object> => {
  const there = await outcomeOf(() => ask?.(withBeta.administration));
  const nowhere = await outcomeOf(() => ask?.(without.administration));
  expect(there).toStrictEqual(nowhere);
  return there;
};

describe("what is another organisation's cannot be told from what is nowhere", () => {
  test.each(Object.keys(absent))("%s", async (name) => {
    expect(await asked(absent[name])).toMatchObject({ code: "not_found" });
  });

  test.each(Object.keys(forbidden))("%s", async (name) => {
    expect(await asked(forbidden[name])).toMatchObject({ code: "forbidden" });
  });

  test.each(Object.keys(empty))("%s", async (name) => {
    expect(await asked(empty[name])).toStrictEqual({ gave: [] });
  });

  test("nor when it was deleted there", async () => {
    const { users, organizations, members } = withBeta.administration;
    await members.remove(owner, inBeta("ed"));
    await users.remove(owner, "bob");
    await users.remove(owner, "free");
    await organizations.remove(owner, "beta");
    for (const ask of [...Object.values(absent), ...Object.values(forbidden)]) await asked(ask);
    for (const ask of Object.values(empty)) {
      expect(await asked(ask)).toStrictEqual({ gave: [] });
    }
  });

  test.each([all, deleted])("lists are the same with it and without: %j", async (options) => {
    const { tokens } = without;
    const renamed = (value: unknown): string =>
      JSON.stringify(value)
        .replaceAll(withBeta.tokens.ada, tokens.ada)
        .replaceAll(withBeta.tokens.vic, tokens.vic);
    for (const list of [
      ({ organizations }: World["administration"]) => organizations.list(ada, options),
      ({ users }: World["administration"]) => users.list(ada, options),
      ({ members }: World["administration"]) => members.list(ada, options),
    ]) {
      expect(list(withBeta.administration)).toStrictEqual(list(without.administration));
    }
    const tokensOf = ({ administration }: World): string[] =>
      administration.tokens
        .list(ada, options)
        .map((token) => renamed(token))
        .toSorted();
    expect(tokensOf(withBeta)).toStrictEqual(tokensOf(without));
  });
});
