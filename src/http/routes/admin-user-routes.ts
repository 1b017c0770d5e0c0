import type { FastifyInstance } from "fastify";
import * as z from "zod";
import { userJson } from "../administration-json.ts";
import { readBody } from "../read-body.ts";
import { actorOf, adminFolder, administrators } from "./administration-route.ts";
import type { AdministrationRoutesOptions } from "./administration-route.ts";
import { identifier, listQuery, name, noBody, pageOf } from "./shapes.ts";

const path = z.strictObject({ id: identifier });
const query = listQuery(identifier);
const body = z.strictObject({ id: identifier, name: name.optional() });
/** What a password may be, `Administration` says. */
const passwordBody = z.strictObject({ password: z.string() });

/** `/api/v1/admin/users` */
export function addAdminUserRoutes(
  app: FastifyInstance,
  { administration: { users } }: AdministrationRoutesOptions,
): void {
  const folder = `${adminFolder}/users`;
  const config = administrators;

  app.get(folder, { config }, (request) => {
    const { limit, ...options } = readBody(query, request.query, "query");
    const found = users.list(actorOf(request), { ...options, limit: limit + 1 });
    const { page, next } = pageOf(found, limit, ({ id }) => id);
    return { users: page.map(userJson), next };
  });

  app.post(folder, { config }, async (request, reply) => {
    const { id, name: called = id } = readBody(body, request.body);
    const user = await users.add(actorOf(request), { id, name: called });
    return reply.code(201).send(userJson(user));
  });

  app.delete(`${folder}/:id`, { config }, async (request) => {
    const { id } = readBody(path, request.params, "path");
    readBody(noBody, request.body);
    return userJson(await users.remove(actorOf(request), id));
  });

  app.post(`${folder}/:id/restore`, { config }, async (request) => {
    const { id } = readBody(path, request.params, "path");
    readBody(noBody, request.body);
    return userJson(await users.restore(actorOf(request), id));
  });

  app.post(`${folder}/:id/disable`, { config }, async (request) => {
    const { id } = readBody(path, request.params, "path");
    readBody(noBody, request.body);
    return userJson(await users.disable(actorOf(request), id));
  });

  app.post(`${folder}/:id/enable`, { config }, async (request) => {
    const { id } = readBody(path, request.params, "path");
    readBody(noBody, request.body);
    return userJson(await users.enable(actorOf(request), id));
  });

  app.put(`${folder}/:id/password`, { config }, async (request) => {
    const { id } = readBody(path, request.params, "path");
    const { password } = readBody(passwordBody, request.body);
    const user = await users.setPassword(actorOf(request), id, password);
    return { ...userJson(user), livePersonalTokens: user.livePersonalTokens };
  });
}
