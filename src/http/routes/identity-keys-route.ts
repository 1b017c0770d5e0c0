import type { FastifyInstance } from "fastify";
import type { IdentityTokens } from "../../auth/identity-tokens.ts";

/** Upstream servers ask again when they are shown a key they do not know, as after a restart. */
const maxAgeSeconds = 300;

/** `GET /oauth/jwks`: the keys by which upstream servers verify what the gateway says of its callers (RFC 7517). */
export function addIdentityKeysRoute(
  app: FastifyInstance,
  { identityTokens }: { identityTokens?: Pick<IdentityTokens, "keys"> | undefined },
): void {
  // As bytes: this media type has no charset.
  const body = Buffer.from(JSON.stringify(identityTokens?.keys ?? { keys: [] }));
  app.get("/oauth/jwks", { config: { access: "public" } }, (_request, reply) => {
    reply.raw.setHeader("cache-control", `public, max-age=${maxAgeSeconds}`);
    return reply.type("application/jwk-set+json").send(body);
  });
}
