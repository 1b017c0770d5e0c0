import { calculateJwkThumbprint, createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import type { JWTPayload } from "jose";
import { describe, expect, test } from "vitest";
import { createIdentityTokens } from "../../src/auth/identity-tokens.ts";
import type { IdentityTokens } from "../../src/auth/identity-tokens.ts";
import type { Standing } from "../../src/auth/standing.ts";
import type { Caller } from "../../src/core/client-port.ts";
import type { Principal } from "../../src/core/principal.ts";

const issuer = "https://gateway.example";
const server = "https://tools.example/mcp";

const alice: Principal = {
  userId: "alice@example.org",
  displayName: "Alice",
  email: "alice@example.org",
  organizationId: "north",
  role: "editor",
  scopes: [],
  method: "simple",
  isLocalOwner: false,
};
const caller = (changed: Partial<Principal> = {}, projectId: string | null = null): Caller => ({
  principal: { ...alice, ...changed },
  projectId,
});

const tokens = (
  renew: Standing["renew"] = (principal) => principal,
): IdentityTokens & { clock: { nowMs: number } } => {
  const clock = { nowMs: Date.now() };
  let ids = 0;
  const made = createIdentityTokens({
    issuer: Promise.resolve(issuer),
    now: () => clock.nowMs,
    newId: () => `id-${(ids += 1)}`,
    standing: { renew },
  });
  return { ...made, clock };
};

const verified = async (
  { keys }: Pick<IdentityTokens, "keys">,
  token: string,
  audience = server,
): Promise<JWTPayload> => {
  const set = createLocalJWKSet(keys);
  const options = { issuer, audience, typ: "at+jwt", algorithms: ["ES256"] };
  return (await jwtVerify(token, set, options)).payload;
};

const onlyKey = ({ keys }: IdentityTokens): IdentityTokens["keys"]["keys"][number] => {
  const [key, ...others] = keys.keys;
  if (key === undefined || others.length > 0) throw new Error("there is not one key");
  return key;
};

describe("of a caller whose standing has changed", () => {
  test("it says what that one holds now", async () => {
    const made = tokens((principal) => ({ ...principal, role: "viewer" }));
    expect(await verified(made, await made.tokenFor(server, caller()))).toMatchObject({
      sub: "alice@example.org",
      role: "viewer",
    });
  });

  test.each(["local", "token", "jwt"] as const)(
    "there is none once a credential of the type %s was taken back, and no earlier one is shown",
    async (method) => {
      let isGood = true;
      const made = tokens((principal) => (isGood ? principal : undefined));
      await made.tokenFor(server, caller({ method }));
      isGood = false;
      await expect(made.tokenFor(server, caller({ method }))).rejects.toMatchObject({
        code: "auth_rejected",
      });
      expect(await verified(made, await made.tokenFor(server, undefined))).toMatchObject({
        sub: "onedoor",
      });
    },
  );

  test("one whom another server must confirm first is waited for", async () => {
    let asked = 0;
    const made = tokens((principal) => ((asked += 1) < 3 ? undefined : principal));
    const token = await made.tokenFor(server, caller({ method: "bearer" }));
    expect(await verified(made, token)).toMatchObject({ auth_type: "bearer" });
  });

  test("who has expired meanwhile is not waited for", async () => {
    const made = tokens(() => undefined);
    const over = caller({ method: "bearer", expiresAtMs: made.clock.nowMs });
    await expect(made.tokenFor(server, over)).rejects.toMatchObject({ code: "auth_rejected" });
  });
});

describe("a token for an upstream server", () => {
  test("is verified by the published key, and says who, where and for how long", async () => {
    const made = tokens();
    const token = await made.tokenFor(server, caller({}, "p1"));
    const payload = await verified(made, token);
    const iat = Math.floor(made.clock.nowMs / 1000);
    expect(payload).toEqual({
      iss: issuer,
      aud: server,
      sub: "alice@example.org",
      auth_type: "simple",
      name: "Alice",
      email: "alice@example.org",
      org_id: "north",
      role: "editor",
      project_id: "p1",
      client_id: "onedoor",
      iat,
      exp: iat + 120,
      jti: "id-1",
    });
    const { kty, crv, x, y, kid } = onlyKey(made);
    expect(decodeProtectedHeader(token)).toEqual({ alg: "ES256", typ: "at+jwt", kid });
    expect(kid).toBe(await calculateJwkThumbprint({ kty, crv, x, y }));
  });

  test("is for one server, and of one gateway", async () => {
    const [made, other] = [tokens(), tokens()];
    const token = await made.tokenFor(server, caller());
    await expect(verified(made, token, "https://other.example/mcp")).rejects.toThrow(/"aud"/u);
    await expect(verified(other, token)).rejects.toThrow(/no applicable key/u);
  });

  test("leaves out what is not known, and of the gateway itself says nothing else", async () => {
    const made = tokens();
    const nobody = caller({ email: undefined, organizationId: null, role: null });
    const payload = await verified(made, await made.tokenFor(server, nobody));
    expect(Object.keys(payload)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/email|org_id|role|project_id/u)]),
    );
    const own = await verified(made, await made.tokenFor(server, undefined));
    expect(own).toMatchObject({ sub: "onedoor", auth_type: "system", client_id: "onedoor" });
    expect(Object.keys(own).toSorted()).toEqual(
      ["aud", "auth_type", "client_id", "exp", "iat", "iss", "jti", "sub"].toSorted(),
    );
  });

  test("of somebody who is called as the gateway is says so", async () => {
    const made = tokens();
    const payload = await verified(
      made,
      await made.tokenFor(server, caller({ userId: "onedoor", method: "jwt" })),
    );
    expect(payload).toMatchObject({ sub: "onedoor", auth_type: "jwt" });
  });

  test("is published without the private half", () => {
    expect(Object.keys(onlyKey(tokens())).toSorted()).toEqual([
      "alg",
      "crv",
      "kid",
      "kty",
      "use",
      "x",
      "y",
    ]);
  });
});

