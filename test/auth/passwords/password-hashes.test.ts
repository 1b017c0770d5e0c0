import { randomBytes, scryptSync } from "node:crypto";
import { expect, test } from "vitest";
import { createPasswordHashes } from "../../../src/auth/passwords/password-hashes.ts";
import { readScryptText, scryptText } from "../../../src/auth/passwords/scrypt-text.ts";

/** Good enough for tests, and a thousand times as fast. */
const cost = { logN: 10, r: 8, p: 1 };
const hashes = createPasswordHashes({ randomBytes, cost });

test("a password is stored at the cost of the day, and known again", async () => {
  const standard = createPasswordHashes({ randomBytes });
  const stored = await standard.hash("correct horse");
  expect(stored).toMatch(/^\$scrypt\$ln=16,r=8,p=2\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await standard.verify("correct horse", stored)).toBe(true);
  expect(await standard.verify("correct horsf", stored)).toBe(false);
});

test("is what RFC 7914 says scrypt is, §12", async () => {
  const stored = scryptText({
    cost: { logN: 14, r: 8, p: 1 },
    salt: Buffer.from("SodiumChloride"),
    key: Buffer.from(
      "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2" +
        "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
      "hex",
    ),
  });
  expect(await hashes.verify("pleaseletmein", stored)).toBe(true);
  expect(await hashes.verify("pleaseletmeim", stored)).toBe(false);
});

test("two hashes of one password differ, and hold nothing of it", async () => {
  const [one, other] = await Promise.all([
    hashes.hash("correct horse"),
    hashes.hash("correct horse"),
  ]);
  expect(one).not.toBe(other);
  expect(one).not.toContain("correct");
});

test("what was stored at another cost is known again", async () => {
  const earlier = createPasswordHashes({ randomBytes, cost: { logN: 11, r: 4, p: 2 } });
  const stored = await earlier.hash("correct horse");
  expect(await hashes.verify("correct horse", stored)).toBe(true);
  expect(await hashes.verify("wrong horses", stored)).toBe(false);
});

test.each<[string, { logN: number; r: number; p: number }, boolean]>([
  ["the same", { logN: 12, r: 8, p: 2 }, false],
  ["less memory", { logN: 11, r: 8, p: 2 }, true],
  ["less memory, though more work", { logN: 11, r: 8, p: 5 }, true],
  ["smaller blocks", { logN: 12, r: 4, p: 2 }, true],
  ["less work", { logN: 12, r: 8, p: 1 }, true],
  ["more of all", { logN: 13, r: 9, p: 3 }, false],
  ["more memory for the same work", { logN: 13, r: 8, p: 1 }, false],
])("%s is outdated, or not", async (_what, itsCost, isOutdated) => {
  const now = createPasswordHashes({ randomBytes, cost: { logN: 12, r: 8, p: 2 } });
  const then = createPasswordHashes({ randomBytes, cost: itsCost });
  expect(now.isOutdated(await then.hash("correct horse"))).toBe(isOutdated);
});

test("so is a short salt or key, and nothing is that nobody's password could be", () => {
  const outdated = (salt: number, key: number): boolean =>
    hashes.isOutdated(scryptText({ cost, salt: randomBytes(salt), key: randomBytes(key) }));
  expect([outdated(16, 32), outdated(15, 32), outdated(16, 31)]).toStrictEqual([false, true, true]);
  expect(hashes.isOutdated("")).toBe(false);
});

test("nobody has the password of who has none", async () => {
  expect(await hashes.verify("", null)).toBe(false);
  expect(await hashes.verify("correct horse", null)).toBe(false);
});

test("nor has who guesses what nobody's password is compared with", async () => {
  const key = scryptSync("lucky guess", Buffer.alloc(16), 32, { N: 1024, r: 8, p: 1 });
  const guessed = createPasswordHashes({
    randomBytes: (size) => (size === 16 ? Buffer.alloc(16) : key),
    cost,
  });
  expect(await guessed.verify("lucky guess", null)).toBe(false);
});

test.each([
  ["nothing", ""],
  ["another function", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2g"],
  ["no salt", "$scrypt$ln=16,r=8,p=2$$aGFzaGhhc2hoYXNoaGFzaGhhc2g"],
  ["an empty key", "$scrypt$ln=16,r=8,p=2$c2FsdHNhbHRzYWx0c2FsdA$"],
  [
    "more memory than there is",
    "$scrypt$ln=30,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGg",
  ],
  ["wider blocks", "$scrypt$ln=16,r=32,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGg"],
  ["hours of work", "$scrypt$ln=16,r=8,p=99$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGg"],
  ["next to no work", "$scrypt$ln=1,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGg"],
  ["a line more", "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGg\n"],
])("a stored text with %s is nobody's password", async (_what, stored) => {
  expect(readScryptText(stored)).toBeUndefined();
  expect(await hashes.verify("correct horse", stored)).toBe(false);
});

test("a password is the same however its letters are composed", async () => {
  const stored = await hashes.hash("crème brûlée ①");
  expect(await hashes.verify("crème brûlée ①".normalize("NFD"), stored)).toBe(true);
  expect(await hashes.verify("crème brûlée 1", stored)).toBe(true);
  expect(await hashes.verify("creme brulee 1", stored)).toBe(false);
});

test("the end of a long password counts, and so does what follows a NUL", async () => {
  const long = "x".repeat(1023);
  const stored = await hashes.hash(`${long}a`);
  expect(await hashes.verify(`${long}b`, stored)).toBe(false);
  const plain = await hashes.hash("password of mine");
  expect(await hashes.verify("password of mine\0more", plain)).toBe(false);
});

test.each([
  ["empty", "", "at least 12"],
  ["short", "12345678901", "at least 12"],
  ["of few characters, though of many bytes", "👩👩👩👩", "at least 12"],
  ["overlong", "x".repeat(1025), "at most 1024 bytes"],
  ["overlong in bytes", "é".repeat(513), "at most 1024 bytes"],
  ["with a NUL", "pass\0word", "control"],
  ["with a line end", "password\n", "control"],
  ["with half a character", "password\ud800", "control"],
])("a new password that is %s is refused", async (_what, password, why) => {
  const refused = hashes.hash(password);
  await expect(refused).rejects.toMatchObject({ code: "usage" });
  await expect(refused).rejects.toThrow(why);
});

test("few wait for their turn, and the others are told to come again", async () => {
  const asked = Array.from({ length: 40 }, () => hashes.verify("correct horse", null));
  const settled = await Promise.allSettled(asked);
  const refused = settled.filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(6);
  for (const each of refused) {
    expect(each).toMatchObject({ reason: { code: "rate_limited", retryAfterSeconds: 5 } });
  }
  expect(await hashes.verify("correct horse", null)).toBe(false);
});
