import { createHash } from "node:crypto";
import { array, assert, asyncProperty, constantFrom, nat, pre, record, string } from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { Authentication, Authenticator } from "../../../src/auth/authenticator.ts";
import { createJwtAuthenticator } from "../../../src/auth/outside/jwt-authenticator.ts";
import type { IdentityMapping, JwtRules } from "../../../src/core/configuration.ts";
import {
  audience,
  createFakeIssuer,
  hmacToken,
  issuerUrl,
  keysUrl,
  mapping,
  metadataUrl,
  newKey,
  nowSeconds,
  rules,
  silent,
  startMs,
  token,
} from "./support/fake-issuer.ts";

const rs = newKey("RS256", "rs");
const all = [rs, newKey("PS256", "ps"), newKey("ES256", "es"), newKey("EdDSA", "ed")];
const secret = "a secret that nobody guesses, of 40 bytes";

let issuer: ReturnType<typeof createFakeIssuer>;
let nowMs: number;

function authenticator(
  other: { rules?: Partial<JwtRules>; mapping?: Partial<IdentityMapping> } = {},
): Authenticator {
  return createJwtAuthenticator({
    rules: { ...rules, ...other.rules },
    mapping: { ...mapping, ...other.mapping },
    directory: { organization: () => undefined },
    ask: issuer.ask,
    logger: silent,
    now: () => nowMs,
    way: { type: "jwt", description: "With a token of the issuer" },
  });
}

const bySecret = { algorithms: ["HS256"], keys: { kind: "secret", secret } } as const;
const answerTo = async (bearer: string | undefined): Promise<Authentication> =>
  authenticator().authenticate({ bearer });

beforeEach(() => {
  issuer = createFakeIssuer(all);
  nowMs = startMs;
});

describe("a good token", () => {
  test.each(all.map((key) => [key.alg, key] as const))("by %s lets in", async (_alg, key) => {
    const bearer = token(key, { claims: { scope: "openid role:admin", name: "Ada" } });
    expect(await answerTo(bearer)).toStrictEqual({
      kind: "accepted",
      principal: {
        userId: "ada",
        displayName: "Ada",
        organizationId: null,
        role: "viewer",
        scopes: ["role:admin"],
        method: "jwt",
        issuer: issuerUrl,
        isLocalOwner: false,
        mapped: true,
        expiresAtMs: startMs + 300_000,
        tokenHash: createHash("sha256").update(bearer).digest("hex"),
      },
    });
    expect(issuer.asked).toStrictEqual([metadataUrl, keysUrl]);
  });

  test("makes nobody ask again, and asks no metadata when the configuration says where the keys are", async () => {
    const configured = authenticator({ rules: { keys: { kind: "jwks", url: keysUrl } } });
    for (const key of all) {
      expect(await configured.authenticate({ bearer: token(key) })).toMatchObject({
        kind: "accepted",
      });
    }
    expect(issuer.asked).toStrictEqual([keysUrl]);
  });

  test("by a shared secret lets in, and asks nobody", async () => {
    const answer = await authenticator({ rules: bySecret }).authenticate({
      bearer: hmacToken(secret),
    });
    expect(answer).toMatchObject({ kind: "accepted", principal: { userId: "ada" } });
    expect(issuer.asked).toStrictEqual([]);
  });

  test.each<[string, object]>([
    ["one of several audiences", { aud: ["https://other.example", audience] }],
    ["a clock half a minute ahead", { iat: nowSeconds + 30, nbf: nowSeconds + 30 }],
    ["a last moment", { exp: nowSeconds + 0.001 }],
    ["no iat", { iat: undefined }],
  ])("may have %s", async (_what, claims) => {
    expect(await answerTo(token(rs, { claims }))).toMatchObject({ kind: "accepted" });
  });

  test.each<[string, object]>([
    ["no typ", { typ: undefined }],
    ["the typ of most", { typ: "JWT" }],
    ["a long typ", { typ: "application/at+jwt" }],
    ["no kid", { kid: undefined }],
  ])("may have %s", async (_what, header) => {
    expect(await answerTo(token(rs, { header }))).toMatchObject({ kind: "accepted" });
  });

  test("has the scopes that are required, or is told all of them", async () => {
    const strict = authenticator({ mapping: { requiredScopes: ["mcp", "tools"] } });
    const shown = async (claims: object): Promise<Authentication> =>
      strict.authenticate({ bearer: token(rs, { claims }) });
    expect(await shown({ scope: "mcp" })).toStrictEqual({
      kind: "insufficient",
      scopes: ["mcp", "tools"],
    });
    expect(await shown({ scope: "tools  mcp" })).toMatchObject({ kind: "accepted" });
    expect(await shown({ scp: ["tools", "mcp"] })).toMatchObject({ kind: "accepted" });
    // Neither takes the place of the other: what is in one of them may be all that limits.
    expect(await shown({ scope: "mcp", scp: ["tools", "server:files"] })).toMatchObject({
      kind: "accepted",
      principal: { scopes: ["server:files"] },
    });
    expect(await shown({ scope: "mcp tools", scp: { a: 1 } })).toStrictEqual({
      kind: "rejected",
      reason: "The token's scope is malformed",
    });
  });
});

