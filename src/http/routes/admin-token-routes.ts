import type { FastifyInstance } from "fastify";
import * as z from "zod";
import { freshTokenJson, tokenJson } from "../administration-json.ts";
import { readBody } from "../read-body.ts";
import { actorOf, adminFolder, administrators } from "./administration-route.ts";
import type { AdministrationRoutesOptions } from "./administration-route.ts";
import { identifier, listQuery, name, noBody, pageOf, role, tokenId } from "./shapes.ts";

/** Ten years, in seconds. What is to be good for longer is good for ever, and says so. */
const longestLifetime = 10 * 365 * 24 * 60 * 60;

/** A user of a token may also be the local owner or a static token's name, which follow rules of their own. */
const query = listQuery(tokenId).extend({ user: z.string().min(1).max(300).optional() });
const path = z.strictObject({ id: tokenId });
const body = z.strictObject({
  name,
  user: identifier.optional(),
  organization: identifier.optional(),
  role: role.optional(),
  scopes: z.array(z.string().min(1).max(100)).max(20).optional(),
  expiresInSeconds: z.number().int().min(1).max(longestLifetime).nullable().optional(),
});

/** `/api/v1/admin/tokens`: an answer that has a token in it is the only one that ever has. */
export function addAdminTokenRoutes(
  app: FastifyInstance,
  { administration: { tokens } }: AdministrationRoutesOptions,
): void {
  const folder = `${adminFolder}/tokens`;
  const config = administrators;

  app.get(folder, { config }, (request) => {
    const { limit, user: userId, ...options } = readBody(query, request.query, "query");
    const found = tokens.list(actorOf(request), { ...options, limit: limit + 1, userId });
    const { page, next } = pageOf(found, limit, ({ id }) => id);
    return { tokens: page.map(tokenJson), next };
  });

  app.post(folder, { config }, async (request, reply) => {
    const { user, organization, expiresInSeconds, ...given } = readBody(body, request.body);
    const fresh = await tokens.create(actorOf(request), {
      ...given,
      userId: user,
      organizationId: organization,
      lifetimeMs: typeof expiresInSeconds === "number" ? expiresInSeconds * 1000 : expiresInSeconds,
    });
    return reply.code(201).header("cache-control", "no-store").send(freshTokenJson(fresh));
  });

  app.post(`${folder}/:id/rotate`, { config }, async (request, reply) => {
    const { id } = readBody(path, request.params, "path");
    readBody(noBody, request.body);
    const fresh = await tokens.rotate(actorOf(request), id);
    return reply.header("cache-control", "no-store").send(freshTokenJson(fresh));
  });

  app.delete(`${folder}/:id`, { config }, async (request) => {
    const { id } = readBody(path, request.params, "path");
    readBody(noBody, request.body);
    return tokenJson(await tokens.revoke(actorOf(request), id));
  });
}
