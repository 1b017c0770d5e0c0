import { describe, expect, test } from "vitest";
import type { Principal } from "../../src/core/principal.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { createHeldStorage } from "../auth/support/held-storage.ts";
import { contentOf } from "../auth/support/identities.ts";
import { verdictOf } from "./support/outcome.ts";
import { actor, openAcme, owner, startMs } from "./support/world.ts";
import type { World } from "./support/world.ts";

/*
 * A change by somebody whom the change before it takes the right away: it was asked for in time, and waits for its
 * turn while the other one is being written.
 */

type Act = (world: World, by: Principal) => Promise<unknown>;

const inAcme = (userId: string) => ({ organizationId: "acme", userId });

/** What an administrator of acme may do. */
const ofAcme: Record<string, Act> = {
  "members.set": ({ administration: a }, by) =>
    a.members.set(by, { ...inAcme("vic"), role: "admin" }),
  "members.remove": ({ administration: a }, by) => a.members.remove(by, inAcme("vic")),
  "tokens.create": ({ administration: a }, by) =>
    a.tokens.create(by, { name: "back", ...inAcme("ed") }),
  "tokens.rotate": ({ administration: a, tokens }, by) => a.tokens.rotate(by, tokens.vic),
  "tokens.revoke": ({ administration: a, tokens }, by) => a.tokens.revoke(by, tokens.vic),
};
/** And what one of the gateway may besides. */
const ofTheGateway: Record<string, Act> = {
  ...ofAcme,
  "organizations.add": ({ administration: a }, by) =>
    a.organizations.add(by, { id: "new", name: "New" }),
  "organizations.remove": ({ administration: a }, by) => a.organizations.remove(by, "acme"),
  "organizations.restore": ({ administration: a }, by) => a.organizations.restore(by, "gone"),
  "users.add": ({ administration: a }, by) => a.users.add(by, { id: "new", name: "New" }),
  "users.remove": ({ administration: a }, by) => a.users.remove(by, "vic"),
  "users.restore": ({ administration: a }, by) => a.users.restore(by, "lost"),
  "users.disable": ({ administration: a }, by) => a.users.disable(by, "vic"),
  "users.enable": ({ administration: a }, by) => a.users.enable(by, "pat"),
  "users.setPassword": ({ administration: a }, by) =>
    a.users.setPassword(by, "vic", "correct horse battery"),
  "members.restore": ({ administration: a }, by) => a.members.restore(by, inAcme("pat")),
  "tokens.create for themselves": ({ administration: a }, by) =>
    a.tokens.create(by, { name: "back" }),
  purge: ({ administration: a }, by) => a.purge(by, startMs + 1),
};

const open = async () => {
  const storage = createHeldStorage(createMemoryStorage());
  const world = await openAcme(storage);
  world.nowMs += 1;
  const { tokens } = world.administration;
  const ada = await tokens.create(owner, { name: "x", ...inAcme("ada"), lifetimeMs: 1000 });
  const own = await tokens.create(owner, { name: "x" });
  return { world, storage, ada, own };
};
type Bench = Awaited<ReturnType<typeof open>>;

/** What comes of an act that waits while the first is written, and whether anything came of it. */
async function after(bench: Bench, first: () => unknown, act: Act, by: Principal) {
  const { world, storage } = bench;
  const release = storage.hold();
  const taking = first();
  const waiting = verdictOf(() => act(world, by));
  release();
  await taking;
  const before = contentOf(world.directory);
  const rows = await world.history();
  const verdict = await waiting;
  expect(await world.history()).toStrictEqual(rows);
  expect(contentOf(world.directory)).toStrictEqual(before);
  return verdict;
}

const takings: [string, (bench: Bench) => unknown, string][] = [
  [
    "taken out of the organisation",
    ({ world: { administration: a } }) => a.members.remove(owner, inAcme("ada")),
    "auth_rejected",
  ],
  [
    "made a viewer",
    ({ world: { administration: a } }) =>
      a.members.set(owner, { ...inAcme("ada"), role: "viewer" }),
    "forbidden",
  ],
  [
    "disabled",
    ({ world: { administration: a } }) => a.users.disable(owner, "ada"),
    "auth_rejected",
  ],
  ["removed", ({ world: { administration: a } }) => a.users.remove(owner, "ada"), "auth_rejected"],
  [
    "left without their organisation",
    ({ world: { administration: a } }) => a.organizations.remove(owner, "acme"),
    "auth_rejected",
  ],
  [
    "without their token",
    ({ world: { administration: a }, ada }) => a.tokens.revoke(owner, ada.details.id),
    "auth_rejected",
  ],
  [
    "given a new secret in place of this one",
    ({ world: { administration: a }, ada }) => a.tokens.rotate(owner, ada.details.id),
    "auth_rejected",
  ],
  [
    "too late for their token's time",
    ({ world }) => {
      world.nowMs += 1000;
      return world.administration.users.remove(owner, "ed");
    },
    "auth_rejected",
  ],
];

describe.each(takings)(
  "an administrator of an organisation who is %s meanwhile",
  (_how, take, verdict) => {
    test.each(Object.entries(ofAcme))("does nothing any more: %s", async (_name, act) => {
      const bench = await open();
      const by = await bench.world.admit(bench.ada.token);
      expect(await after(bench, () => take(bench), act, by)).toBe(verdict);
    });
  },
);

describe("an administrator of the gateway whose token is taken back meanwhile", () => {
  test.each(Object.entries(ofTheGateway))("does nothing any more: %s", async (_name, act) => {
    const bench = await open();
    const { world, own } = bench;
    const by = await world.admit(own.token);
    const revoke = () => world.administration.tokens.revoke(owner, own.details.id);
    expect(await after(bench, revoke, act, by)).toBe("auth_rejected");
  });
});

test("a token of the configuration does nothing any more for an organisation that is removed meanwhile", async () => {
  const bench = await open();
  const { administration: a } = bench.world;
  const remove = () => a.organizations.remove(owner, "acme");
  const act: Act = (_world, by) => a.members.set(by, { ...inAcme("vic"), role: "admin" });
  expect(await after(bench, remove, act, actor("ci", "acme", "admin"))).toBe("auth_rejected");
});

test("who keeps the right does what was asked for, in its turn", async () => {
  const { world, storage, ada } = await open();
  const { members, users } = world.administration;
  const by = await world.admit(ada.token);
  const release = storage.hold();
  const first = users.remove(owner, "ed");
  const second = members.set(by, { ...inAcme("vic"), role: "editor" });
  release();
  await first;
  expect(await second).toMatchObject({ role: "editor" });
});

test("nor does it restore a server", async () => {
  const { world, own } = await open();
  const by = await world.admit(own.token);
  await world.administration.tokens.revoke(owner, own.details.id);
  const restoring = world.administration.restoreServer(by, "files");
  await expect(restoring).rejects.toMatchObject({ code: "auth_rejected" });
});