describe("not its own", () => {
  test("is nothing", async () => {
    expect(await answerTo(undefined)).toStrictEqual({ kind: "absent" });
  });

  test.each<[string, string]>([
    ["a minted token", `od_${"a".repeat(43)}`],
    ["a minted token in the form of a JWT", `od_${token(rs)}`],
    ["a minted token longer than any", `od_${"a".repeat(20_000)}`],
    ["an opaque token", "gho_16C7e42F292c6912E7710c838347Ae178B4a"],
    ["two segments", token(rs).split(".").slice(0, 2).join(".")],
    ["an encrypted JWT", "eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"],
    ["segments that hold no JSON", "abc.def.ghi"],
    ["claims that are a list", "eyJhbGciOiJIUzI1NiJ9.W10.AAAA"],
    ["a header that is no text", `_w.${token(rs).split(".")[1]}.AAAA`],
    ["nothing but dots", ".."],
    ["an empty text", ""],
    ["a token in characters of base64", token(rs).replace(".", "+.")],
    ["another issuer's", token(rs, { claims: { iss: "https://other.example" } })],
    ["one of almost this issuer", token(rs, { claims: { iss: `${issuerUrl}/` } })],
    ["one of an issuer without a name", token(rs, { claims: { iss: "" } })],
  ])("is %s, and nobody is asked about it", async (_what, bearer) => {
    expect(await answerTo(bearer)).toMatchObject({ kind: "not-mine" });
    expect(issuer.asked).toStrictEqual([]);
  });
});

