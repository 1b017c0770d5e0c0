import { beforeEach, describe, expect, test } from "vitest";
import { AppError } from "../../../src/core/errors.ts";
import { systemPrincipal } from "../../../src/core/principal.ts";
import {
  ada,
  client,
  openWorld,
  outdatedOf,
  signInWorld,
  storedOf,
  withPassword,
} from "./support/world.ts";
import type { World } from "./support/world.ts";

let world: World;
const login = (credentials: Parameters<World["signIn"]["login"]>[0] = ada) =>
  world.signIn.login(credentials, client);
const isLetIn = async (bearer: string): Promise<boolean> =>
  (await world.authenticator.authenticate({ bearer })).kind === "accepted";
const wrongPassword = {
  code: "auth_rejected",
  message: "The email address or the password is wrong",
};

const old = {
  ...withPassword(ada.email, ada.password),
  password: { hash: outdatedOf(ada.password), setAtMs: 1 },
};
const stored = () => world.directory.user(ada.email)?.password;
const changes = () =>
  world.storage.withPrincipal(systemPrincipal, (tx) =>
    tx.changes.list({ entity: "user", entityId: ada.email, limit: 9 }),
  );

describe("a password that is stored as it was long ago", () => {
  beforeEach(async () => {
    world = await signInWorld();
    await world.put({ users: [old] });
  });

  test("is stored anew by who signs in with it, once, and is no other password", async () => {
    const before = await changes();
    await login();
    expect(stored()).toStrictEqual({ hash: storedOf(ada.password), setAtMs: 1 });
    world.hash = () => Promise.reject(new Error("not asked"));
    await login();
    expect(world.sessions()).toHaveLength(2);
    expect(await changes()).toStrictEqual(before);
    const again = await openWorld(world.storage);
    expect(again.directory.user(ada.email)).toStrictEqual(world.directory.user(ada.email));
  });

  test.each<[string, object]>([
    ["another password", { password: "ada's word" }],
    ["another organisation", { organizationId: "beta" }],
  ])("is left as it is by a sign-in with %s", async (_what, other) => {
    await expect(login({ ...ada, ...other })).rejects.toBeInstanceOf(AppError);
    expect(stored()).toStrictEqual(old.password);
  });

  test.each(["rate_limited", "usage"] as const)(
    "lets in also when it cannot be hashed: %s",
    async (code) => {
      world.hash = () => Promise.reject(new AppError(code, "no"));
      expect(await isLetIn((await login()).accessToken)).toBe(true);
      expect(stored()).toStrictEqual(old.password);
    },
  );

  test("lets in all who sign in at once", async () => {
    const pairs = await Promise.all([login(), login(), login()]);
    for (const { accessToken } of pairs) expect(await isLetIn(accessToken)).toBe(true);
    expect(stored()?.hash).toBe(storedOf(ada.password));
  });

  test.each<[string, object]>([
    ["disabled", { ...old, disabledAtMs: 5 }],
    ["given another password", withPassword(ada.email, "other words")],
  ])("is not put over what happened meanwhile: the user is %s", async (_what, row) => {
    world.hash = async (password) => {
      await world.put({ users: [row] });
      return storedOf(password);
    };
    await expect(login()).rejects.toMatchObject(wrongPassword);
    expect(world.directory.user(ada.email)).toStrictEqual(row);
    expect(world.sessions()).toStrictEqual([]);
  });

  test("takes nothing else of the user back", async () => {
    world.hash = async (password) => {
      await world.put({ users: [{ ...old, name: "Countess" }] });
      return storedOf(password);
    };
    await login();
    expect(world.directory.user(ada.email)).toMatchObject({
      name: "Countess",
      password: { hash: storedOf(ada.password) },
    });
  });
});
