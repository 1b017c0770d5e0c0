import { createHmac } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import type { Authentication } from "../../../src/auth/authenticator.ts";
import { createJwtAuthenticator } from "../../../src/auth/outside/jwt-authenticator.ts";
import type { JwtRules } from "../../../src/core/configuration.ts";
import {
  compact,
  createFakeIssuer,
  goodClaims,
  issuerUrl,
  keysUrl,
  mapping,
  metadataUrl,
  newKey,
  rules,
  signerOf,
  silent,
  startMs,
  token,
} from "./support/fake-issuer.ts";

/** The known attacks on JWTs (RFC 8725 §2), each with a token that some checker has taken. */
const key = newKey("RS256", "k1");
const attacker = newKey("RS256", "k1");
const attackersKeys = "https://attacker.example/keys";

let issuer: ReturnType<typeof createFakeIssuer>;
beforeEach(() => {
  issuer = createFakeIssuer([key]);
  issuer.pages.set(attackersKeys, {
    status: 200,
    body: JSON.stringify({ keys: [attacker.jwk] }),
  });
});

const answerTo = async (bearer: string, other: Partial<JwtRules> = {}): Promise<Authentication> =>
  createJwtAuthenticator({
    rules: { ...rules, ...other },
    mapping,
    directory: { organization: () => undefined },
    ask: issuer.ask,
    logger: silent,
    now: () => startMs,
    way: { type: "jwt", description: "With a token of the issuer" },
  }).authenticate({ bearer });

const rejected = (reason: RegExp): object => ({
  kind: "rejected",
  reason: expect.stringMatching(reason),
});
const payload = JSON.stringify(goodClaims);
const nothing = (): Uint8Array => new Uint8Array();

test("without any of it the token is good", async () => {
  expect(await answerTo(token(key))).toMatchObject({ kind: "accepted" });
});

