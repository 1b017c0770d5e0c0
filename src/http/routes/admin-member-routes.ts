import type { FastifyInstance } from "fastify";
import * as z from "zod";
import { isIdentifier } from "../../core/identities.ts";
import { memberJson } from "../administration-json.ts";
import { readBody } from "../read-body.ts";
import { actorOf, adminFolder, administrators } from "./administration-route.ts";
import type { AdministrationRoutesOptions } from "./administration-route.ts";
import { identifier, listQuery, noBody, pageOf, role } from "./shapes.ts";

const memberKey = z
  .string()
  .refine((text) => text.split("/").length === 2 && text.split("/").every(isIdentifier), {
    message: "must be organisation/user",
  });
const query = listQuery(memberKey).extend({
  organization: identifier.optional(),
  user: identifier.optional(),
});
const path = z
  .strictObject({ id: identifier, user: identifier })
  .transform(({ id, user }) => ({ organizationId: id, userId: user }));
const body = z.strictObject({ role });

/** `/api/v1/admin/members`, and one member below its organisation. */
export function addAdminMemberRoutes(
  app: FastifyInstance,
  { administration: { members } }: AdministrationRoutesOptions,
): void {
  const folder = `${adminFolder}/organizations/:id/members`;
  const config = administrators;

  app.get(`${adminFolder}/members`, { config }, (request) => {
    const asked = readBody(query, request.query, "query");
    const { limit, organization: organizationId, user: userId, ...options } = asked;
    const found = members.list(actorOf(request), {
      ...options,
      limit: limit + 1,
      organizationId,
      userId,
    });
    const { page, next } = pageOf(found, limit, (last) => `${last.organizationId}/${last.userId}`);
    return { members: page.map(memberJson), next };
  });

  app.put(`${folder}/:user`, { config }, async (request) => {
    const key = readBody(path, request.params, "path");
    const given = readBody(body, request.body);
    return memberJson(await members.set(actorOf(request), { ...key, ...given }));
  });

  app.delete(`${folder}/:user`, { config }, async (request) => {
    const key = readBody(path, request.params, "path");
    readBody(noBody, request.body);
    return memberJson(await members.remove(actorOf(request), key));
  });

  app.post(`${folder}/:user/restore`, { config }, async (request) => {
    const key = readBody(path, request.params, "path");
    readBody(noBody, request.body);
    return memberJson(await members.restore(actorOf(request), key));
  });
}
