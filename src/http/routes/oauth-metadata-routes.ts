import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Configuration } from "../../core/configuration.ts";
import { AppError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { metadataPath } from "../resource-metadata.ts";
import type { Resource, ResourceMetadata } from "../resource-metadata.ts";

export interface OauthMetadataRoutesOptions {
  resourceMetadata: Pick<ResourceMetadata, "documentOf">;
  configuration: Pick<Configuration, "externalUrl">;
}

/**
 * `/.well-known/oauth-protected-resource`, for the gateway and for its `/mcp` (RFC 9728): with which authorization
 * server to sign in. 404 while there is none.
 */
export function addOauthMetadataRoutes(
  app: FastifyInstance,
  { resourceMetadata, configuration: { externalUrl } }: OauthMetadataRoutesOptions,
): void {
  const config = { access: "public" } as const;
  const answer = ({ raw }: FastifyRequest, resource: Resource): JsonObject => {
    const document = resourceMetadata.documentOf(raw, resource);
    if (document !== undefined) return document;
    throw new AppError("not_found", "No authorization server gives tokens for this gateway");
  };
  app.get(metadataPath, { config }, (request) => answer(request, ""));
  app.get(`${metadataPath}/mcp`, { config }, (request) => answer(request, "/mcp"));

  // Where RFC 9728 §3.1 has them for a resource below a folder, should a proxy send that here.
  const folder = externalUrl === undefined ? "" : new URL(externalUrl).pathname;
  const below = folder.replace(/\/+$/u, "");
  if (below === "") return;
  app.get(`${metadataPath}/*`, { config }, (request) => {
    const [path] = (request.raw.url ?? "").split("?", 1);
    if (path === `${metadataPath}${below}`) return answer(request, "");
    if (path === `${metadataPath}${below}/mcp`) return answer(request, "/mcp");
    throw new AppError("not_found", "There is nothing at this path");
  });
}