describe("how long one is used", () => {
  test("for half its life, and again after that", async () => {
    const made = tokens();
    const first = await made.tokenFor(server, caller());
    made.clock.nowMs += 59_000;
    expect(await made.tokenFor(server, caller())).toBe(first);
    made.clock.nowMs += 2_000;
    const second = await made.tokenFor(server, caller());
    expect(second).not.toBe(first);
    expect((await verified(made, second)).jti).toBe("id-2");
  });

  test("not for longer because the clock was put back", async () => {
    const made = tokens();
    const first = await made.tokenFor(server, caller());
    made.clock.nowMs -= 3_600_000;
    expect(await made.tokenFor(server, caller())).not.toBe(first);
  });

  test.each<[string, Caller | undefined, string]>([
    ["server", caller(), "https://other.example/mcp"],
    ["project", caller({}, "p2"), server],
    ["role", caller({ role: "viewer" }), server],
    ["organisation", caller({ organizationId: "south" }), server],
    ["way to sign in", caller({ method: "token" }), server],
    ["name", caller({ displayName: "Al" }), server],
    ["address", caller({ email: "al@example.org" }), server],
    ["no caller", undefined, server],
  ])("never for another %s", async (_what, other, audience) => {
    const made = tokens();
    const first = await made.tokenFor(server, caller());
    expect(await made.tokenFor(audience, other)).not.toBe(first);
    expect(await made.tokenFor(server, caller())).toBe(first);
  });

  test("those of callers who are not seen any more make room", async () => {
    const made = tokens();
    const first = await made.tokenFor(server, caller({ userId: "0" }));
    for (let user = 1; user <= 10_000; user += 1) {
      await made.tokenFor(server, caller({ userId: String(user) }));
    }
    expect(await made.tokenFor(server, caller({ userId: "0" }))).not.toBe(first);
  });
});
