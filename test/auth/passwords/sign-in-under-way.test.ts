import { beforeEach, describe, expect, test } from "vitest";
import { ada, client, kim, signInWorld } from "./support/world.ts";
import type { World } from "./support/world.ts";

let world: World;
beforeEach(async () => {
  world = await signInWorld();
});

describe("a sign-in under way while the way is switched off", () => {
  const off = { code: "not_found", message: "Nobody signs in with a password here" };

  test("begins no session, though the password was right", async () => {
    world.whileVerifying = () => {
      world.isOn = false;
      return Promise.resolve();
    };
    await expect(world.signIn.login(ada, client)).rejects.toMatchObject(off);
    expect(world.sessions()).toStrictEqual([]);
    expect(world.events).toStrictEqual([]);
  });

  test("renews none", async () => {
    const { refreshToken } = await world.signIn.login(ada, client);
    const before = world.sessions();
    world.isOn = false;
    await expect(world.signIn.refresh(refreshToken ?? "", client)).rejects.toMatchObject(off);
    expect(world.sessions()).toStrictEqual(before);
    world.isOn = true;
    await world.signIn.refresh(refreshToken ?? "", client);
  });
});

/** For whom Ada's password is verified. */
const waitedOf = async (password: string, from = client): Promise<unknown> => {
  await world.signIn.login({ ...ada, password }, from).catch(() => undefined);
  return world.waited.at(-1);
};

describe("who waits to have a password verified", () => {
  const network = "192.0.2.0/24";

  test("is known by a sign-in with the right password from there, and not before", async () => {
    expect(await waitedOf("wrong")).toStrictEqual({ network });
    expect(await waitedOf(ada.password)).toStrictEqual({ network });
    expect(await waitedOf("wrong")).toStrictEqual({ network, knownAccount: ada.email });
    expect(await waitedOf("wrong", { address: "192.0.2.9" })).toStrictEqual({ network });
    await world.signIn.login(kim, client);
    expect(world.waited.at(-1)).toStrictEqual({ network });
  });

  test("and by a refresh", async () => {
    const { refreshToken } = await world.signIn.login(ada, client);
    const elsewhere = { address: "192.0.2.9" };
    await world.signIn.refresh("od_none", elsewhere).catch(() => undefined);
    expect(await waitedOf("wrong", elsewhere)).toStrictEqual({ network });
    await world.signIn.refresh(refreshToken ?? "", elsewhere);
    expect(await waitedOf("wrong", elsewhere)).toStrictEqual({ network, knownAccount: ada.email });
  });
});