describe("what is wrong with a token of ours", () => {
  test.each<[string, object, string]>([
    ["no iss", { iss: undefined }, "The token has no iss"],
    ["an iss that is no text", { iss: [issuerUrl] }, "The token is another issuer's"],
    ["no sub", { sub: undefined }, "The token has no sub"],
    ["an empty sub", { sub: "" }, "The token's sub is malformed"],
    ["a sub that is a number", { sub: 7 }, "The token's sub is malformed"],
    ["no aud", { aud: undefined }, "The token has no aud"],
    ["no audience at all", { aud: [] }, "The token is for another audience (aud)"],
    [
      "another audience",
      { aud: "https://other.example" },
      "The token is for another audience (aud)",
    ],
    ["almost the audience", { aud: `${audience}/` }, "The token is for another audience (aud)"],
    ["an aud that is an object", { aud: { [audience]: 1 } }, "The token's aud is malformed"],
    ["an aud with a number in it", { aud: [audience, 7] }, "The token's aud is malformed"],
    ["no exp", { exp: undefined }, "The token has no exp"],
    ["an exp that is a text", { exp: "2000000000" }, "The token's exp is malformed"],
    ["an exp that is no time", { exp: 1e300 }, "The token's exp is malformed"],
    ["an exp before time began", { exp: -1 }, "The token's exp is malformed"],
    ["expired now", { exp: nowSeconds }, "The token has expired"],
    ["expired long ago", { exp: 1 }, "The token has expired"],
    ["not yet valid", { nbf: nowSeconds + 31 }, "The token is not yet valid (nbf)"],
    ["made in the future", { iat: nowSeconds + 31 }, "The token is not yet valid (iat)"],
    ["an nbf that is a text", { nbf: "now" }, "The token's nbf is malformed"],
    ["an iat that is null", { iat: null }, "The token's iat is malformed"],
    ["a scope that is a number", { scope: 7 }, "The token's scope is malformed"],
    ["a scope that holds a list", { scope: [["a"]] }, "The token's scope is malformed"],
    [
      "bound to a key",
      { cnf: { jkt: "x" } },
      "The token is bound to a key (cnf), which is not spoken here",
    ],
  ])("%s", async (_what, claims, reason) => {
    expect(await answerTo(token(rs, { claims }))).toStrictEqual({ kind: "rejected", reason });
    expect(issuer.asked).toStrictEqual([]);
  });

  test.each<[string, object, string]>([
    ["no alg", { alg: undefined }, "The token's algorithm (alg) is not accepted here"],
    [
      "an alg that is not in the list",
      { alg: "RS512" },
      "The token's algorithm (alg) is not accepted here",
    ],
    [
      "an alg in other letters",
      { alg: "rs256" },
      "The token's algorithm (alg) is not accepted here",
    ],
    [
      "an alg that is a list",
      { alg: ["RS256"] },
      "The token's algorithm (alg) is not accepted here",
    ],
    [
      "an unknown crit",
      { crit: ["x"], x: 1 },
      "The token needs an extension (crit) that is not known here",
    ],
    ["an empty crit", { crit: [] }, "The token needs an extension (crit) that is not known here"],
    ["a kid that is a number", { kid: 7 }, "The token's kid is malformed"],
    ["the type of a logout", { typ: "logout+jwt" }, "The token is not an access token (typ)"],
    ["a typ that is a number", { typ: 7 }, "The token is not an access token (typ)"],
  ])("%s", async (_what, header, reason) => {
    expect(await answerTo(token(rs, { header }))).toStrictEqual({ kind: "rejected", reason });
    expect(issuer.asked).toStrictEqual([]);
  });

  test("is longer than any may be", async () => {
    const long = token(rs, { claims: { more: "x".repeat(16 * 1024) } });
    expect(await answerTo(long)).toStrictEqual({
      kind: "rejected",
      reason: "The token is longer than 16 KiB",
    });
  });

  test("a signature that is another's, a part of one, or none", async () => {
    const good = token(rs);
    const [header = "", payload = ""] = good.split(".");
    const [, , others = ""] = token(rs, { claims: { sub: "eve" } }).split(".");
    for (const signature of [others, others.slice(0, 8), ""]) {
      expect(await answerTo(`${header}.${payload}.${signature}`)).toStrictEqual({
        kind: "rejected",
        reason: "The token's signature is not right",
      });
    }
  });

  test("a user whom the mapping does not find, once the signature is known to be right", async () => {
    const byMail = authenticator({ mapping: { claims: { user: ["email"] } } });
    expect(await byMail.authenticate({ bearer: token(rs) })).toStrictEqual({
      kind: "rejected",
      reason: "The token names no user (claim email)",
    });
  });

  test("a secret that is another", async () => {
    const mine = authenticator({ rules: bySecret });
    expect(await mine.authenticate({ bearer: hmacToken(`${secret}!`) })).toMatchObject({
      kind: "rejected",
    });
  });

  test("nothing of a token is ever told", async () => {
    const marks = { iss: issuerUrl, marker: "MARKER-claim" };
    const wrong = [
      token(rs, { claims: { ...marks, aud: "MARKER-aud" } }),
      token(rs, { claims: { ...marks, exp: "MARKER-exp" } }),
      token(rs, { claims: marks, header: { alg: "MARKER-alg" } }),
      token(rs, { claims: marks, header: { kid: "MARKER-kid" } }),
      token(rs, { claims: marks, header: { typ: "MARKER-typ" } }),
      token(rs, { claims: marks, header: { crit: ["MARKER-crit"] } }),
      token(rs, { claims: { ...marks, iss: "MARKER-iss" } }),
    ];
    for (const bearer of wrong) {
      const answer = await answerTo(bearer);
      expect(["rejected", "not-mine"]).toContain(answer.kind);
      expect(JSON.stringify(answer)).not.toContain("MARKER");
    }
  });
});

