import { beforeEach, describe, expect, test } from "vitest";
import { endSessions } from "../../../src/auth/passwords/end-sessions.ts";
import { systemPrincipal } from "../../../src/core/principal.ts";
import { aMember, anOrganization, aUser } from "../support/identities.ts";
import {
  ada,
  bob,
  client,
  day,
  hour,
  kim,
  openWorld,
  sessionOf,
  signInWorld,
  storedOf,
  withPassword,
} from "./support/world.ts";
import type { World } from "./support/world.ts";

let world: World;
beforeEach(async () => {
  world = await signInWorld();
});

const login = (credentials: Parameters<World["signIn"]["login"]>[0] = ada) =>
  world.signIn.login(credentials, client);
const refresh = (token: string | null) => world.signIn.refresh(token ?? "", client);
const isLetIn = async (bearer: string): Promise<boolean> =>
  (await world.authenticator.authenticate({ bearer })).kind === "accepted";

const bytesOf = (token: string | null): Buffer => Buffer.from((token ?? "").slice(3), "base64url");

const wrongPassword = {
  code: "auth_rejected",
  message: "The email address or the password is wrong",
  hint: undefined,
};
const wrongRefreshToken = {
  code: "auth_rejected",
  message: "The refresh token is not good any more",
};

describe("a sign-in", () => {
  test("gives a pair of tokens for the only organisation of who has the password", async () => {
    const signedIn = await login();
    expect(signedIn).toStrictEqual({
      accessToken: expect.stringMatching(/^od_[\w-]{43}$/) as unknown,
      refreshToken: expect.stringMatching(/^od_[\w-]{43}$/) as unknown,
      expiresInSeconds: 3600,
      principal: expect.objectContaining({
        userId: "ada@example.com",
        displayName: "User ada@example.com",
        email: "ada@example.com",
        organizationId: "acme",
        role: "editor",
        method: "simple",
        isLocalOwner: false,
      }) as unknown,
    });
    expect(signedIn.refreshToken).not.toBe(signedIn.accessToken);
    const answer = await world.authenticator.authenticate({ bearer: signedIn.accessToken });
    expect(answer).toStrictEqual({ kind: "accepted", principal: signedIn.principal });
  });

  test("is a row without either token, and a line for the log", async () => {
    const { accessToken, refreshToken } = await login();
    const [session] = world.sessions();
    expect(session).toMatchObject({ kind: "session", role: null, organizationId: "acme" });
    const told = JSON.stringify([session, world.events]);
    expect(told).not.toContain(accessToken.slice(3));
    expect(told).not.toContain(refreshToken?.slice(3));
    expect(world.events).toStrictEqual([
      { kind: "began", tokenId: session?.id, userId: ada.email, organizationId: "acme" },
    ]);
  });

  test.each([
    ["another password", { ...ada, password: "ada's word" }],
    ["an empty password", { ...ada, password: "" }],
    ["a user that is not there", { ...ada, email: "nobody@example.com" }],
    ["a user without a password", { email: "new@example.com", password: "ada's words" }],
    ["another user's password", { ...ada, email: "bob@example.com" }],
    ["no address", { ...ada, email: "" }],
    ["spaces around it", { ...ada, email: " ada@example.com" }],
    ["a letter that becomes ASCII in lower case", { ...kim, email: "\u212aim@example.com" }],
    ["the name of a property", { ...ada, email: "__proto__" }],
    ["a stored hash in place of the password", { ...ada, password: storedOf(ada.password) }],
    [
      "another organisation, and a wrong password",
      { ...bob, password: "x", organizationId: "beta" },
    ],
  ])("is refused in the same words for %s", async (_what, credentials) => {
    await expect(login(credentials)).rejects.toMatchObject(wrongPassword);
    expect(world.verified).toHaveLength(1);
    expect(world.sessions()).toStrictEqual([]);
  });

  test.each([
    ["disabled", { ...withPassword(ada.email, ada.password), disabledAtMs: 5 }],
    ["deleted", { ...withPassword(ada.email, ada.password), deletedAtMs: 5 }],
  ])("is refused in the same words to who is %s, and verified as nobody's", async (_how, row) => {
    await world.put({ users: [row] });
    await expect(login()).rejects.toMatchObject(wrongPassword);
    expect(world.verified).toStrictEqual([null]);
  });

  test("takes the address in any case", async () => {
    const { principal } = await login({ ...ada, email: "ADA@Example.COM" });
    expect(principal.userId).toBe("ada@example.com");
  });

  test("tells whose it was that was refused to the audit only", async () => {
    await expect(login({ ...ada, password: "x" })).rejects.toMatchObject({ userId: ada.email });
    await expect(login({ ...ada, email: "nobody@example.com" })).rejects.toMatchObject({
      userId: null,
    });
  });

  test.each<[string, () => Promise<unknown>]>([
    ["the password", () => world.put({ users: [withPassword(ada.email, "other words")] })],
    [
      "the user",
      () => world.put({ users: [{ ...withPassword(ada.email, ada.password), disabledAtMs: 5 }] }),
    ],
  ])("gives nothing when %s was changed while it was verified", async (_what, change) => {
    world.whileVerifying = async () => void (await change());
    await expect(login()).rejects.toMatchObject(wrongPassword);
    expect(world.sessions()).toStrictEqual([]);
  });
});

