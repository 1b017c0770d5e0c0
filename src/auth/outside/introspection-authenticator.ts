import type { IntrospectionServer } from "../../core/configuration.ts";
import type { Logger } from "../../core/logger.ts";
import type { Authenticator } from "../authenticator.ts";
import { AuthServerUnavailable } from "./ask-auth-server.ts";
import type { AskAuthServer } from "./ask-auth-server.ts";
import { createAvailabilityLog } from "./availability-log.ts";
import { createBearerAuthenticator } from "./bearer-authenticator.ts";
import type { RemoteAuthenticatorOptions } from "./bearer-authenticator.ts";
import { createIntrospection } from "./introspection.ts";
import type { IssuerMetadata } from "./issuer-metadata.ts";

/**
 * Who shows a token that an authorization server calls active (RFC 7662): `auth` type `bearer`, or `oauth` with
 * introspection, where the endpoint is the issuer's own and its answers need not say so.
 * @param options.metadata the issuer's, where `server.url` is absent
 * @param options.logger hears of the server's failures, not of each request
 */
export function createIntrospectionAuthenticator(
  options: RemoteAuthenticatorOptions & {
    server: IntrospectionServer;
    metadata?: Pick<IssuerMetadata, "endpoint"> | undefined;
    ask: AskAuthServer;
    logger: Pick<Logger, "info" | "warn" | "error">;
  },
): Authenticator {
  const { server, metadata, ask, logger, now, ...rest } = options;
  const endpoint = async (): Promise<string> => {
    if (server.url !== undefined) return server.url;
    if (metadata !== undefined) return metadata.endpoint("introspection_endpoint");
    throw new AuthServerUnavailable("No introspection endpoint is configured", {
      isOurFault: true,
    });
  };
  const mayOmitIssuer = options.way.type === "oauth";
  const introspect = createIntrospection({ server, endpoint, mayOmitIssuer, ask, now });
  const url = server.url ?? server.issuer;
  const issuer = server.issuer ?? server.url ?? "";
  const log = createAvailabilityLog({ logger, url, now });
  return createBearerAuthenticator({
    ...rest,
    now,
    issuer,
    cacheMs: server.cacheMs,
    ask: (token, asked) => log.watch(() => introspect(token, asked)),
  });
}
