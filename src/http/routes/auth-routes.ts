import type { FastifyInstance, FastifyRequest } from "fastify";
import * as z from "zod";
import type { CliTokenExchange } from "../../auth/cli-token-exchange.ts";
import type { Door } from "../../auth/door.ts";
import type { MintedTokens } from "../../auth/token-mint.ts";
import { AppError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { bearerOf, principalOf } from "../authenticate-request.ts";
import { isLocalProgram } from "../local-program.ts";
import { readBody } from "../read-body.ts";

export interface AuthRoutesOptions {
  gateway: Gateway;
  mint: MintedTokens;
  exchange: CliTokenExchange;
  /** Ends what others have made. */
  door: Pick<Door, "revoke">;
}

const nonce = z.string().max(200);
const cliTokenBody = z.strictObject({
  clientNonce: nonce,
  serverNonce: nonce.optional(),
  proof: z.string().max(200).optional(),
  purpose: z.literal("administration").optional(),
});
/** In bytes, of what anybody may send. */
const bodyLimit = 4 * 1024;
const logoutBody = z.strictObject({}).optional();

/** The ways in, who one is, the way out, and the local CLI token. */
export function addAuthRoutes(app: FastifyInstance, options: AuthRoutesOptions): void {
  const { gateway, mint, exchange, door } = options;
  /** The local proof gives a token for everything only where `local` is on; for administration always. */
  const mintsCliTokens = (): boolean => gateway.signInWays.some(({ type }) => type === "local");
  const config = { access: "public" } as const;

  app.get("/auth", { config }, () => ({
    required: gateway.signInWays.every(({ type }) => type !== "none"),
    ways: gateway.signInWays,
  }));

  app.get("/auth/status", { config }, async ({ raw }) => {
    const answer = await gateway.authenticate({ bearer: bearerOf(raw) });
    if (answer.kind === "absent") return { authenticated: false, ways: gateway.signInWays };
    const principal = principalOf(answer);
    return {
      authenticated: true,
      user: {
        id: principal.userId,
        name: principal.displayName,
        email: principal.email ?? null,
      },
      organization: principal.organizationId,
      role: principal.role,
      scopes: principal.scopes,
      method: principal.method,
      expiresAt:
        principal.expiresAtMs === undefined ? null : new Date(principal.expiresAtMs).toISOString(),
    };
  });

  app.post("/auth/logout", { config, bodyLimit }, async ({ raw, body }) => {
    readBody(logoutBody, body);
    const bearer = bearerOf(raw);
    if (bearer !== undefined && (await mint.revokeByBearer(bearer))) return { revoked: true };
    const answer = await gateway.authenticate({ bearer });
    // One that is good for too little can be ended too; one that nobody knows is a 401 like everywhere.
    if (answer.kind !== "insufficient") principalOf(answer);
    return { revoked: bearer !== undefined && (await door.revoke(bearer, answer)) };
  });

  const forThisMachine = { config, bodyLimit, onRequest: ofThisMachine };
  app.post("/auth/cli-token", forThisMachine, async ({ raw, body }) => {
    const { clientNonce, serverNonce, proof, purpose } = readBody(cliTokenBody, body);
    if (purpose === undefined && !mintsCliTokens()) {
      throw new AppError("forbidden", "This gateway mints no local tokens", {
        hint: "agent auth login --url <url>",
      });
    }
    const { localAddress = "", localPort = 0 } = raw.socket;
    const address = `${localAddress}:${localPort}`;
    if (serverNonce === undefined && proof === undefined) {
      return exchange.challenge({ clientNonce, address });
    }
    if (serverNonce === undefined || proof === undefined) {
      throw new AppError("usage", "serverNonce and proof belong together");
    }
    const token = await exchange.redeem({ clientNonce, serverNonce, proof, address, purpose });
    return {
      access_token: token.token,
      token_type: "Bearer",
      expires_in: Math.max(0, Math.floor((token.expiresAtMs - Date.now()) / 1000)),
      token_id: token.tokenId,
      user: { id: token.userId, name: token.userId },
      role: token.role,
    };
  });
}

/** Before anything is read of the body. @throws AppError `forbidden` */
async function ofThisMachine({ raw }: FastifyRequest): Promise<void> {
  if (isLocalProgram(raw.socket.remoteAddress, raw)) return;
  throw new AppError("forbidden", "Local tokens are for programs on this machine only", {
    hint: "agent auth login --url <url>",
  });
}
