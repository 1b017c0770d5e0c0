import { beforeEach, describe, expect, test } from "vitest";
import { actor, all, openAcme, owner } from "./support/world.ts";
import type { World } from "./support/world.ts";

let world: World;
let tokens: World["administration"]["tokens"];

beforeEach(async () => {
  world = await openAcme();
  ({ tokens } = world.administration);
});

const inAcme = (userId: string) => ({ organizationId: "acme", userId });
const ada = actor("ada", "acme", "admin");

const of = (userId: string, ...scopes: string[]) => ({ name: "x", ...inAcme(userId), scopes });

describe("scopes of a member's token", () => {
  test.each<[string, string[], string]>([
    ["vic", ["role:editor"], "editor"],
    ["vic", ["server:db", "role:admin"], "admin"],
    ["ed", ["role:viewer", "role:admin"], "admin"],
  ])("of %s, %j, are no more than is held", async (userId, scopes, role) => {
    for (const by of [ada, owner]) {
      await expect(tokens.create(by, of(userId, ...scopes))).rejects.toMatchObject({
        code: "forbidden",
        message: expect.stringContaining("no more than its user holds"),
        hint: `agent member set ${userId} acme ${role}`,
      });
    }
  });

  test.each([
    ["server:"],
    ["tag:"],
    ["role:owner"],
    ["role:Viewer"],
    ["server"],
    ["server:a\nb"],
    ["server:\u202Ea"],
    [`server:${"x".repeat(100)}`],
    ["*"],
    [""],
  ])("are none that nothing asks for, or nobody could read: %j", async (scope) => {
    await expect(tokens.create(ada, of("ed", "server:db", scope))).rejects.toMatchObject({
      code: "usage",
      hint: "Scopes: server:<name>, tag:<tag>, role:<role>, metrics",
    });
  });

  test.each([
    ["tag:demo,role:viewer"],
    ["tag:demo, role:viewer"],
    ["server:db server:files"],
    ["server:db;tag:demo"],
    ["server:db,role:nobody"],
    ["server:db metrics"],
    ["metrics,server:db"],
  ])("are not several in one: %j", async (scope) => {
    await expect(tokens.create(ada, of("ed", scope))).rejects.toMatchObject({
      code: "usage",
      message: `"${scope}" is several scopes in one`,
      hint: expect.stringContaining("one --scope for each"),
    });
  });

  test.each([["server:my db, the large"], ["tag:a,b"], ["tag:with metrics-like words"]])(
    "may name what holds commas and spaces: %j",
    async (scope) => {
      const { details } = await tokens.create(ada, of("ed", scope));
      expect(details.scopes).toStrictEqual([scope]);
    },
  );

  test("have no role above the token's own", async () => {
    for (const by of [ada, owner]) {
      const wanted = { ...of("ada", "role:viewer", "role:admin"), role: "editor" as const };
      await expect(tokens.create(by, wanted)).rejects.toMatchObject({
        code: "usage",
        message: "The scope role:admin is above the role editor of the token",
        hint: expect.stringContaining("as editor"),
      });
    }
    const lesser = { ...of("ada", "role:viewer"), role: "editor" as const };
    const { details } = await tokens.create(ada, lesser);
    expect(details).toMatchObject({ role: "editor", effectiveRole: "viewer" });
  });

  test("are never metrics, beside others either", async () => {
    for (const by of [ada, owner]) {
      const making = tokens.create(by, of("ada", "server:db", "metrics"));
      await expect(making).rejects.toMatchObject({ code: by === ada ? "forbidden" : "usage" });
    }
  });

  test.each<[string, string[], object]>([
    ["ed", ["server:db"], { role: "editor" }],
    ["ed", ["server:db", "role:viewer"], { role: "viewer", userRole: "editor" }],
    ["ed", ["role:viewer"], { role: "viewer", userRole: "editor" }],
    ["ada", ["tag:x"], { role: "editor", userRole: "admin" }],
    ["ada", ["role:admin"], { role: "admin" }],
    ["vic", ["server:db", "server:db"], { role: "viewer" }],
  ])("of %s, %j, are what it is used as, and shown", async (userId, scopes, principal) => {
    const { token, details } = await tokens.create(ada, of(userId, ...scopes));
    const row = tokens.list(ada, all).find(({ id }) => id === details.id);
    expect(row).toMatchObject({
      scopes: [...new Set(scopes)],
      effectiveRole: "role" in principal ? principal.role : undefined,
    });
    expect(await world.admit(token)).toMatchObject({ scopes: [...new Set(scopes)], ...principal });
    expect(Object.keys((await world.admit(token)) ?? {}).includes("userRole")).toBe(
      "userRole" in principal,
    );
  });

  test("count for no more than its user holds now", async () => {
    const { members } = world.administration;
    const { token } = await tokens.create(ada, of("ed", "server:db", "role:editor"));
    await members.set(ada, { ...inAcme("ed"), role: "viewer" });
    expect(await world.admit(token)).toMatchObject({
      role: "viewer",
      scopes: ["server:db", "role:editor"],
    });
    await members.set(ada, { ...inAcme("ed"), role: "admin" });
    expect(await world.admit(token)).toMatchObject({ role: "editor", userRole: "admin" });
    await members.remove(ada, inAcme("ed"));
    expect(await world.authenticate(token)).toMatchObject({ kind: "rejected" });
  });

  test("let a token that is limited to servers administer nothing, and so make none", async () => {
    const { token } = await tokens.create(ada, of("ada", "server:db"));
    const by = await world.admit(token);
    for (const denied of [
      () => tokens.create(by, { name: "y", ...inAcme("ada") }),
      () => world.administration.members.set(by, { ...inAcme("vic"), role: "admin" }),
      () => world.administration.audit(by, { limit: 1, order: "newest" }),
      () => world.administration.history(by, { limit: 1 }),
      async () => tokens.list(by, all),
    ]) {
      await expect(denied()).rejects.toMatchObject({ code: "forbidden", scopes: ["role:admin"] });
    }
  });

  test("of the owner may be of the metrics and others", async () => {
    const { token } = await tokens.create(owner, { name: "x", scopes: ["metrics", "server:db"] });
    expect(await world.admit(token)).toMatchObject({ role: "editor", userRole: "admin" });
  });
});
