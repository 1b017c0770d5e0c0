import type { FastifyInstance } from "fastify";
import * as z from "zod";
import { organizationJson } from "../administration-json.ts";
import { readBody } from "../read-body.ts";
import { actorOf, adminFolder, administrators } from "./administration-route.ts";
import type { AdministrationRoutesOptions } from "./administration-route.ts";
import { identifier, listQuery, name, noBody, pageOf } from "./shapes.ts";

const path = z.strictObject({ id: identifier });
const query = listQuery(identifier);
const body = z.strictObject({ id: identifier, name: name.optional() });

/** `/api/v1/admin/organizations` */
export function addAdminOrganizationRoutes(
  app: FastifyInstance,
  { administration: { organizations } }: AdministrationRoutesOptions,
): void {
  const folder = `${adminFolder}/organizations`;
  const config = administrators;

  app.get(folder, { config }, (request) => {
    const { limit, ...options } = readBody(query, request.query, "query");
    const found = organizations.list(actorOf(request), { ...options, limit: limit + 1 });
    const { page, next } = pageOf(found, limit, ({ id }) => id);
    return { organizations: page.map(organizationJson), next };
  });

  app.post(folder, { config }, async (request, reply) => {
    const { id, name: called = id } = readBody(body, request.body);
    const organization = await organizations.add(actorOf(request), { id, name: called });
    return reply.code(201).send(organizationJson(organization));
  });

  app.delete(`${folder}/:id`, { config }, async (request) => {
    const { id } = readBody(path, request.params, "path");
    readBody(noBody, request.body);
    return organizationJson(await organizations.remove(actorOf(request), id));
  });

  app.post(`${folder}/:id/restore`, { config }, async (request) => {
    const { id } = readBody(path, request.params, "path");
    readBody(noBody, request.body);
    return organizationJson(await organizations.restore(actorOf(request), id));
  });
}
