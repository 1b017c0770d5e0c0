import { expect, test } from "vitest";
import { readKeySet } from "../../../src/auth/outside/json-web-keys.ts";
import type { VerificationKey } from "../../../src/auth/outside/json-web-keys.ts";
import { createKeySetCheck } from "../../../src/auth/outside/signature-check.ts";
import { newKey, token } from "./support/fake-issuer.ts";

const signing = newKey("ES256", "first");
const by = { alg: "ES256", kid: "first" };

/** The published key, and how often it was used to look at a signature. */
function counted(): { keys: readonly VerificationKey[]; uses: () => number } {
  const [published] = readKeySet(JSON.stringify({ keys: [signing.jwk] })) ?? [];
  if (published === undefined) throw new Error("no key");
  let uses = 0;
  const { key, ...others } = published;
  const watched: VerificationKey = {
    ...others,
    get key() {
      uses += 1;
      return key;
    },
  };
  return { keys: [watched], uses: () => uses };
}

test("looks at a token's signature once for as long as the keys are the same", async () => {
  const first = counted();
  let { keys } = first;
  const set = () => Promise.resolve({ kind: "keys", keys } as const);
  const check = createKeySetCheck({ current: set, fresher: set });
  const good = token(signing);
  for (let shown = 0; shown < 3; shown += 1) {
    expect(await check(good, by, "hash of it")).toStrictEqual({ kind: "good" });
  }
  expect(first.uses()).toBe(1);

  const second = counted();
  keys = second.keys;
  expect(await check(good, by, "hash of it")).toStrictEqual({ kind: "good" });
  expect(second.uses()).toBe(1);

  keys = [];
  expect(await check(good, by, "hash of it")).toMatchObject({ kind: "bad" });
});

test("looks again and again at one that is not right, and remembers nothing of it", async () => {
  const { keys, uses } = counted();
  const set = () => Promise.resolve({ kind: "keys", keys } as const);
  const check = createKeySetCheck({ current: set, fresher: set });
  const forged = token(newKey("ES256", "first"));
  for (let shown = 1; shown < 4; shown += 1) {
    expect(await check(forged, by, "hash of it")).toMatchObject({ kind: "bad" });
    expect(uses()).toBe(shown);
  }
});