describe("the organisation", () => {
  test("must be named by a member of several, who learns which only with the password", async () => {
    await expect(login(bob)).rejects.toMatchObject({
      code: "usage",
      message: "You are in several organisations: acme, beta",
    });
    const { principal } = await login({ ...bob, organizationId: "beta" });
    expect(principal).toMatchObject({ organizationId: "beta", role: "admin" });
    await expect(login({ ...bob, password: "x" })).rejects.toMatchObject(wrongPassword);
  });

  test.each(["beta", "never", "__proto__"])(
    "is not %s for who is in acme alone",
    async (organizationId) => {
      await expect(login({ ...ada, organizationId })).rejects.toMatchObject({
        code: "forbidden",
        message: "You are not in that organisation",
        hint: "Yours: acme",
      });
    },
  );

  test("is none for a member of none, of a deleted one, and of one that was left", async () => {
    const refused = { code: "forbidden", message: "You are in no organisation of this gateway" };
    const eve = { email: "eve@example.com", password: "eve's words" };
    await expect(login(eve)).rejects.toMatchObject({
      ...refused,
      hint: "An administrator can add you: agent member set eve@example.com <organisation> <role>",
    });
    await world.put({ members: [{ ...aMember("acme", ada.email, "editor"), deletedAtMs: 5 }] });
    await expect(login()).rejects.toMatchObject(refused);
    await world.put({ organizations: [{ ...anOrganization("acme"), deletedAtMs: 5 }] });
    expect((await login(bob)).principal.organizationId).toBe("beta");
  });
});

