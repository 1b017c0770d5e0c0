import { describe, expect, test } from "vitest";
import type { Principal } from "../../src/core/principal.ts";
import { contentOf } from "../auth/support/identities.ts";
import { verdictOf } from "./support/outcome.ts";
import { actor, addBeta, all, openAcme, owner, startMs } from "./support/world.ts";
import type { World } from "./support/world.ts";

type Operation = (world: World, by: Principal) => unknown;

const acme = (userId: string) => ({ organizationId: "acme", userId });

/** Every operation, on what is acme's or the gateway's. */
const operations: Record<string, Operation> = {
  "organizations.list": ({ administration: a }, by) => a.organizations.list(by, all),
  "organizations.add": ({ administration: a }, by) =>
    a.organizations.add(by, { id: "new", name: "New" }),
  "organizations.remove": ({ administration: a }, by) => a.organizations.remove(by, "acme"),
  "organizations.restore": ({ administration: a }, by) => a.organizations.restore(by, "gone"),
  "users.list": ({ administration: a }, by) => a.users.list(by, all),
  "users.add": ({ administration: a }, by) => a.users.add(by, { id: "new", name: "New" }),
  "users.remove": ({ administration: a }, by) => a.users.remove(by, "vic"),
  "users.restore": ({ administration: a }, by) => a.users.restore(by, "lost"),
  "users.disable": ({ administration: a }, by) => a.users.disable(by, "vic"),
  "users.enable": ({ administration: a }, by) => a.users.enable(by, "free"),
  "users.setPassword": ({ administration: a }, by) =>
    a.users.setPassword(by, "vic", "correct horse battery"),
  "members.list": ({ administration: a }, by) => a.members.list(by, all),
  "members.set": ({ administration: a }, by) =>
    a.members.set(by, { ...acme("vic"), role: "editor" }),
  "members.remove": ({ administration: a }, by) => a.members.remove(by, acme("vic")),
  "members.restore": ({ administration: a }, by) => a.members.restore(by, acme("pat")),
  "tokens.list": ({ administration: a }, by) => a.tokens.list(by, all),
  "tokens.create": ({ administration: a }, by) =>
    a.tokens.create(by, { name: "new", ...acme("vic") }),
  "tokens.rotate": ({ administration: a, tokens }, by) => a.tokens.rotate(by, tokens.vic),
  "tokens.revoke": ({ administration: a, tokens }, by) => a.tokens.revoke(by, tokens.vic),
  history: ({ administration: a }, by) => a.history(by, { limit: 10 }),
  audit: ({ administration: a }, by) => a.audit(by, { order: "newest", limit: 10 }),
  purge: ({ administration: a }, by) => a.purge(by, startMs),
  restoreServer: ({ administration: a }, by) => a.restoreServer(by, "files"),
};

const ofTheGateway = new Set([
  ...["organizations", "users"].flatMap((kind) =>
    ["add", "remove", "restore"].map((verb) => `${kind}.${verb}`),
  ),
  "users.disable",
  "users.enable",
  "users.setPassword",
  "members.restore",
  "purge",
  "restoreServer",
]);
const reading = Object.keys(operations).filter(
  (name) => name.endsWith(".list") || name === "history" || name === "audit",
);
const names = Object.keys(operations);

const open = async (): Promise<World> => {
  const world = await openAcme();
  await addBeta(world);
  await world.administration.users.disable(owner, "free");
  return world;
};

/** All that could have been changed. */
const stateOf = async (world: World) => ({
  ...contentOf(world.directory),
  history: await world.history(),
});

const run = async (
  name: string,
  by: Principal,
): Promise<{ verdict: string; changed: boolean; error: unknown }> => {
  const world = await open();
  const before = await stateOf(world);
  let error: unknown;
  const verdict = await verdictOf(async () => {
    try {
      await operations[name]?.(world, by);
    } catch (thrown) {
      error = thrown;
      throw thrown;
    }
  });
  const changed = JSON.stringify(await stateOf(world)) !== JSON.stringify(before);
  return { verdict, changed, error };
};

describe.each<[string, Principal, RegExp]>([
  ["a viewer", actor("vic", "acme", "viewer"), /needs the role admin.*viewer/],
  ["an editor", actor("ed", "acme", "editor"), /needs the role admin.*editor/],
  ["somebody without a role", actor("eve", "acme", null), /needs the role admin.*none/],
  ["somebody without role and organisation", actor("eve", null, null), /needs the role admin/],
  ["a viewer of the gateway", actor("eve", null, "viewer"), /needs the role admin.*viewer/],
  [
    "an admin's token with a scope",
    { ...actor("ada", "acme", "admin"), scopes: ["metrics"] },
    /beyond this token's scopes/,
  ],
  [
    "the owner's token with a scope",
    { ...owner, scopes: ["metrics"] },
    /beyond this token's scopes/,
  ],
])("%s", (_who, by, words) => {
  test.each(names)("may not: %s", async (name) => {
    expect(await run(name, by)).toMatchObject({
      verdict: "forbidden",
      changed: false,
      error: { message: expect.stringMatching(words), hint: expect.any(String) },
    });
  });
});

describe("an administrator of another organisation", () => {
  const bob = actor("bob", "beta", "admin");

  test.each(names)("neither changes nor reads it: %s", async (name) => {
    const expected = ofTheGateway.has(name)
      ? "forbidden"
      : reading.includes(name)
        ? "ok"
        : "not_found";
    expect(await run(name, bob)).toMatchObject({ verdict: expected, changed: false });
  });

  test.each(reading)("finds nothing of it: %s", async (name) => {
    const found = JSON.stringify(await operations[name]?.(await open(), bob));
    expect(found).not.toMatch(/acme|vic|"ada"|of ada|files"|hunter2/);
    expect(found).toMatch(/beta|bob/);
  });
});

describe("an administrator of the organisation", () => {
  const ada = actor("ada", "acme", "admin");

  test.each(names.filter((name) => ofTheGateway.has(name)))("may not: %s", async (name) => {
    expect(await run(name, ada)).toMatchObject({
      verdict: "forbidden",
      changed: false,
      error: { message: expect.stringMatching(/for administrators of the gateway/) },
    });
  });

  test.each(names.filter((name) => !ofTheGateway.has(name)))("may: %s", async (name) => {
    expect(await run(name, ada)).toMatchObject({
      verdict: "ok",
      changed: !reading.includes(name),
    });
  });
});

describe("an administrator of the gateway", () => {
  test.each(names)("does everything: %s", async (name) => {
    expect(await run(name, owner)).toMatchObject({
      verdict: "ok",
      // The file is another part's.
      changed: !reading.includes(name) && name !== "restoreServer",
    });
  });

  test.each(reading)("finds what belongs to all: %s", async (name) => {
    const found = JSON.stringify(await operations[name]?.(await open(), owner));
    expect(found).toMatch(/acme|ada/);
    expect(found).toMatch(/beta|bob/);
  });
});
