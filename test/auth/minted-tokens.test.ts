import { createHash, randomBytes, randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { createLocalAuthenticator } from "../../src/auth/local-authenticator.ts";
import type { TokenEvent } from "../../src/auth/token-mint.ts";
import { createTokenMint } from "../../src/auth/token-mint.ts";
import { AppError } from "../../src/core/errors.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { MintedToken, Storage } from "../../src/core/storage.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";

const day = 24 * 60 * 60 * 1000;
let nowMs: number;
let storage: Storage;
let events: TokenEvent[];

beforeEach(() => {
  nowMs = 1_764_000_000_000;
  storage = createMemoryStorage();
  events = [];
});

const mint = () =>
  createTokenMint({
    storage,
    now: () => nowMs,
    newId: randomUUID,
    randomBytes,
    report: (event) => events.push(event),
  });
const local = () => createLocalAuthenticator({ storage, now: () => nowMs });
const stored = (token: string): Promise<MintedToken | undefined> =>
  storage.withPrincipal(systemPrincipal, (tx) =>
    tx.tokens.findByHash(createHash("sha256").update(token).digest("hex")),
  );

describe("a minted token", () => {
  test("is random, prefixed, for a day, of the local owner as admin", async () => {
    const [first, second] = [await mint().mintCliToken("ada"), await mint().mintCliToken("ada")];
    expect(first).toStrictEqual({
      token: expect.stringMatching(/^od_[\w-]{43}$/),
      tokenId: expect.any(String),
      expiresAtMs: nowMs + day,
      userId: "ada",
      role: "admin",
    });
    expect(second.token).not.toBe(first.token);
    expect(second.tokenId).not.toBe(first.tokenId);
  });

  test("is kept as its hash only, and reported without itself", async () => {
    const { token, tokenId } = await mint().mintCliToken("ada");
    const row = await stored(token);
    expect(row).toMatchObject({ id: tokenId, userId: "ada", kind: "cli", revokedAtMs: null });
    expect(JSON.stringify([row, events])).not.toContain(token.slice(3));
    expect(events).toStrictEqual([
      { kind: "minted", tokenId, userId: "ada", role: "admin", expiresAtMs: nowMs + day },
    ]);
  });

  test("is not handed out, nor reported, when it could not be stored", async () => {
    await storage.close();
    await expect(mint().mintCliToken("ada")).rejects.toMatchObject({ code: "store_unavailable" });
    expect(events).toStrictEqual([]);
  });

  test("is forgotten a week after it expired", async () => {
    const { token } = await mint().mintCliToken("ada");
    nowMs += 8 * day;
    await mint().mintCliToken("ada");
    expect(await stored(token)).toBeDefined();
    nowMs += 1;
    await mint().mintCliToken("ada");
    expect(await stored(token)).toBeUndefined();
  });
});

describe("the local authenticator", () => {
  const unknown = { kind: "rejected", reason: "The token is not known here" };

  test("rejects od_ tokens it does not know, whatever they look like", async () => {
    const strange = [
      "od_",
      "od_x",
      `od_${"a".repeat(43)}`,
      `od_${"a".repeat(44)}`,
      `od_${"a".repeat(42)}\n`,
      `od_${"a".repeat(1_000_000)}`,
      "od_' OR 1=1 --",
    ];
    for (const bearer of strange) {
      expect(await local().authenticate({ bearer })).toStrictEqual(unknown);
    }
  });

  test("leaves everything else to others", async () => {
    expect(await local().authenticate({})).toStrictEqual({ kind: "absent" });
    for (const bearer of ["", "x", "OD_x", " od_x", "eyJhbGciOi"]) {
      expect(await local().authenticate({ bearer })).toStrictEqual({ kind: "not-mine" });
    }
  });

  test("rejects a token from the moment it expires, also one it has seen", async () => {
    const { token, expiresAtMs } = await mint().mintCliToken("ada");
    const door = local();
    nowMs = expiresAtMs - 1;
    expect(await door.authenticate({ bearer: token })).toMatchObject({ kind: "accepted" });
    nowMs = expiresAtMs;
    expect(await door.authenticate({ bearer: token })).toStrictEqual({
      kind: "rejected",
      reason: "The token has expired",
    });
  });

  test("rejects a token from the moment it is revoked, also one it has seen", async () => {
    const { token, tokenId } = await mint().mintCliToken("ada");
    const door = local();
    expect(await door.authenticate({ bearer: token })).toMatchObject({ kind: "accepted" });
    expect(await mint().revokeByBearer(token)).toBe(true);
    const answer = { kind: "rejected", reason: "The token was revoked" };
    expect(await door.authenticate({ bearer: token })).toStrictEqual(answer);
    expect(await local().authenticate({ bearer: token })).toStrictEqual(answer);
    expect(events.at(-1)).toStrictEqual({ kind: "revoked", tokenId, userId: "ada" });
  });

  test("does not remember a token that was revoked while it looked it up", async () => {
    const { token } = await mint().mintCliToken("ada");
    const { promise: answered, resolve: answer } = createDeferred();
    const [real, isFirst] = [storage, [true]];
    storage = {
      ...real,
      async withPrincipal(principal, work) {
        const result = await real.withPrincipal(principal, work);
        // The first row has been read, and its answer is a long time on the way.
        await (isFirst.pop() === true ? answered : undefined);
        return result;
      },
    };
    const door = local();
    const slow = door.authenticate({ bearer: token });
    expect(await mint().revokeByBearer(token)).toBe(true);
    answer();
    await slow;
    expect(await door.authenticate({ bearer: token })).toMatchObject({ kind: "rejected" });
  });

  test("has let nobody in any more when it is told that a token is taken back, once", async () => {
    const tokens = mint();
    const { token, tokenId } = await tokens.mintCliToken("ada");
    const door = local();
    const told: string[] = [];
    const answers: ReturnType<typeof door.authenticate>[] = [];
    tokens.onRevoked((id) => {
      told.push(id);
      answers.push(door.authenticate({ bearer: token }));
    });
    await tokens.revokeByBearer(token);
    await tokens.revokeByBearer(token);
    expect(told).toEqual([tokenId]);
    expect(await answers[0]).toMatchObject({ kind: "rejected" });
  });

  test("says who it is", async () => {
    const { token, tokenId, expiresAtMs } = await mint().mintCliToken("ada");
    expect(await local().authenticate({ bearer: token })).toStrictEqual({
      kind: "accepted",
      principal: {
        userId: "ada",
        displayName: "ada",
        organizationId: null,
        role: "admin",
        scopes: [],
        method: "local",
        expiresAtMs,
        tokenId,
      },
    });
  });

  test("asks the storage once for a token it has seen", async () => {
    const { token } = await mint().mintCliToken("ada");
    const door = local();
    await door.authenticate({ bearer: token });
    await storage.close();
    expect(await door.authenticate({ bearer: token })).toMatchObject({ kind: "accepted" });
  });

  test("is unavailable when the storage is, and does not hide a fault", async () => {
    const bearer = `od_${"a".repeat(43)}`;
    await storage.close();
    expect(await local().authenticate({ bearer })).toMatchObject({ kind: "unavailable" });
    for (const fault of [new TypeError("bug"), new AppError("internal", "bug")]) {
      storage = { ...createMemoryStorage(), withPrincipal: () => Promise.reject(fault) };
      await expect(local().authenticate({ bearer })).rejects.toBe(fault);
    }
  });
});

describe("revocation by the bearer itself", () => {
  test("is done once, and only for a live token of ours", async () => {
    const { token, expiresAtMs } = await mint().mintCliToken("ada");
    const late = await mint().mintCliToken("ada");
    for (const bearer of ["", "x", "od_", `od_${"a".repeat(43)}`, `${token}x`]) {
      expect(await mint().revokeByBearer(bearer)).toBe(false);
    }
    expect(await mint().revokeByBearer(token)).toBe(true);
    expect(await mint().revokeByBearer(token)).toBe(false);
    nowMs = expiresAtMs;
    expect(await mint().revokeByBearer(late.token)).toBe(false);
    expect(events.filter(({ kind }) => kind === "revoked")).toHaveLength(1);
  });
});

function createDeferred(): { promise: Promise<void>; resolve: () => void } {
  let settle: (() => void) | undefined;
  const promise = new Promise<void>((resolve) => (settle = resolve));
  return { promise, resolve: () => settle?.() };
}
