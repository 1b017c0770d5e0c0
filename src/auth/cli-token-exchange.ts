import { createHmac, timingSafeEqual } from "node:crypto";
import { AppError } from "../core/errors.ts";
import { canonicalAddress, isNonce, isProof, proofOf } from "../runtime/local-proof.ts";
import type { ProofClaims } from "../runtime/local-proof.ts";
import type { AdministrationTokens } from "./administration-tokens.ts";
import type { FreshToken, MintedTokens } from "./token-mint.ts";

/** What a token is asked for; undefined: for everything, as the local owner. */
export type ProofPurpose = "administration";

/** The server side of `POST /auth/cli-token`; what may reach it at all is checked by `http/`. */
export interface CliTokenExchange {
  /**
   * Step 1: proves to the caller that this is the gateway of the runtime file. `address` is the one the
   * connection was accepted on, `ip:port`. Anybody may ask, as often as they like: nothing is kept.
   * @throws AppError `usage` (no nonce of 128 bits or more)
   */
  challenge(request: { clientNonce: string; address: string }): {
    serverNonce: string;
    instanceId: string;
    proof: string;
  };
  /**
   * Step 2: mints a token for the local owner, when the caller proves that it can read the runtime file. A server
   * nonce is good for one token and for 10 seconds. With the purpose `administration`, which the proof is bound to,
   * the token is good for the administration only, for two minutes, and is kept in memory only.
   * @throws AppError `forbidden`, `rate_limited`, `store_unavailable`
   */
  redeem(request: {
    clientNonce: string;
    serverNonce: string;
    proof: string;
    address: string;
    purpose?: ProofPurpose | undefined;
  }): Promise<FreshToken>;
}

export interface CliTokenExchangeOptions {
  /** The secret of the runtime file. */
  secret: string;
  instanceId: string;
  mint: Pick<MintedTokens, "mintCliToken">;
  /** Whether `auth` lists `local` now: otherwise there are tokens for administration only. */
  mintsCliTokens: () => boolean;
  administrationTokens: Pick<AdministrationTokens, "mint">;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** A cryptographic source of bytes. */
  random: (size: number) => Uint8Array;
  /** The operating-system user the gateway runs as: the tokens' user id. */
  owner: string;
}

const challengeLifetimeMs = 10_000;
const mintWindowMs = 60_000;
/** Only who knows the secret uses these up. Each command that administers takes a token of its own. */
const maxMintsInWindow = 30;
const maxAdministrationMintsInWindow = 600;

/** A server nonce: when it was made (8 bytes), random bytes, and a MAC (HMAC-SHA256, cut) over both and the request. */
const randomStart = 8;
const macStart = 24;
const nonceBytes = 48;
/** 48 bytes fill 64 characters of base64url to the last bit, so each nonce is spelt in one way only. */
const nonceShape = /^[\w-]{64}$/;

/** What is done for one purpose. */
interface Issuer {
  /** The role a client proves in: a proof for one purpose is none for another. */
  prover: ProofClaims["role"];
  count: (atMs: number) => void;
  issue: () => Promise<FreshToken> | FreshToken;
}

export function createCliTokenExchange(options: CliTokenExchangeOptions): CliTokenExchange {
  const { secret, instanceId, mint, mintsCliTokens, administrationTokens, now, random, owner } =
    options;
  const nonceKey = createHmac("sha256", Buffer.from(secret, "base64url"))
    .update("onedoor server nonce v1")
    .digest();
  /** Server nonces that gave a token, with the time they expire anyway: no more than the limits let through. */
  const redeemed = new Map<string, number>();
  const cliTokens: Issuer = {
    prover: "client",
    count: createMintLimit(maxMintsInWindow),
    issue: () => mint.mintCliToken(owner),
  };
  const administration: Issuer = {
    prover: "administrator",
    count: createMintLimit(maxAdministrationMintsInWindow),
    issue: () => administrationTokens.mint(),
  };

  const macOf = (head: Buffer, clientNonce: string, address: string): Buffer =>
    createHmac("sha256", nonceKey)
      .update(JSON.stringify([head.toString("base64url"), clientNonce, address, instanceId]))
      .digest()
      .subarray(0, nonceBytes - macStart);

  /** When a nonce of ours, made for this request, expires; undefined for any other. */
  const expiryOf = (nonce: string, clientNonce: string, address: string): number | undefined => {
    if (!nonceShape.test(nonce)) return undefined;
    const bytes = Buffer.from(nonce, "base64url");
    const head = bytes.subarray(0, macStart);
    if (!timingSafeEqual(bytes.subarray(macStart), macOf(head, clientNonce, address))) {
      return undefined;
    }
    return Number(head.readBigUInt64BE()) + challengeLifetimeMs;
  };

  return {
    challenge({ clientNonce, address }) {
      if (!isNonce(clientNonce)) {
        throw new AppError("usage", "clientNonce must be 22 to 128 characters of base64url");
      }
      const at = canonicalAddress(address);
      const head = Buffer.alloc(macStart);
      head.writeBigUInt64BE(BigInt(Math.trunc(now())));
      head.set(random(macStart - randomStart), randomStart);
      const serverNonce = Buffer.concat([head, macOf(head, clientNonce, at)]).toString("base64url");
      const claims = {
        role: "gateway",
        clientNonce,
        serverNonce,
        instanceId,
        address: at,
      } as const;
      return { serverNonce, instanceId, proof: proofOf(secret, claims) };
    },

    async redeem({ clientNonce, serverNonce, proof, address, purpose }) {
      const issuer = purpose === undefined ? cliTokens : administration;
      if (issuer === cliTokens && !mintsCliTokens()) {
        throw new AppError("forbidden", "This gateway mints no local tokens", {
          hint: "agent auth login --url <url>",
        });
      }
      const at = canonicalAddress(address);
      const atMs = now();
      for (const [nonce, expiresAtMs] of redeemed) {
        if (expiresAtMs <= atMs) redeemed.delete(nonce);
      }
      const expiresAtMs = expiryOf(serverNonce, clientNonce, at);
      if (
        expiresAtMs === undefined ||
        expiresAtMs <= atMs ||
        // Made in the future: the clock was put back.
        expiresAtMs > atMs + challengeLifetimeMs ||
        redeemed.has(serverNonce) ||
        !isProof(
          secret,
          { role: issuer.prover, clientNonce, serverNonce, instanceId, address: at },
          proof,
        )
      ) {
        // One answer for all: it tells a guesser nothing.
        throw new AppError("forbidden", "The local proof is wrong, used or too old");
      }
      issuer.count(atMs);
      redeemed.set(serverNonce, expiresAtMs);
      return issuer.issue();
    },
  };
}

/** Counts one token now, at most so many in a minute. The function throws AppError `rate_limited`. */
function createMintLimit(maxInWindow: number): (atMs: number) => void {
  /** When tokens were minted in the last minute, oldest first. */
  let mintedAtMs: number[] = [];
  return (atMs) => {
    mintedAtMs = mintedAtMs.filter((mintedMs) => mintedMs > atMs - mintWindowMs);
    const [first] = mintedAtMs;
    if (first !== undefined && mintedAtMs.length >= maxInWindow) {
      throw tooMany(first + mintWindowMs - atMs);
    }
    mintedAtMs.push(atMs);
  };
}

function tooMany(waitMs: number): AppError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new AppError(
    "rate_limited",
    `Too many local tokens were asked for; try again in ${retryAfterSeconds} s`,
    { retryAfterSeconds },
  );
}
