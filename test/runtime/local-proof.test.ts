import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { ProofClaims } from "../../src/runtime/local-proof.ts";
import {
  canonicalAddress,
  dialledAddress,
  isNonce,
  isProof,
  proofOf,
} from "../../src/runtime/local-proof.ts";

const secret = Buffer.alloc(32, 7).toString("base64url");
const claims: ProofClaims = {
  role: "gateway",
  clientNonce: "c".repeat(43),
  serverNonce: "s".repeat(43),
  instanceId: "instance",
  address: "127.0.0.1:3050",
};

describe("proofOf", () => {
  test("is HMAC-SHA256 of the claims in their fixed order", () => {
    // printf '["onedoor local proof v1","gateway","ccc…","sss…","instance","127.0.0.1:3050"]' |
    //   openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…07
    expect(Buffer.from(proofOf(secret, claims), "base64url").toString("hex")).toBe(
      "28859edcc018e237539e3e305a7031e42e5166ee589949550dc49e96ceb07adb",
    );
  });

  test.each<Partial<ProofClaims>>([
    { role: "client" },
    { role: "administrator" },
    { clientNonce: "d".repeat(43) },
    { serverNonce: "t".repeat(43) },
    { instanceId: "another" },
    { address: "127.0.0.1:3051" },
    { address: "[::1]:3050" },
    // The border between two fields cannot be moved.
    { clientNonce: `${"c".repeat(43)}s`, serverNonce: "s".repeat(42) },
    { clientNonce: `${"c".repeat(43)}","${"s".repeat(43)}`, serverNonce: "" },
  ])("is another one with %j", (changes) => {
    const other = proofOf(secret, { ...claims, ...changes });
    expect(isProof(secret, claims, other)).toBe(false);
  });

  test("is another one with another secret, and no shorter text passes", () => {
    const proof = proofOf(secret, claims);
    expect(isProof(secret, claims, proof)).toBe(true);
    expect(isProof(randomBytes(32).toString("base64url"), claims, proof)).toBe(false);
    expect(isProof(secret, claims, "")).toBe(false);
    expect(isProof(secret, claims, proof.slice(0, -1))).toBe(false);
    expect(isProof(secret, claims, `${proof}=`)).toBe(false);
  });
});

test("an address has one spelling", () => {
  expect(dialledAddress("127.0.0.1", 3050)).toBe("127.0.0.1:3050");
  expect(dialledAddress("::ffff:127.0.0.1", 3050)).toBe("127.0.0.1:3050");
  expect(dialledAddress("::FFFF:127.0.0.1", 3050)).toBe("127.0.0.1:3050");
  expect(dialledAddress("::1", 3050)).toBe("[::1]:3050");
  expect(dialledAddress("[::1]", "3050")).toBe("[::1]:3050");
  expect(canonicalAddress("::ffff:127.0.0.1:3050")).toBe("127.0.0.1:3050");
  expect(canonicalAddress("[::ffff:127.0.0.1]:3050")).toBe("127.0.0.1:3050");
  expect(canonicalAddress("::1:3050")).toBe("[::1]:3050");
  expect(canonicalAddress("[::1]:3050")).toBe("[::1]:3050");
  expect(canonicalAddress("")).toBe(":");
});

test("a nonce is base64url of 128 bits or more", () => {
  expect(isNonce(randomBytes(16).toString("base64url"))).toBe(true);
  expect(isNonce(randomBytes(32).toString("base64url"))).toBe(true);
  for (const value of ["", "short", "a".repeat(129), `${"a".repeat(42)} `, 5, null, undefined]) {
    expect(isNonce(value)).toBe(false);
  }
});
