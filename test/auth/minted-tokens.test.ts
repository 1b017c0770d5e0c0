import { createHash, randomBytes, randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import type { Authentication } from "../../src/auth/authenticator.ts";
import { openDirectory } from "../../src/auth/directory.ts";
import type { Directory } from "../../src/auth/directory.ts";
import { createLocalAuthenticator } from "../../src/auth/local-authenticator.ts";
import { hashToken } from "../../src/auth/minted-token-format.ts";
import type { TokenEvent } from "../../src/auth/token-mint.ts";
import { createTokenMint } from "../../src/auth/token-mint.ts";
import type { MintedToken } from "../../src/core/identities.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { Storage } from "../../src/core/storage.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";

const day = 24 * 60 * 60 * 1000;
const now = (): number => nowMs;
let nowMs: number;
let storage: Storage;
let directory: Directory;
let events: TokenEvent[];

beforeEach(async () => {
  nowMs = 1_764_000_000_000;
  storage = createMemoryStorage();
  directory = await openDirectory({ storage, now, newId: randomUUID });
  events = [];
});

const mint = () =>
  createTokenMint({
    directory,
    now,
    newId: randomUUID,
    randomBytes,
    report: (event) => events.push(event),
  });
const authenticate = (bearer?: string): Authentication | Promise<Authentication> =>
  createLocalAuthenticator({ directory, now }).authenticate({ bearer });
const storedTokens = (): Promise<MintedToken[]> =>
  storage.withPrincipal(systemPrincipal, (tx) => tx.tokens.all());
const history = () => storage.withPrincipal(systemPrincipal, (tx) => tx.changes.list({ limit: 9 }));

const unknown = { kind: "rejected", reason: "The token is not known here" };

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

  test("is kept as its hash only, and told of without either", async () => {
    const { token, tokenId } = await mint().mintCliToken("ada");
    const hash = createHash("sha256").update(token).digest("hex");
    const rows = await storedTokens();
    expect(rows).toMatchObject([{ id: tokenId, hash, userId: "ada", kind: "cli" }]);
    expect(events).toStrictEqual([
      { kind: "minted", tokenId, userId: "ada", role: "admin", expiresAtMs: nowMs + day },
    ]);
    const changes = await history();
    expect(changes).toMatchObject([
      { entity: "token", entityId: tokenId, action: "created", actor: "user", userId: "ada" },
    ]);
    expect(JSON.stringify([rows, events, changes])).not.toContain(token.slice(3));
    expect(JSON.stringify([events, changes])).not.toContain(hash);
  });

  test("is not handed out, nor told of, when it could not be stored", async () => {
    await storage.close();
    await expect(mint().mintCliToken("ada")).rejects.toMatchObject({ code: "store_unavailable" });
    expect(events).toStrictEqual([]);
    expect(directory.tokens()).toStrictEqual([]);
  });
});

describe("the local authenticator", () => {
  test("rejects od_ tokens it does not know, whatever they look like", async () => {
    await mint().mintCliToken("ada");
    const [{ hash } = { hash: null }] = await storedTokens();
    const strange = [
      "od_",
      "od_x",
      `od_${"a".repeat(43)}`,
      `od_${"a".repeat(44)}`,
      `od_${"a".repeat(42)}\n`,
      `od_${"a".repeat(1_000_000)}`,
      "od_' OR 1=1 --",
      // What somebody who has read the database knows.
      `od_${hash ?? ""}`,
      `od_${Buffer.from(hash ?? "", "hex").toString("base64url")}`,
    ];
    for (const bearer of strange) {
      expect(authenticate(bearer)).toStrictEqual(unknown);
    }
  });

  test("leaves everything else to others", () => {
    expect(authenticate()).toStrictEqual({ kind: "absent" });
    for (const bearer of ["", "x", "OD_x", " od_x", "eyJhbGciOi"]) {
      expect(authenticate(bearer)).toStrictEqual({ kind: "not-mine" });
    }
  });

  test("rejects a token from the moment it expires", async () => {
    const { token, expiresAtMs } = await mint().mintCliToken("ada");
    nowMs = expiresAtMs - 1;
    expect(authenticate(token)).toMatchObject({ kind: "accepted" });
    nowMs = expiresAtMs;
    expect(authenticate(token)).toStrictEqual({
      kind: "rejected",
      reason: "The token has expired",
    });
  });

  test("says who it is: the local owner", async () => {
    const { token, expiresAtMs } = await mint().mintCliToken("ada");
    expect(authenticate(token)).toStrictEqual({
      kind: "accepted",
      principal: {
        userId: "ada",
        displayName: "ada",
        organizationId: null,
        role: "admin",
        scopes: [],
        method: "local",
        isLocalOwner: true,
        expiresAtMs,
        tokenHash: hashToken(token),
      },
    });
  });

  test("needs no storage once it is open", async () => {
    const { token } = await mint().mintCliToken("ada");
    await storage.close();
    expect(authenticate(token)).toMatchObject({ kind: "accepted" });
  });

  test("knows after a restart what was minted before", async () => {
    const { token } = await mint().mintCliToken("ada");
    const taken = await mint().mintCliToken("ada");
    await mint().revokeByBearer(taken.token);
    directory = await openDirectory({ storage, now, newId: randomUUID });
    expect(authenticate(token)).toMatchObject({ kind: "accepted" });
    expect(authenticate(taken.token)).toStrictEqual(unknown);
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

  test("that comes twice at once is done once", async () => {
    const { token } = await mint().mintCliToken("ada");
    const answers = [mint().revokeByBearer(token), mint().revokeByBearer(token)];
    expect(await Promise.all(answers)).toStrictEqual([true, false]);
  });

  test("erases the hash, keeps the row, and is in the history under who it was", async () => {
    const { token, tokenId } = await mint().mintCliToken("ada");
    nowMs += 5;
    await mint().revokeByBearer(token);
    expect(await storedTokens()).toMatchObject([{ id: tokenId, hash: null, revokedAtMs: nowMs }]);
    expect((await history())[0]).toMatchObject({
      entity: "token",
      entityId: tokenId,
      action: "deleted",
      userId: "ada",
      before: { revokedAt: null },
      after: { revokedAt: new Date(nowMs).toISOString() },
    });
    expect(events.at(-1)).toStrictEqual({ kind: "revoked", tokenId, userId: "ada" });
  });

  test("has let nobody in any more when it is told of, once", async () => {
    const { token } = await mint().mintCliToken("ada");
    const told: unknown[] = [];
    directory.onChanged(() => void told.push(authenticate(token)));
    await mint().revokeByBearer(token);
    await mint().revokeByBearer(token);
    expect(told).toStrictEqual([unknown]);
  });

  test("leaves the token good when the storage fails, and says so", async () => {
    const { token } = await mint().mintCliToken("ada");
    await storage.close();
    await expect(mint().revokeByBearer(token)).rejects.toMatchObject({
      code: "store_unavailable",
    });
    expect(authenticate(token)).toMatchObject({ kind: "accepted" });
    expect(events).toHaveLength(1);
  });
});