describe("a refresh", () => {
  test("replaces both tokens in the same row, and the ones before are good for nothing", async () => {
    const first = await login();
    const [before] = world.sessions();
    const second = await refresh(first.refreshToken);
    expect(
      new Set([first, second].flatMap((pair) => [pair.accessToken, pair.refreshToken])).size,
    ).toBe(4);
    expect(await isLetIn(first.accessToken)).toBe(false);
    expect(await isLetIn(second.accessToken)).toBe(true);
    expect(world.sessions()).toHaveLength(1);
    expect(sessionOf(world, second.accessToken)?.id).toBe(before?.id);
  });

  test("ends the session for who shows the token before again, thief or not", async () => {
    const first = await login();
    const second = await refresh(first.refreshToken);
    await expect(refresh(first.refreshToken)).rejects.toMatchObject(wrongRefreshToken);
    expect(await isLetIn(second.accessToken)).toBe(false);
    await expect(refresh(second.refreshToken)).rejects.toMatchObject(wrongRefreshToken);
    expect(world.sessions()).toMatchObject([
      { hash: null, refresh: null, revokedAtMs: world.clock.nowMs },
    ]);
    expect(world.events.map(({ kind }) => kind)).toStrictEqual(["began", "reused"]);
  });

  test.each([1, 2, 5])(
    "ends it also %i tokens later: a thief who hurries wins nothing",
    async (later) => {
      const first = await login();
      let latest = await refresh(first.refreshToken);
      for (let count = 1; count < later; count += 1) latest = await refresh(latest.refreshToken);
      expect(await isLetIn(latest.accessToken)).toBe(true);
      await expect(refresh(first.refreshToken)).rejects.toMatchObject({
        ...wrongRefreshToken,
        userId: ada.email,
      });
      expect(await isLetIn(latest.accessToken)).toBe(false);
      await expect(refresh(latest.refreshToken)).rejects.toMatchObject(wrongRefreshToken);
      expect(world.sessions()).toMatchObject([{ hash: null, refresh: null }]);
      expect(world.events.map(({ kind }) => kind)).toStrictEqual(["began", "reused"]);
    },
  );

  test("ends it for who knows its family, of 16 bytes, and guesses the other 16", async () => {
    const { refreshToken, accessToken } = await login();
    const other = await login();
    const family = bytesOf(refreshToken).subarray(0, 16);
    expect(bytesOf((await refresh(refreshToken)).refreshToken).subarray(0, 16)).toEqual(family);
    expect(bytesOf(other.refreshToken).subarray(0, 16)).not.toEqual(family);
    expect(bytesOf(accessToken).subarray(0, 16)).not.toEqual(family);
    const guess = Buffer.concat([family, Buffer.alloc(16)]).toString("base64url");
    await expect(refresh(`od_${guess}`)).rejects.toMatchObject(wrongRefreshToken);
    expect(world.events.at(-1)).toMatchObject({ kind: "reused" });
    expect(await isLetIn(other.accessToken)).toBe(true);
  });

  test("leaves of a family what nobody can show", async () => {
    const { refreshToken } = await login();
    const bytes = bytesOf(refreshToken);
    const stored = JSON.stringify(world.sessions());
    for (const form of ["hex", "base64url"] as const) {
      expect(stored).not.toContain(bytes.subarray(0, 15).toString(form));
    }
  });

  test("is won by one of many who show the same token at once, and the session ends", async () => {
    const { refreshToken } = await login();
    const all = await Promise.allSettled(Array.from({ length: 5 }, () => refresh(refreshToken)));
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(world.sessions()).toMatchObject([{ hash: null, refresh: null }]);
    expect(world.events.filter(({ kind }) => kind === "reused")).toHaveLength(1);
  });

  test("is told of nothing to the change history", async () => {
    const { refreshToken } = await login();
    await refresh(refreshToken);
    const rows = await world.storage.withPrincipal(systemPrincipal, (tx) =>
      tx.changes.list({ entity: "token", limit: 9 }),
    );
    expect(rows).toHaveLength(1);
  });

  test("acts with the role of now, and not at all for who is no member any more", async () => {
    const first = await login();
    await world.put({ members: [aMember("acme", ada.email, "viewer")] });
    const second = await refresh(first.refreshToken);
    expect(second.principal.role).toBe("viewer");
    await world.put({ members: [{ ...aMember("acme", ada.email, "viewer"), deletedAtMs: 5 }] });
    await expect(refresh(second.refreshToken)).rejects.toMatchObject(wrongRefreshToken);
  });

  test("asks for the password again 30 days after it was given, however often it was refreshed", async () => {
    let { refreshToken, accessToken } = await login();
    for (let weeks = 0; weeks < 4; weeks += 1) {
      world.clock.nowMs += 7 * day;
      ({ refreshToken, accessToken } = await refresh(refreshToken));
    }
    world.clock.nowMs = (world.sessions()[0]?.createdAtMs ?? 0) + 30 * day - 1000;
    const last = await refresh(refreshToken);
    expect(last.expiresInSeconds).toBe(1);
    expect(await isLetIn(accessToken)).toBe(false);
    world.clock.nowMs += 1000;
    expect(await isLetIn(last.accessToken)).toBe(false);
    await expect(refresh(last.refreshToken)).rejects.toMatchObject(wrongRefreshToken);
  });

  test("is refused in a tight loop, and does not end the session", async () => {
    let { refreshToken } = await login();
    for (let count = 0; count < 10; count += 1) ({ refreshToken } = await refresh(refreshToken));
    await expect(refresh(refreshToken)).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterSeconds: 6,
    });
    world.clock.monotonicMs += 6000;
    ({ refreshToken } = await refresh(refreshToken));
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: "rate_limited" });
  });

  test.each(["", "od_", `od_${"a".repeat(43)}`, "od_\0", "x".repeat(4096), "null"])(
    "is refused for %j",
    async (token) => {
      await login();
      await expect(refresh(token)).rejects.toMatchObject({ ...wrongRefreshToken, userId: null });
    },
  );

  test("takes no access token", async () => {
    const { accessToken } = await login();
    await expect(refresh(accessToken)).rejects.toMatchObject(wrongRefreshToken);
    expect(await isLetIn(accessToken)).toBe(true);
  });
});