describe("refused is", () => {
  test.each(["none", "None", "NONE", "nOnE", ""])("alg %j without a signature", async (alg) => {
    const unsigned = compact(JSON.stringify({ alg, typ: "JWT" }), payload, nothing);
    expect(await answerTo(unsigned)).toStrictEqual(rejected(/\(alg\)/u));
    const withSignature = compact(JSON.stringify({ alg }), payload, signerOf(key));
    expect(await answerTo(withSignature)).toStrictEqual(rejected(/\(alg\)/u));
  });

  test("HMAC with the public key as the secret, in each of its forms", async () => {
    const { publicKey, jwk } = key;
    const forms = [
      publicKey.export({ format: "pem", type: "spki" }),
      publicKey.export({ format: "pem", type: "pkcs1" }),
      publicKey.export({ format: "der", type: "spki" }),
      JSON.stringify(jwk),
      Buffer.from(JSON.stringify(jwk["n"]).slice(1, -1), "base64url"),
    ];
    for (const secret of forms) {
      const signer = (input: Buffer): Uint8Array =>
        createHmac("sha256", secret).update(input).digest();
      const forged = compact(JSON.stringify({ alg: "HS256", kid: "k1" }), payload, signer);
      expect(await answerTo(forged)).toStrictEqual(rejected(/\(alg\)/u));
    }
  });

  test("a published shared secret", async () => {
    const k = Buffer.from("x".repeat(32)).toString("base64url");
    issuer.publish([{ kty: "oct", k, kid: "k1", alg: "RS256" }]);
    expect(await answerTo(token(key))).toStrictEqual(rejected(/does not publish/u));
  });

  test.each<[string, object]>([
    ["an address of keys (jku)", { jku: attackersKeys }],
    ["an address of a certificate (x5u)", { x5u: attackersKeys }],
    ["a key of its own (jwk)", { jwk: attacker.jwk }],
    ["certificates of its own (x5c)", { x5c: ["MIIB"] }],
  ])("%s, which nobody looks at", async (_what, header) => {
    for (const kid of ["k1", "k2", undefined]) {
      const forged = token(attacker, { header: { ...header, kid } });
      expect((await answerTo(forged)).kind).toBe("rejected");
    }
    expect(issuer.asked.every((url) => [metadataUrl, keysUrl].includes(url))).toBe(true);
  });

  test("none of these where the signature is the issuer's: they mean nothing", async () => {
    const header = { jku: attackersKeys, x5u: attackersKeys, jwk: attacker.jwk };
    expect(await answerTo(token(key, { header }))).toMatchObject({ kind: "accepted" });
    expect(issuer.asked).not.toContain(attackersKeys);
  });

  test("an issuer's address in the token itself, whoever it is", async () => {
    const forged = token(attacker, { claims: { iss: "https://attacker.example" } });
    expect((await answerTo(forged)).kind).toBe("not-mine");
    expect(issuer.asked).toStrictEqual([]);
  });

  test.each(["../../dev/null", "k1' OR '1'='1", "k1\u0000", "__proto__", "constructor", ""])(
    "the kid %j",
    async (kid) => {
      const forged = token(attacker, { header: { kid } });
      expect(await answerTo(forged)).toStrictEqual(rejected(/does not publish/u));
    },
  );

  test.each<[string, string, string]>([
    ["alg", `{"alg":"none","alg":"RS256","kid":"k1"}`, payload],
    ["alg, escaped", String.raw`{"alg":"RS256","\u0061lg":"RS256","kid":"k1"}`, payload],
    ["sub", `{"alg":"RS256","kid":"k1"}`, `{"sub":"eve",${payload.slice(1)}`],
    ["exp", `{"alg":"RS256","kid":"k1"}`, `${payload.slice(0, -1)},"exp":9999999999}`],
    ["role, further in", `{"alg":"RS256"}`, `${payload.slice(0, -1)},"a":[{"r":1,"r":2}]}`],
    ["iss", `{"alg":"RS256"}`, `{"iss":"https://other.example",${payload.slice(1)}`],
  ])("a member twice (%s), though the issuer signed it", async (_what, header, claims) => {
    const twice = compact(header, claims, signerOf(key));
    expect(await answerTo(twice)).toStrictEqual(rejected(/twice/u));
  });

  test("one whose second iss is another's is not its own", async () => {
    const twice = `${payload.slice(0, -1)},"iss":"https://other.example"}`;
    const answer = await answerTo(compact(`{"alg":"RS256"}`, twice, signerOf(key)));
    expect(answer.kind).toBe("not-mine");
  });

  test("a payload that is not encoded (b64)", async () => {
    for (const header of [{ b64: false, crit: ["b64"] }, { b64: false }, { b64: true }]) {
      const text = JSON.stringify({ alg: "RS256", kid: "k1", ...header });
      const encoded = compact(text, payload, signerOf(key));
      expect(await answerTo(encoded)).toStrictEqual(rejected(/\((?:crit|b64)\)/u));
      // Over the text itself (RFC 7797 §3), with the payload where it is encoded, and where it is not.
      const [first = "", second = ""] = encoded.split(".");
      const raw = signerOf(key)(Buffer.from(`${first}.${payload}`));
      const signature = Buffer.from(raw).toString("base64url");
      expect((await answerTo(`${first}.${second}.${signature}`)).kind).toBe("rejected");
      expect((await answerTo(`${first}.${payload}.${signature}`)).kind).not.toBe("accepted");
    }
  });

  test("another spelling of a good one", async () => {
    const good = token(key);
    const [first = "", second = "", third = ""] = good.split(".");
    const base64 = Buffer.from(third, "base64url").toString("base64");
    for (const spelling of [`${good}=`, `${first}.${second}.${base64}`, ` ${good}`, `${good}\n`]) {
      expect((await answerTo(spelling)).kind).not.toBe("accepted");
    }
  });

  test("a key for something else, a weak one, and a private one that is published", async () => {
    const short = newKey("RS256", "k1", 1024);
    const { privateKey } = key;
    const { d }: { d?: string } = privateKey.export({ format: "jwk" });
    const sets: [typeof key, object][] = [
      [key, { use: "enc" }],
      [key, { alg: "PS256" }],
      [key, { alg: "RSA-OAEP" }],
      [key, { key_ops: ["encrypt"] }],
      [key, { d }],
      [short, {}],
    ];
    for (const [signing, other] of sets) {
      issuer.publish([{ ...signing.jwk, ...other }]);
      expect(await answerTo(token(signing))).toStrictEqual(rejected(/does not publish/u));
    }
  });

  test("a key of one kind under the alg of another", async () => {
    const curve = newKey("ES256", "k1");
    issuer.publish([curve.jwk]);
    const forged = token(key, { header: { kid: "k1" } });
    expect(await answerTo(forged)).toStrictEqual(rejected(/does not publish/u));
  });

  test("a signature over nothing: zeros of ECDSA", async () => {
    const curve = newKey("ES256", "k1");
    issuer.publish([curve.jwk]);
    const zeros = compact(`{"alg":"ES256","kid":"k1"}`, payload, () => new Uint8Array(64));
    expect(await answerTo(zeros)).toStrictEqual(rejected(/signature/u));
  });

  test("an ID token: its audience is the client", async () => {
    const id = token(key, { claims: { aud: "client-1", nonce: "n" }, header: { typ: "JWT" } });
    expect(await answerTo(id)).toStrictEqual(rejected(/\(aud\)/u));
  });

  test("a token within a token", async () => {
    const nested = compact(`{"alg":"RS256","kid":"k1","cty":"JWT"}`, token(key), signerOf(key));
    expect((await answerTo(nested)).kind).toBe("not-mine");
  });

  test("what is deep", async () => {
    const deep = `${payload.slice(0, -1)},"a":${"[".repeat(5000)}${"]".repeat(5000)}}`;
    const answer = await answerTo(compact(`{"alg":"RS256"}`, deep, signerOf(attacker)));
    expect(answer.kind).toBe("rejected");
  });

  test("the issuer's own token shown under a prototype's name", async () => {
    const header = `{"alg":"RS256","kid":"k1","__proto__":{"typ":"at+jwt"}}`;
    const claims = `{"__proto__":${payload},"iss":${JSON.stringify(issuerUrl)}}`;
    const answer = await answerTo(compact(header, claims, signerOf(key)));
    expect(answer).toStrictEqual({ kind: "rejected", reason: "The token has no sub" });
  });
});
