import { randomBytes, randomUUID } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { createAdministrationTokens } from "../../src/auth/administration-tokens.ts";
import type { AdministrationTokens } from "../../src/auth/administration-tokens.ts";
import { openDirectory } from "../../src/auth/directory.ts";
import type { Directory } from "../../src/auth/directory.ts";
import { createDoor } from "../../src/auth/door.ts";
import { createLocalAuthenticator } from "../../src/auth/local-authenticator.ts";
import { createStaticTokenAuthenticator } from "../../src/auth/static-token-authenticator.ts";
import { createTokenMint } from "../../src/auth/token-mint.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";

const now = (): number => nowMs;
const report = (): void => undefined;
let nowMs: number;
let tokens: AdministrationTokens;

beforeEach(() => {
  nowMs = 1_764_000_000_000;
  tokens = createAdministrationTokens({ now, newId: randomUUID, randomBytes, owner: "ada" });
});

const anEmptyDirectory = (): Promise<Directory> =>
  openDirectory({ storage: createMemoryStorage(), now, newId: randomUUID });

test("it is good until it expires, and not before its time when the clock is put back", () => {
  const { token } = tokens.mint();
  nowMs += 119_999;
  expect(tokens.principalOf(token)).toBeDefined();
  nowMs += 1;
  expect(tokens.principalOf(token)).toBeUndefined();
  nowMs -= 120_001;
  expect(tokens.principalOf(token)).toBeUndefined();
});

test("nothing else is one", () => {
  const { token, tokenId } = tokens.mint();
  const others = [
    undefined,
    "",
    "od_",
    `od_${"a".repeat(43)}`,
    `${token}x`,
    token.slice(3),
    tokenId,
  ];
  for (const bearer of others) expect(tokens.principalOf(bearer)).toBeUndefined();
});

test("no door knows it: it is good for no call", async () => {
  const directory = await anEmptyDirectory();
  const door = createDoor(
    [
      createLocalAuthenticator({ directory, now }),
      createStaticTokenAuthenticator(
        [{ name: "ci", token: "secret", role: "admin", organizationId: null }],
        directory,
      ),
    ],
    now,
  );
  const { token } = tokens.mint();
  expect(await door.authenticate({ bearer: token })).toStrictEqual({
    kind: "rejected",
    reason: "The token is not known here",
  });
  const mint = createTokenMint({ directory, now, newId: randomUUID, randomBytes, report });
  expect(await mint.revokeByBearer(token)).toBe(false);
  expect(directory.tokens()).toStrictEqual([]);
});

test("a token of the door is none of them", async () => {
  const directory = await anEmptyDirectory();
  const mint = createTokenMint({ directory, now, newId: randomUUID, randomBytes, report });
  const { token } = await mint.mintCliToken("ada");
  expect(tokens.principalOf(token)).toBeUndefined();
});

test("they are bounded in number, the oldest goes first", () => {
  const first = tokens.mint();
  const second = tokens.mint();
  for (let count = 2; count < 2001; count += 1) tokens.mint();
  expect(tokens.principalOf(first.token)).toBeUndefined();
  expect(tokens.principalOf(second.token)).toBeDefined();
});
