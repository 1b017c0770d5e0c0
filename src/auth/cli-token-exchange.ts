import { AppError } from "../core/errors.ts";
import { canonicalAddress, isNonce, isProof, proofOf } from "../runtime/local-proof.ts";
import type { FreshToken, MintedTokens } from "./token-mint.ts";

/** The server side of `POST /auth/cli-token`; what may reach it at all is checked by `http/`. */
export interface CliTokenExchange {
  /**
   * Step 1: proves to the caller that this is the gateway of the runtime file. `address` is the one the
   * connection was accepted on, `ip:port`.
   * @throws AppError `usage` (no nonce of 128 bits or more), `rate_limited`
   */
  challenge(request: { clientNonce: string; address: string }): {
    serverNonce: string;
    instanceId: string;
    proof: string;
  };
  /**
   * Step 2: mints a token for the local owner, when the caller proves that it can read the runtime file.
   * A server nonce is good once and for 10 seconds, whatever comes of it.
   * @throws AppError `forbidden`, `rate_limited`, `store_unavailable`
   */
  redeem(request: {
    clientNonce: string;
    serverNonce: string;
    proof: string;
    address: string;
  }): Promise<FreshToken>;
}

export interface CliTokenExchangeOptions {
  /** The secret of the runtime file. */
  secret: string;
  instanceId: string;
  mint: MintedTokens;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** A cryptographic source of bytes. */
  random: (size: number) => Uint8Array;
  /** The operating-system user the gateway runs as: the tokens' user id. */
  owner: string;
}

const challengeLifetimeMs = 10_000;
const maxOpenChallenges = 64;
const mintWindowMs = 60_000;
const maxMintsInWindow = 30;

export function createCliTokenExchange(options: CliTokenExchangeOptions): CliTokenExchange {
  const { secret, instanceId, mint, now, random, owner } = options;
  /** By server nonce, oldest first. */
  const open = new Map<string, { clientNonce: string; address: string; expiresAtMs: number }>();
  /** When tokens were minted in the last minute, oldest first. */
  let mintedAtMs: number[] = [];

  const forgetExpired = (): void => {
    for (const [nonce, { expiresAtMs }] of open) {
      if (expiresAtMs <= now()) {
        open.delete(nonce);
      }
    }
  };

  return {
    challenge({ clientNonce, address }) {
      if (!isNonce(clientNonce)) {
        throw new AppError("usage", "clientNonce must be 22 to 128 characters of base64url");
      }
      forgetExpired();
      if (open.size >= maxOpenChallenges) {
        const [oldest] = open.values();
        throw tooMany((oldest?.expiresAtMs ?? now()) - now());
      }
      const serverNonce = Buffer.from(random(32)).toString("base64url");
      const at = canonicalAddress(address);
      open.set(serverNonce, { clientNonce, address: at, expiresAtMs: now() + challengeLifetimeMs });
      const claims = {
        role: "gateway",
        clientNonce,
        serverNonce,
        instanceId,
        address: at,
      } as const;
      return { serverNonce, instanceId, proof: proofOf(secret, claims) };
    },

    async redeem({ clientNonce, serverNonce, proof, address }) {
      const challenge = open.get(serverNonce);
      open.delete(serverNonce);
      const at = canonicalAddress(address);
      if (
        challenge === undefined ||
        challenge.expiresAtMs <= now() ||
        challenge.clientNonce !== clientNonce ||
        challenge.address !== at ||
        !isProof(
          secret,
          { role: "client", clientNonce, serverNonce, instanceId, address: at },
          proof,
        )
      ) {
        // One answer for all: it tells a guesser nothing.
        throw new AppError("forbidden", "The local proof is wrong, used or too old");
      }
      mintedAtMs = mintedAtMs.filter((atMs) => atMs > now() - mintWindowMs);
      const [first] = mintedAtMs;
      if (first !== undefined && mintedAtMs.length >= maxMintsInWindow) {
        throw tooMany(first + mintWindowMs - now());
      }
      mintedAtMs.push(now());
      return mint.mintCliToken(owner);
    },
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
