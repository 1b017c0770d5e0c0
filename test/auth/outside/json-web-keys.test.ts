import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { fittingKeys, readKeySet } from "../../../src/auth/outside/json-web-keys.ts";
import { newKey } from "./support/fake-issuer.ts";

const rsa = newKey("RS256", "rsa");
const curve = newKey("ES256", "curve");
const edwards = newKey("EdDSA", "edwards");

const algorithmsOf = (...keys: readonly unknown[]): readonly (readonly string[])[] | undefined =>
  readKeySet(JSON.stringify({ keys }))?.map(({ algorithms }) => algorithms);
const weak = (type: "rsa", options: { modulusLength: number; publicExponent?: number }): object =>
  generateKeyPairSync(type, options).publicKey.export({ format: "jwk" });
const without = ({ jwk }: typeof rsa, ...names: readonly string[]): object =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => !names.includes(name)));

test("a key is good for what its type can, and for its alg alone where it has one", () => {
  expect(
    algorithmsOf(
      rsa.jwk,
      curve.jwk,
      edwards.jwk,
      ...[rsa, curve, edwards].map((key) => without(key, "alg")),
    ),
  ).toStrictEqual([
    ["RS256"],
    ["ES256"],
    ["EdDSA"],
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
    ["ES256"],
    ["EdDSA", "Ed25519"],
  ]);
});

test.each<[string, object]>([
  ["for encryption", { ...rsa.jwk, use: "enc" }],
  ["for anything", { ...rsa.jwk, use: null }],
  ["that may not verify", { ...rsa.jwk, key_ops: ["wrapKey"] }],
  ["whose operations are a text", { ...rsa.jwk, key_ops: "verify" }],
  ["for another algorithm", { ...rsa.jwk, alg: "RSA-OAEP-256" }],
  ["for no algorithm", { ...rsa.jwk, alg: "none" }],
  ["for HMAC", { ...rsa.jwk, alg: "HS256" }],
  ["for a curve's algorithm", { ...rsa.jwk, alg: "ES256" }],
  ["with a number for its id", { ...rsa.jwk, kid: 7 }],
  ["of 1024 bits", weak("rsa", { modulusLength: 1024 })],
  ["of 2040 bits", weak("rsa", { modulusLength: 2040 })],
  ["with the exponent 1", { ...rsa.jwk, e: "AQ" }],
  ["with an even exponent", { ...rsa.jwk, e: "AAAE" }],
  ["without a modulus", without(rsa, "n")],
  ["without a point", without(curve, "y")],
  ["whose point is not on the curve", { ...curve.jwk, y: curve.jwk["x"] }],
  ["of another curve than it says", { ...curve.jwk, alg: undefined, crv: "P-384" }],
  ["of a curve that is not known", { ...curve.jwk, crv: "secp256k1" }],
  ["that only agrees on keys", { kty: "OKP", crv: "X25519", x: edwards.jwk["x"] }],
  ["that is shared", { kty: "oct", k: "A".repeat(43), alg: "HS256" }],
  ["that is private", { ...curve.jwk, d: "A".repeat(43) }],
  ["without a type", without(rsa, "kty")],
  ["of a type nobody knows", { ...rsa.jwk, kty: "constructor" }],
])("a key %s is left out, and the others are not", (_what, jwk) => {
  expect(algorithmsOf(jwk, curve.jwk)).toStrictEqual([["ES256"]]);
});

test("what is no key is left out", () => {
  expect(algorithmsOf(null, 7, "key", [], {}, curve.jwk)).toStrictEqual([["ES256"]]);
  expect(algorithmsOf()).toStrictEqual([]);
});

test.each(["", "null", "[]", "{}", '{"keys":{}}', '{"keys":null}', '{"keys":[}'])(
  "%s is no key set",
  (text) => {
    expect(readKeySet(text)).toBeUndefined();
  },
);

test("a token's id chooses among those of its algorithm", () => {
  const two = [rsa.jwk, { ...without(curve), kid: "rsa" }, { ...without(rsa, "kid") }];
  const keys = readKeySet(JSON.stringify({ keys: two })) ?? [];
  const idsOf = (alg: string, kid: string | undefined): readonly (string | undefined)[] =>
    fittingKeys(keys, { alg, kid }).map((key) => key.kid);
  expect(idsOf("RS256", "rsa")).toStrictEqual(["rsa"]);
  expect(idsOf("ES256", "rsa")).toStrictEqual(["rsa"]);
  expect(idsOf("RS256", undefined)).toStrictEqual(["rsa", undefined]);
  expect(idsOf("RS512", undefined)).toStrictEqual([]);
  expect(idsOf("RS256", "curve")).toStrictEqual([]);
});
