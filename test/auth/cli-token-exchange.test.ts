import { randomBytes, randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { createAdministrationTokens } from "../../src/auth/administration-tokens.ts";
import type { AdministrationTokens } from "../../src/auth/administration-tokens.ts";
import { createCliTokenExchange } from "../../src/auth/cli-token-exchange.ts";
import type { CliTokenExchange } from "../../src/auth/cli-token-exchange.ts";
import { AppError } from "../../src/core/errors.ts";
import type { MintedTokens } from "../../src/auth/token-mint.ts";
import { isProof, proofOf } from "../../src/runtime/local-proof.ts";
import type { ProofClaims } from "../../src/runtime/local-proof.ts";

const secret = randomBytes(32).toString("base64url");
const instanceId = randomUUID();
const address = "127.0.0.1:3050";

let nowMs: number;
let minted: string[];
let exchange: CliTokenExchange;
let administrationTokens: AdministrationTokens;

const mint: Pick<MintedTokens, "mintCliToken"> = {
  async mintCliToken(userId) {
    minted.push(userId);
    return { token: "od_x", tokenId: "t", expiresAtMs: nowMs + 1000, userId, role: "admin" };
  },
};

const newExchange = (
  other: { instanceId?: string; mintsCliTokens?: () => boolean } = {},
): CliTokenExchange =>
  createCliTokenExchange({
    secret,
    instanceId,
    mint,
    mintsCliTokens: () => true,
    administrationTokens,
    now: () => nowMs,
    random: randomBytes,
    owner: "ada",
    ...other,
  });

beforeEach(() => {
  nowMs = 1_000_000;
  minted = [];
  administrationTokens = createAdministrationTokens({
    now: () => nowMs,
    newId: randomUUID,
    randomBytes,
    owner: "ada",
  });
  exchange = newExchange();
});

const newNonce = (): string => randomBytes(32).toString("base64url");

/** A challenge, and the redemption an honest client would send for it. */
function prepared(at = address, role: ProofClaims["role"] = "client") {
  const clientNonce = newNonce();
  const challenge = exchange.challenge({ clientNonce, address: at });
  const claims: ProofClaims = {
    role,
    clientNonce,
    serverNonce: challenge.serverNonce,
    instanceId,
    address: at,
  };
  const { serverNonce } = challenge;
  const proof = proofOf(secret, claims);
  return { challenge, claims, redemption: { clientNonce, serverNonce, proof, address: at } };
}

const forbidden = { code: "forbidden", message: "The local proof is wrong, used or too old" };

describe("the challenge", () => {
  test("proves the gateway first, for this nonce and this address", () => {
    const { challenge, claims } = prepared();
    expect(challenge.instanceId).toBe(instanceId);
    expect(isProof(secret, { ...claims, role: "gateway" }, challenge.proof)).toBe(true);
    expect(JSON.stringify(challenge)).not.toContain(secret);
  });

  test("is another one each time", () => {
    const clientNonce = newNonce();
    const [first, second] = [1, 2].map(() => exchange.challenge({ clientNonce, address }));
    expect(first?.serverNonce).not.toBe(second?.serverNonce);
  });

  test.each(["", "short", "a".repeat(21), "a".repeat(129), `${"a".repeat(30)}\n`])(
    "is not given for the nonce %j",
    (clientNonce) => {
      expect(() => exchange.challenge({ clientNonce, address })).toThrow(AppError);
    },
  );

  test("is given however many are open, and none of them keeps the owner out", async () => {
    const { redemption } = prepared();
    for (let count = 0; count < 5_000; count += 1) {
      exchange.challenge({ clientNonce: newNonce(), address });
    }
    await exchange.redeem(redemption);
    await exchange.redeem(prepared().redemption);
    expect(minted).toHaveLength(2);
  });

  test("is not remembered: it is good by what it says", async () => {
    const { redemption } = prepared();
    exchange = newExchange();
    await exchange.redeem(redemption);
    expect(minted).toHaveLength(1);
  });

  test("of another gateway is worth nothing here", async () => {
    const { redemption } = prepared();
    exchange = newExchange({ instanceId: randomUUID() });
    await expect(exchange.redeem(redemption)).rejects.toMatchObject(forbidden);
  });
});

describe("the redemption", () => {
  test("mints for the local owner", async () => {
    expect(await exchange.redeem(prepared().redemption)).toMatchObject({
      token: "od_x",
      userId: "ada",
    });
    expect(minted).toStrictEqual(["ada"]);
  });

  test("knows an IPv4 address that a dual-stack socket shows", async () => {
    const { redemption } = prepared();
    await exchange.redeem({ ...redemption, address: "::ffff:127.0.0.1:3050" });
    expect(minted).toHaveLength(1);
  });

  test("is refused for a nonce that was used", async () => {
    const { redemption } = prepared();
    await exchange.redeem(redemption);
    await expect(exchange.redeem(redemption)).rejects.toMatchObject(forbidden);
    expect(minted).toHaveLength(1);
  });

  test("is refused after 10 s", async () => {
    const { redemption } = prepared();
    nowMs += 10_000;
    await expect(exchange.redeem(redemption)).rejects.toMatchObject(forbidden);
  });

  test("is refused for a nonce whose time was put off, or that is spelt otherwise", async () => {
    const { redemption, claims } = prepared();
    const later = Buffer.from(redemption.serverNonce, "base64url");
    later.writeBigUInt64BE(BigInt(nowMs + 5_000));
    const nonces = [later.toString("base64url"), `${redemption.serverNonce}=`];
    for (const serverNonce of nonces) {
      const proof = proofOf(secret, { ...claims, serverNonce });
      await expect(exchange.redeem({ ...redemption, serverNonce, proof })).rejects.toMatchObject(
        forbidden,
      );
    }
  });

  test("is refused for a nonce of the future, when the clock was put back", async () => {
    const { redemption } = prepared();
    nowMs -= 1;
    await expect(exchange.redeem(redemption)).rejects.toMatchObject(forbidden);
  });

  test("with a wrong proof uses up nothing: a stranger cannot spoil the owner's nonce", async () => {
    const { redemption } = prepared();
    await expect(exchange.redeem({ ...redemption, proof: newNonce() })).rejects.toMatchObject(
      forbidden,
    );
    expect(minted).toStrictEqual([]);
    await exchange.redeem(redemption);
    expect(minted).toHaveLength(1);
  });

  test("is refused for everything that is not what was challenged", async () => {
    const other = prepared();
    const wrong: ((given: ReturnType<typeof prepared>) => object)[] = [
      () => ({ serverNonce: newNonce() }),
      () => ({ serverNonce: "" }),
      () => ({ clientNonce: newNonce() }),
      () => ({ address: "127.0.0.1:3051" }),
      () => ({ address: "[::1]:3050" }),
      () => ({ proof: "" }),
      () => ({ proof: other.redemption.proof }),
      // The gateway's own proof handed back to it.
      ({ challenge }) => ({ proof: challenge.proof }),
      ({ claims }) => ({ proof: proofOf(newNonce(), claims) }),
      // Proofs that are right in themselves, for another challenge than the one they use up.
      ({ claims }) => {
        const clientNonce = newNonce();
        return { clientNonce, proof: proofOf(secret, { ...claims, clientNonce }) };
      },
      ({ claims }) => {
        const elsewhere = "127.0.0.1:3051";
        return {
          address: elsewhere,
          proof: proofOf(secret, { ...claims, address: elsewhere }),
        };
      },
      // An honest proof for an address the client was lured to.
      ({ claims }) => ({ proof: proofOf(secret, { ...claims, address: "127.0.0.1:9" }) }),
      ({ claims }) => ({ proof: proofOf(secret, { ...claims, instanceId: "another" }) }),
    ];
    for (const change of wrong) {
      const given = prepared();
      await expect(
        exchange.redeem({ ...given.redemption, ...change(given) }),
      ).rejects.toMatchObject(forbidden);
    }
    expect(minted).toStrictEqual([]);
  });

  test("is limited to 30 a minute, with the time to wait", async () => {
    for (let count = 0; count < 30; count += 1) {
      await exchange.redeem(prepared().redemption);
    }
    nowMs += 20_000;
    await expect(exchange.redeem(prepared().redemption)).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterSeconds: 40,
    });
    expect(minted).toHaveLength(30);
    nowMs += 40_000;
    await exchange.redeem(prepared().redemption);
    expect(minted).toHaveLength(31);
  });

  test("with a wrong proof does not use up the limit", async () => {
    for (let count = 0; count < 40; count += 1) {
      const { redemption } = prepared();
      await expect(exchange.redeem({ ...redemption, proof: "" })).rejects.toMatchObject(forbidden);
    }
    await exchange.redeem(prepared().redemption);
    expect(minted).toHaveLength(1);
  });
});

