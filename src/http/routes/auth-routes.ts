import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { CliTokenExchange } from "../../auth/cli-token-exchange.ts";
import type { MintedTokens } from "../../auth/token-mint.ts";
import type { Configuration } from "../../core/configuration.ts";
import { AppError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { bearerOf, principalOf } from "../authenticate-request.ts";
import { isLocalProgram } from "../local-program.ts";
import { readBody } from "../read-body.ts";

export interface AuthRoutesOptions {
  gateway: Gateway;
  mint: MintedTokens;
  exchange: CliTokenExchange;
  /** The local proof gives a token for everything only where `local` is among them; for administration always. */
  configuration: Pick<Configuration, "auth">;
}

const nonce = z.string().max(200);
const cliTokenBody = z.strictObject({
  clientNonce: nonce,
  serverNonce: nonce.optional(),
  proof: z.string().max(200).optional(),
  purpose: z.literal("administration").optional(),
});
const logoutBody = z.strictObject({}).optional();

/** The ways in, who one is, the way out, and the local CLI token. */
export function addAuthRoutes(app: FastifyInstance, options: AuthRoutesOptions): void {
  const { gateway, mint, exchange, configuration } = options;
  const mintsCliTokens = configuration.auth.some(({ type }) => type === "local");
  const ways = gateway.signInWays;
  const config = { access: "public" } as const;

  app.get("/auth", { config }, () => ({
    required: ways.every(({ type }) => type !== "none"),
    ways,
  }));

  app.get("/auth/status", { config }, async ({ raw }) => {
    const answer = await gateway.authenticate({ bearer: bearerOf(raw) });
    if (answer.kind === "absent") return { authenticated: false, ways };
    const principal = principalOf(answer);
    return {
      authenticated: true,
      user: { id: principal.userId, name: principal.displayName },
      organization: principal.organizationId,
      role: principal.role,
      scopes: principal.scopes,
      method: principal.method,
      expiresAt:
        principal.expiresAtMs === undefined ? null : new Date(principal.expiresAtMs).toISOString(),
    };
  });

  app.post("/auth/logout", { config }, async ({ raw, body }) => {
    readBody(logoutBody, body);
    const bearer = bearerOf(raw);
    if (bearer !== undefined && (await mint.revokeByBearer(bearer))) return { revoked: true };
    // A token of another kind is good and stays so; one that nobody knows is a 401 like everywhere.
    principalOf(await gateway.authenticate({ bearer }));
    return { revoked: false };
  });

  app.post("/auth/cli-token", { config }, async ({ raw, body }) => {
    if (!isLocalProgram(raw.socket.remoteAddress, raw)) {
      throw new AppError("forbidden", "Local tokens are for programs on this machine only", {
        hint: "agent auth login --token <token>",
      });
    }
    const { clientNonce, serverNonce, proof, purpose } = readBody(cliTokenBody, body);
    if (purpose === undefined && !mintsCliTokens) {
      throw new AppError("forbidden", "This gateway mints no local tokens", {
        hint: "agent auth login --token <token>",
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
