import { randomBytes, randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { createDoor } from "../../src/auth/door.ts";
import type { Door } from "../../src/auth/door.ts";
import { createLocalAuthenticator } from "../../src/auth/local-authenticator.ts";
import { hashToken } from "../../src/auth/minted-token-format.ts";
import type { SignedIn } from "../../src/auth/password-sign-in.ts";
import { createTokenMint } from "../../src/auth/token-mint.ts";
import type { MintedTokens, TokenEvent } from "../../src/auth/token-mint.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { Principal } from "../../src/core/principal.ts";
import { aMember, aToken } from "./support/identities.ts";
import { ada, client, day, hour, signInWorld, withPassword } from "./passwords/support/world.ts";
import type { World } from "./passwords/support/world.ts";

const personal = `od_${"p".repeat(43)}`;

let world: World;
let signedIn: SignedIn;
let mint: MintedTokens;
let events: TokenEvent[];
/** With `simple` alone, and beside `local`. */
let alone: Door;
let both: Door;

beforeEach(async () => {
  world = await signInWorld();
  const { directory, authenticator, clock } = world;
  const now = (): number => clock.nowMs;
  events = [];
  mint = createTokenMint({
    directory,
    now,
    newId: randomUUID,
    randomBytes,
    report: (event) => void events.push(event),
  });
  alone = createDoor([authenticator], now);
  both = createDoor([authenticator, createLocalAuthenticator({ directory, now })], now);
  await world.put({
    tokens: [aToken("t1", { hash: hashToken(personal), userId: ada.email, role: null })],
  });
  signedIn = await world.signIn.login(ada, client);
});

/** Let in as `simple`, in an organisation that is there. */
const someone: Principal = { ...systemPrincipal, method: "simple", organizationId: "acme" };
const rejected = { kind: "rejected", reason: "The token is not known here" };
const answer = (door: Door, bearer?: string) => door.authenticate({ bearer });

describe("who shows a session's token", () => {
  test("is let in by `simple`, alone and beside `local`", async () => {
    const accepted = { kind: "accepted", principal: signedIn.principal };
    expect(await answer(alone, signedIn.accessToken)).toStrictEqual(accepted);
    expect(await answer(both, signedIn.accessToken)).toStrictEqual(accepted);
  });

  test("is not let in by `local` alone", async () => {
    const { directory, clock } = world;
    const local = createDoor(
      [createLocalAuthenticator({ directory, now: () => clock.nowMs })],
      () => 0,
    );
    expect(await answer(local, signedIn.accessToken)).toStrictEqual(rejected);
    expect(local.renew(signedIn.principal)).toBeUndefined();
  });

  test("is told when it has expired, to the millisecond", async () => {
    world.clock.nowMs += hour - 1;
    expect(await answer(both, signedIn.accessToken)).toMatchObject({ kind: "accepted" });
    world.clock.nowMs += 1;
    expect(await answer(both, signedIn.accessToken)).toStrictEqual({
      kind: "rejected",
      reason: "The session's token has expired",
    });
  });

  test("is let in with no refresh token", async () => {
    expect(await answer(both, signedIn.refreshToken ?? "")).toStrictEqual(rejected);
  });

  test.each<[string, object]>([
    ["disabled", { users: [{ ...withPassword(ada.email, ada.password), disabledAtMs: 5 }] }],
    ["deleted", { users: [{ ...withPassword(ada.email, ada.password), deletedAtMs: 5 }] }],
    ["no member", { members: [{ ...aMember("acme", ada.email, "editor"), deletedAtMs: 5 }] }],
  ])("is not let in any more as soon as the user is %s", async (_what, rows) => {
    await world.put(rows);
    expect(await answer(both, signedIn.accessToken)).toStrictEqual(rejected);
    expect(both.renew(signedIn.principal)).toBeUndefined();
  });

  test("has the role of now, at the door and in what stays open", async () => {
    await world.put({ members: [aMember("acme", ada.email, "viewer")] });
    const now = { ...signedIn.principal, role: "viewer" };
    expect(await answer(both, signedIn.accessToken)).toStrictEqual({
      kind: "accepted",
      principal: now,
    });
    expect(both.renew(signedIn.principal)).toStrictEqual(now);
  });
});

describe("a session", () => {
  test.each<[string, Principal]>([
    ["by no token at all", { ...someone, tokenHash: undefined }],
    ["by another token", { ...someone, tokenHash: hashToken(personal) }],
    ["by an outside auth server's token", { ...someone, tokenHash: hashToken("ey.J.x") }],
  ])("is not what somebody has who came in %s", (_what, principal) => {
    expect(world.authenticator.renew(principal)).toBeUndefined();
  });

  test("of no organisation, which nobody makes, is nobody's", async () => {
    const hash = hashToken(`od_${"n".repeat(43)}`);
    const strange = aToken("t2", {
      kind: "session",
      hash,
      organizationId: null,
      role: null,
      expiresAtMs: 4e12,
    });
    await world.put({ tokens: [strange] });
    expect(await answer(both, `od_${"n".repeat(43)}`)).toStrictEqual(rejected);
    expect(world.authenticator.renew({ ...signedIn.principal, tokenHash: hash })).toBeUndefined();
  });
});

test("other minted tokens are for `local`, and what is none of ours is passed on", async () => {
  const { authenticator } = world;
  expect(await answer(both, personal)).toMatchObject({ principal: { method: "local" } });
  expect(await answer(alone, personal)).toStrictEqual(rejected);
  expect(await authenticator.authenticate({ bearer: personal })).toStrictEqual({
    kind: "not-mine",
  });
  expect(await authenticator.authenticate({ bearer: "ey.J.x" })).toStrictEqual({
    kind: "not-mine",
  });
  expect(await authenticator.authenticate({})).toStrictEqual({ kind: "absent" });
  for (const bearer of ["od_", "od_x", `od_${"a".repeat(43)}`]) {
    expect(await authenticator.authenticate({ bearer })).toStrictEqual(rejected);
  }
});

describe("signing out", () => {
  test.each(["accessToken", "refreshToken"] as const)(
    "ends both tokens, by the %s",
    async (which) => {
      expect(await mint.revokeByBearer(signedIn[which] ?? "")).toBe(true);
      expect(await answer(both, signedIn.accessToken)).toStrictEqual(rejected);
      await expect(world.signIn.refresh(signedIn.refreshToken ?? "", client)).rejects.toMatchObject(
        {
          code: "auth_rejected",
        },
      );
      expect(await mint.revokeByBearer(signedIn[which] ?? "")).toBe(false);
      expect(events).toMatchObject([{ kind: "revoked", userId: ada.email }]);
      expect(world.sessions()).toMatchObject([{ hash: null, refresh: null }]);
    },
  );

  test("is done with any refresh token that the session had", async () => {
    let latest = await world.signIn.refresh(signedIn.refreshToken ?? "", client);
    latest = await world.signIn.refresh(latest.refreshToken ?? "", client);
    expect(await mint.revokeByBearer(signedIn.refreshToken ?? "")).toBe(true);
    expect(await answer(both, latest.accessToken)).toStrictEqual(rejected);
  });

  test("is possible while the session can be refreshed", async () => {
    world.clock.nowMs += 30 * day - 1;
    expect(await mint.revokeByBearer(signedIn.accessToken)).toBe(true);
  });

  test("is not after that", async () => {
    world.clock.nowMs += 30 * day;
    expect(await mint.revokeByBearer(signedIn.accessToken)).toBe(false);
  });

  test("ends no other session", async () => {
    const other = await world.signIn.login(ada, client);
    await mint.revokeByBearer(signedIn.accessToken);
    expect(await answer(both, other.accessToken)).toMatchObject({ kind: "accepted" });
  });
});