describe("a token for the administration", () => {
  const purpose = "administration";
  const administrator = () =>
    ({ ...prepared(address, "administrator").redemption, purpose }) as const;

  test("is the owner's, for two minutes, in memory only", async () => {
    const { token, ...rest } = await exchange.redeem(administrator());
    expect(rest).toStrictEqual({
      tokenId: expect.any(String),
      expiresAtMs: nowMs + 120_000,
      userId: "ada",
      role: "admin",
    });
    expect(administrationTokens.principalOf(token)).toStrictEqual({
      userId: "ada",
      displayName: "ada",
      organizationId: null,
      role: "admin",
      scopes: [],
      method: "local",
      isLocalOwner: true,
      expiresAtMs: nowMs + 120_000,
    });
    expect(minted).toStrictEqual([]);
  });

  test("is not given for a proof of another purpose, nor the other way round", async () => {
    const plain = prepared().redemption;
    const asGateway = prepared(address, "gateway").redemption;
    for (const redemption of [
      { ...plain, purpose },
      { ...asGateway, purpose },
    ] as const) {
      await expect(exchange.redeem(redemption)).rejects.toMatchObject(forbidden);
    }
    const { redemption } = prepared(address, "administrator");
    await expect(exchange.redeem(redemption)).rejects.toMatchObject(forbidden);
    expect(minted).toStrictEqual([]);
    // Neither used anything up.
    await exchange.redeem(plain);
    await exchange.redeem({ ...redemption, purpose });
  });

  test("is given for one nonce once, whichever purpose it was used for", async () => {
    const used = administrator();
    await exchange.redeem(used);
    await expect(exchange.redeem(used)).rejects.toMatchObject(forbidden);
    const { claims, redemption } = prepared();
    const both = { ...claims, role: "administrator" } as const;
    await exchange.redeem({ ...redemption, proof: proofOf(secret, both), purpose });
    await expect(exchange.redeem(redemption)).rejects.toMatchObject(forbidden);
    expect(minted).toStrictEqual([]);
  });

  test("is not given after 10 s, and not for another address or instance", async () => {
    const late = administrator();
    const elsewhere = { ...administrator(), address: "127.0.0.1:3051" };
    await expect(exchange.redeem(elsewhere)).rejects.toMatchObject(forbidden);
    nowMs += 10_000;
    await expect(exchange.redeem(late)).rejects.toMatchObject(forbidden);
    exchange = newExchange({ instanceId: randomUUID() });
    await expect(exchange.redeem(administrator())).rejects.toMatchObject(forbidden);
  });

  test("is given where there are no others", async () => {
    let isOn = false;
    exchange = newExchange({ mintsCliTokens: () => isOn });
    expect((await exchange.redeem(administrator())).role).toBe("admin");
    await expect(exchange.redeem(prepared().redemption)).rejects.toMatchObject({
      code: "forbidden",
      message: "This gateway mints no local tokens",
    });
    isOn = true;
    await exchange.redeem(prepared().redemption);
    expect(minted).toHaveLength(1);
  });

  test("has a limit of its own: 600 a minute", async () => {
    for (let count = 0; count < 600; count += 1) await exchange.redeem(administrator());
    await expect(exchange.redeem(administrator())).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterSeconds: 60,
    });
    await exchange.redeem(prepared().redemption);
    expect(minted).toHaveLength(1);
    nowMs += 60_000;
    await exchange.redeem(administrator());
  });
});
