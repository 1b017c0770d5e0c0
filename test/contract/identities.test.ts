import { describe, expect, test } from "vitest";
import type { SessionRefresh } from "../../src/core/identities.ts";
import type { StorageTransaction } from "../../src/core/storage.ts";
import { RowRefused } from "../../src/storage/row-refused.ts";
import { member, organization, token, user } from "../storage/support/rows.ts";
import { describeStorages } from "./describe-storages.ts";

describeStorages(({ within }) => {
  test("gives back every field as it was, in the order of creation, deleted rows too", async () => {
    const late = organization({ id: "a-first-by-name", createdAtMs: 3_000 });
    const gone = organization({ id: "gone", createdAtMs: 2_000, deletedAtMs: 2_500 });
    const twin = organization({ id: "a-twin", createdAtMs: 2_000 });
    const password = { hash: "$scrypt$ln=16,r=8,p=2$c2FsdA$a2V5", setAtMs: 2_100 };
    const users = [
      user({ id: "z-last-by-name", createdAtMs: 1_000, password, disabledAtMs: 2_200 }),
      user({ ...gone, password }),
      user({ ...twin, disabledAtMs: 2_300 }),
    ];
    await within(async (tx) => {
      for (const row of [late, gone, twin]) await tx.organizations.insert(row);
      for (const row of users) await tx.users.insert(row);
      await tx.members.insert(member({ organizationId: "gone", userId: "a-twin", createdAtMs: 9 }));
      await tx.members.insert(
        member({ organizationId: "gone", userId: "gone", createdAtMs: 8, deletedAtMs: 9 }),
      );
    });
    expect(await within((tx) => tx.organizations.all())).toStrictEqual([gone, twin, late]);
    expect(await within((tx) => tx.users.all())).toStrictEqual(users);
    expect(await within((tx) => tx.members.all())).toStrictEqual([
      member({ organizationId: "gone", userId: "gone", createdAtMs: 8, deletedAtMs: 9 }),
      member({ organizationId: "gone", userId: "a-twin", createdAtMs: 9 }),
    ]);
  });

  test("gives back tokens as they were: of an organisation or none, for ever, scoped, taken back, of a session", async () => {
    const tokens = [
      token(),
      token({
        kind: "personal",
        name: "ci",
        organizationId: "acme",
        role: "viewer",
        scopes: ["metrics", "x"],
        expiresAtMs: null,
      }),
      token({ kind: "session", organizationId: "acme", role: null, refresh: refresh("first") }),
      token({
        kind: "session",
        organizationId: "acme",
        refresh: refresh("second", { expiresAtMs: 9_001 }),
      }),
      token({ hash: null, revokedAtMs: 1_500 }),
      token({ hash: null, revokedAtMs: 1_500 }),
    ];
    await within(async (tx) => {
      await setUp(tx);
      for (const each of tokens) await tx.tokens.insert(each);
    });
    expect(await within((tx) => tx.tokens.all())).toStrictEqual(tokens);
  });

  test("replaces one row, whole", async () => {
    const changed = {
      organization: organization({ name: "Other", createdAtMs: 7, deletedAtMs: 8 }),
      user: user({
        name: "Other",
        password: { hash: "another", setAtMs: 7 },
        disabledAtMs: 8,
        createdAtMs: 7,
        deletedAtMs: 8,
      }),
      member: member({ role: "admin", createdAtMs: 7, deletedAtMs: 8 }),
    };
    const before = token();
    const after = token({
      id: before.id,
      hash: null,
      kind: "personal",
      name: "new",
      userId: "bob@example.com",
      organizationId: "acme",
      role: "viewer",
      scopes: ["metrics"],
      createdAtMs: 7,
      expiresAtMs: null,
      refresh: refresh("new"),
      revokedAtMs: 8,
    });
    await within(async (tx) => {
      await setUp(tx);
      await tx.tokens.insert(before);
      await tx.organizations.replace(changed.organization);
      await tx.users.replace(changed.user);
      await tx.members.replace(changed.member);
      await tx.tokens.replace(after);
    });
    const [organizations, users, members, tokens] = await within(async (tx) => [
      await tx.organizations.all(),
      await tx.users.all(),
      await tx.members.all(),
      await tx.tokens.all(),
    ]);
    expect(organizations).toStrictEqual([
      changed.organization,
      organization({ id: "beta", name: "Beta" }),
    ]);
    expect(users).toStrictEqual([changed.user, user({ id: "bob@example.com", name: "Bob" })]);
    expect(members).toHaveLength(3);
    expect(members).toContainEqual(changed.member);
    expect(tokens).toStrictEqual([after]);
  });

  describe("refuses a row", () => {
    const live = token({ refresh: refresh("theirs") });
    test.each<[string, (tx: StorageTransaction) => Promise<void>]>([
      ["an organisation that is there", (tx) => tx.organizations.insert(organization())],
      ["a user that is there", (tx) => tx.users.insert(user())],
      ["a member that is there", (tx) => tx.members.insert(member({ role: "admin" }))],
      ["a token with an id that is there", (tx) => tx.tokens.insert(token({ id: live.id }))],
      ["a token with a hash that is there", (tx) => tx.tokens.insert(token({ hash: live.hash }))],
      [
        "a session with a refresh token that is there",
        (tx) => tx.tokens.insert(token({ refresh: refresh("theirs", { familyHash: "another" }) })),
      ],
      [
        "a session with a family of refresh tokens that is there",
        (tx) =>
          tx.tokens.insert(
            token({ refresh: refresh("another", { familyHash: "family of theirs" }) }),
          ),
      ],
      ["an unknown organisation", (tx) => tx.organizations.replace(organization({ id: "x" }))],
      ["an unknown user", (tx) => tx.users.replace(user({ id: "x" }))],
      ["an unknown member", (tx) => tx.members.replace(member({ organizationId: "beta" }))],
      ["an unknown token", (tx) => tx.tokens.replace(token())],
      ["a member of nothing", (tx) => tx.members.insert(member({ organizationId: "x" }))],
      ["nobody as a member", (tx) => tx.members.insert(member({ userId: "x" }))],
      ["a token of no member", (tx) => tx.tokens.insert(token({ organizationId: "beta" }))],
      [
        "a token handed to no member",
        (tx) => tx.tokens.replace({ ...live, organizationId: "beta" }),
      ],
    ])("%s", async (_what, work) => {
      await within(async (tx) => {
        await setUp(tx);
        await tx.tokens.insert(live);
      });
      const whole = () => within(async (tx) => [await tx.members.all(), await tx.tokens.all()]);
      const before = await whole();
      await expect(within(work)).rejects.toBeInstanceOf(RowRefused);
      expect(await whole()).toStrictEqual(before);
    });

    test("a hash that another token has, at a replacement", async () => {
      const [first, second] = [token(), token()];
      await within(async (tx) => {
        await tx.tokens.insert(first);
        await tx.tokens.insert(second);
      });
      await expect(
        within((tx) => tx.tokens.replace({ ...second, hash: first.hash })),
      ).rejects.toBeInstanceOf(RowRefused);
      await within((tx) => tx.tokens.replace({ ...first, name: "its own hash is no conflict" }));
    });
  });

  describe("purges", () => {
    test("what was deleted before the time given, and nothing else", async () => {
      const rows = [
        organization({ id: "live" }),
        organization({ id: "old", deletedAtMs: 99 }),
        organization({ id: "young", deletedAtMs: 100 }),
      ];
      await within(async (tx) => {
        for (const row of rows) await tx.organizations.insert(row);
        for (const row of rows) await tx.users.insert(user(row));
        await tx.members.insert(member({ organizationId: "live", userId: "live" }));
        await tx.members.insert(
          member({ organizationId: "young", userId: "live", deletedAtMs: 99 }),
        );
      });
      expect(await within((tx) => tx.members.purge(100))).toBe(1);
      expect(await within((tx) => tx.organizations.purge(100))).toBe(1);
      expect(await within((tx) => tx.users.purge(100))).toBe(1);
      expect(await within((tx) => tx.users.purge(100))).toBe(0);
      const left = await within(async (tx) => [await tx.organizations.all(), await tx.users.all()]);
      expect(left.map((list) => list.map(({ id }) => id))).toStrictEqual([
        ["live", "young"],
        ["live", "young"],
      ]);
      expect(await within((tx) => tx.members.all())).toHaveLength(1);
    });

    test("members of what is to be purged, counted", async () => {
      await within(async (tx) => {
        await setUp(tx);
        await tx.organizations.replace(organization({ id: "beta", deletedAtMs: 5 }));
        await tx.users.replace(user({ deletedAtMs: 5 }));
      });
      expect(await within((tx) => tx.members.purge(5))).toBe(0);
      expect(await within((tx) => tx.members.purge(6))).toBe(2);
      expect(await within((tx) => tx.members.all())).toStrictEqual([
        member({ userId: "bob@example.com", role: "viewer" }),
      ]);
    });

    test.each(["organizations", "users"] as const)(
      "%s with their members and those members' tokens, and leaves the others'",
      async (table) => {
        const [theirs, ours, others] = [
          token({ organizationId: "acme" }),
          token(),
          token({ organizationId: "beta", userId: "bob@example.com" }),
        ];
        await within(async (tx) => {
          await setUp(tx);
          for (const each of [theirs, ours, others]) await tx.tokens.insert(each);
          await (table === "users"
            ? tx.users.replace(user({ deletedAtMs: 5 }))
            : tx.organizations.replace(organization({ deletedAtMs: 5 })));
        });
        expect(await within((tx) => tx[table].purge(6))).toBe(1);
        const members = await within((tx) => tx.members.all());
        expect(members).toHaveLength(table === "users" ? 2 : 1);
        expect(await within((tx) => tx.tokens.all())).toStrictEqual([ours, others]);
      },
    );

    test("tokens taken back or expired before the time given, not those that never expire", async () => {
      const kept = [
        token({ expiresAtMs: 100 }),
        token({ expiresAtMs: null }),
        token({ expiresAtMs: null, hash: null, revokedAtMs: 100 }),
        token({ expiresAtMs: 50, refresh: refresh("good for another", { expiresAtMs: 100 }) }),
      ];
      await within(async (tx) => {
        for (const each of kept) await tx.tokens.insert(each);
        await tx.tokens.insert(token({ expiresAtMs: 99 }));
        await tx.tokens.insert(
          token({ expiresAtMs: 98, refresh: refresh("old", { expiresAtMs: 99 }) }),
        );
        await tx.tokens.insert(token({ expiresAtMs: 200, hash: null, revokedAtMs: 99 }));
      });
      expect(await within((tx) => tx.tokens.purge(100))).toBe(3);
      expect(await within((tx) => tx.tokens.all())).toStrictEqual(kept);
    });
  });
});

const refresh = (hash: string, changes: Partial<SessionRefresh> = {}): SessionRefresh => ({
  hash,
  familyHash: `family of ${hash}`,
  expiresAtMs: 9_000,
  ...changes,
});

/** Acme with Ada, Beta with Bob, both users members of Acme. */
async function setUp(tx: StorageTransaction): Promise<void> {
  const bob = "bob@example.com";
  await tx.organizations.insert(organization());
  await tx.organizations.insert(organization({ id: "beta", name: "Beta" }));
  await tx.users.insert(user());
  await tx.users.insert(user({ id: bob, name: "Bob" }));
  await tx.members.insert(member());
  await tx.members.insert(member({ userId: bob, role: "viewer" }));
  await tx.members.insert(member({ organizationId: "beta", userId: bob }));
}