test("whatever is changed in a good token, it lets nobody in", async () => {
  const subjects = new Map<Authenticator, readonly string[]>([
    [authenticator(), all.map((key) => token(key))],
    [authenticator({ rules: bySecret }), [hmacToken(secret)]],
  ]);
  const characters = "ABCXYZabcxyz0189-_.=+/ \n\u0000é";
  const pairs = [...subjects].flatMap(([door, goods]) => goods.map((good) => ({ door, good })));
  const change = record({
    place: nat(),
    kind: constantFrom("replace", "insert", "delete", "truncate", "repeat"),
    with: string({ unit: constantFrom(...characters.split("")), minLength: 1, maxLength: 4 }),
  });
  await assert(
    asyncProperty(
      constantFrom(...pairs),
      array(change, { minLength: 1, maxLength: 3 }),
      async ({ door, good }, changes) => {
        let bearer = good;
        for (const { place, kind, with: text } of changes) {
          const at = place % (bearer.length + 1);
          const [before, after] = [bearer.slice(0, at), bearer.slice(at)];
          if (kind === "replace") bearer = before + text + after.slice(text.length);
          else if (kind === "insert") bearer = before + text + after;
          else if (kind === "delete") bearer = before + after.slice(text.length);
          else if (kind === "truncate") bearer = before;
          else bearer = before + before.slice(-text.length) + after;
        }
        pre(bearer !== good);
        expect((await door.authenticate({ bearer })).kind).not.toBe("accepted");
      },
    ),
    { numRuns: 1500 },
  );
  // The last character of a signature may have bits that are thrown away: each other one is another token.
  for (const { door, good } of pairs) {
    for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
      const bearer = good.slice(0, -1) + character;
      const expected = bearer === good ? "accepted" : "rejected";
      expect((await door.authenticate({ bearer })).kind).toBe(expected);
    }
  }
});

describe("rules", () => {
  test.each<[string, Partial<JwtRules>]>([
    ["without an algorithm", { algorithms: [] }],
    ["with none", { algorithms: ["RS256", "none"] }],
    ["with HMAC beside published keys", { algorithms: ["RS256", "HS256"] }],
    ["with a signature beside a secret", { ...bySecret, algorithms: ["HS256", "RS256"] }],
    ["without an audience", { audience: [] }],
    ["with a short secret", { ...bySecret, keys: { kind: "secret", secret: "x".repeat(31) } }],
    ["with a secret too short for one", { ...bySecret, algorithms: ["HS256", "HS512"] }],
  ])("%s are refused", (_what, other) => {
    expect(() => authenticator({ rules: other })).toThrow(
      expect.objectContaining({ code: "config_invalid" }),
    );
  });

  test("with a secret of 32 bytes are taken", () => {
    const just = { kind: "secret", secret: "é".repeat(16) } as const;
    expect(() => authenticator({ rules: { ...bySecret, keys: just } })).not.toThrow();
  });
});

test("whoever was let in stands with this authenticator, and with no other", async () => {
  const door = authenticator();
  const answer = await door.authenticate({ bearer: token(rs) });
  if (answer.kind !== "accepted") throw new Error(answer.kind);
  expect(door.renew(answer.principal)).toBe(answer.principal);
  expect(authenticator().renew(answer.principal)).toBeUndefined();
});
