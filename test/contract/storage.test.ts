import { expect, test } from "vitest";
import { auditRows } from "../storage/support/audit-rows.ts";
import { change, event, member, organization, token, user } from "../storage/support/rows.ts";
import { describeStorages, refused } from "./describe-storages.ts";

describeStorages((under) => {
  const { within } = under;

  test("has an instance id", () => {
    expect(under.storage.instanceId).toMatch(/^[\w-]{20,}$/);
  });

  test("undoes everything when the work throws, and goes on", async () => {
    const kept = token();
    await within((tx) => tx.tokens.insert(kept));
    const failure = new Error("in the middle");
    await expect(
      within(async (tx) => {
        await tx.organizations.insert(organization());
        await tx.users.insert(user());
        await tx.members.insert(member());
        await tx.tokens.replace({ ...kept, hash: null, revokedAtMs: 1_600 });
        await tx.tokens.insert(token());
        await tx.changes.append([change()]);
        await tx.audit.appendAll([event()]);
        throw failure;
      }),
    ).rejects.toBe(failure);
    expect(
      await within(async (tx) => [await tx.organizations.all(), await tx.users.all()]),
    ).toStrictEqual([[], []]);
    expect(await within((tx) => tx.members.all())).toStrictEqual([]);
    expect(await within((tx) => tx.tokens.all())).toStrictEqual([kept]);
    expect(await within((tx) => tx.changes.list({ limit: 10 }))).toStrictEqual([]);
    expect(await auditRows(under.storage)).toStrictEqual([]);
  });

  test("undoes also what came before a refused row, when that is not caught", async () => {
    await expect(
      within(async (tx) => {
        await tx.users.insert(user());
        await tx.users.insert(user());
      }),
    ).rejects.toMatchObject(refused);
    expect(await within((tx) => tx.users.all())).toStrictEqual([]);
  });

  test("sees inside a transaction what the transaction did", async () => {
    const seen = await within(async (tx) => {
      await tx.users.insert(user());
      await tx.users.replace(user({ name: "Countess" }));
      return tx.users.all();
    });
    expect(seen).toStrictEqual([user({ name: "Countess" })]);
  });

  test("runs transactions one after the other, in the order they came", async () => {
    const steps: string[] = [];
    const step = (name: string) =>
      within(async (tx) => {
        steps.push(`${name} begins`);
        await tx.tokens.insert(token());
        await tx.tokens.all();
        steps.push(`${name} ends`);
      });
    await Promise.all([step("a"), step("b"), step("c")]);
    expect(steps).toStrictEqual(
      ["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]),
    );
  });

  test("takes tokens back among many other transactions", async () => {
    const tokens = Array.from({ length: 20 }, () => token());
    await within(async (tx) => {
      for (const each of tokens) await tx.tokens.insert(each);
    });
    await Promise.all(
      tokens.flatMap((each) => [
        within((tx) => tx.tokens.replace({ ...each, hash: null, revokedAtMs: 5 })),
        within((tx) => tx.audit.appendAll([event()])),
      ]),
    );
    const left = await within((tx) => tx.tokens.all());
    expect(left.filter(({ hash }) => hash !== null)).toStrictEqual([]);
  });

  test("refuses work after it was closed, and closes twice", async () => {
    await within((tx) => tx.tokens.all());
    await under.storage.close();
    await under.storage.close();
    await expect(within((tx) => tx.tokens.all())).rejects.toMatchObject(refused);
    await expect(auditRows(under.storage)).rejects.toMatchObject(refused);
  });
});