describe("sessions", () => {
  test("are 50 of a user at most: the oldest goes, and nobody else's", async () => {
    const other = await login({ ...bob, organizationId: "acme" });
    const pairs = [];
    for (let count = 0; count < 51; count += 1) {
      world.clock.nowMs += 1;
      pairs.push(await login());
    }
    const good = await Promise.all(pairs.map(({ accessToken }) => isLetIn(accessToken)));
    expect(good).toStrictEqual([false, ...Array.from({ length: 50 }, () => true)]);
    expect(await isLetIn(other.accessToken)).toBe(true);
  });

  test("that are over do not count, and keep no secrets after the next sign-in", async () => {
    await login();
    world.clock.nowMs += 30 * day;
    await login();
    expect(world.sessions().filter(({ hash }) => hash !== null)).toHaveLength(1);
  });

  test("of one user end together, other tokens and users stay", async () => {
    const [one, two] = [await login(), await login()];
    const other = await login({ ...bob, organizationId: "acme" });
    const ended = endSessions(ada.email, world.directory.tokens(), 7);
    expect(ended).toHaveLength(2);
    await world.put({ tokens: ended });
    expect(await isLetIn(one.accessToken)).toBe(false);
    await expect(refresh(two.refreshToken)).rejects.toMatchObject(wrongRefreshToken);
    expect(await isLetIn(other.accessToken)).toBe(true);
    expect(endSessions(ada.email, world.directory.tokens(), 8)).toStrictEqual([]);
  });

  test("last through a restart", async () => {
    const { accessToken, refreshToken } = await login();
    const again = await openWorld(world.storage);
    expect((await again.authenticator.authenticate({ bearer: accessToken })).kind).toBe("accepted");
    expect(await again.signIn.refresh(refreshToken ?? "", client)).toMatchObject({
      principal: { userId: ada.email },
    });
  });
});

describe("when the storage fails", () => {
  test("nobody is signed in, and it works again after that", async () => {
    world.storage.failAt(0, "until healed");
    await expect(login()).rejects.toMatchObject({ code: "store_unavailable" });
    expect(world.events).toStrictEqual([]);
    world.storage.heal();
    expect(await isLetIn((await login()).accessToken)).toBe(true);
  });

  test("a refresh leaves the token good, unless it was written all the same", async () => {
    const { refreshToken, accessToken } = await login();
    world.storage.failAt(0, "once");
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await isLetIn(accessToken)).toBe(true);
    expect(await isLetIn((await refresh(refreshToken)).accessToken)).toBe(true);
  });
});

describe("when the clock goes back", () => {
  test("by an hour, who is signed in stays so, and may refresh and sign in", async () => {
    const first = await login();
    world.clock.nowMs -= hour;
    expect(await isLetIn(first.accessToken)).toBe(true);
    const second = await refresh(first.refreshToken);
    expect(second.expiresInSeconds).toBe(3600);
    expect(await isLetIn((await login()).accessToken)).toBe(true);
  });
});

test("a user who never had a password has no session either", async () => {
  await world.put({ users: [aUser("later@example.com")] });
  await expect(login({ email: "later@example.com", password: "null" })).rejects.toMatchObject(
    wrongPassword,
  );
});
