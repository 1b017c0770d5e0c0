import type { FastifyInstance } from "fastify";
import * as z from "zod";
import { changedEntities } from "../../core/change.ts";
import { changeJson, purgedJson } from "../administration-json.ts";
import { readBody } from "../read-body.ts";
import { actorOf, adminFolder, administrators } from "./administration-route.ts";
import type { AdministrationRoutesOptions } from "./administration-route.ts";
import { limit, noBody, sequence, term, time } from "./shapes.ts";

const historyQuery = z.strictObject({
  entity: z.enum(changedEntities).optional(),
  id: term.optional(),
  before: sequence.optional(),
  limit,
});
const serverPath = z.strictObject({ name: term });
const purgeBody = z.strictObject({ before: time });

/** What was changed, undoing the last change of a server, and forgetting for good what was deleted. */
export function addAdminHistoryRoutes(
  app: FastifyInstance,
  { administration }: AdministrationRoutesOptions,
): void {
  const config = administrators;

  app.get(`${adminFolder}/history`, { config }, async (request) => {
    const { id: entityId, ...query } = readBody(historyQuery, request.query, "query");
    const { rows, next } = await administration.history(actorOf(request), { ...query, entityId });
    return { changes: rows.map(changeJson), next };
  });

  app.post(`${adminFolder}/servers/:name/restore`, { config }, async (request, reply) => {
    const path = readBody(serverPath, request.params, "path");
    readBody(noBody, request.body);
    const { name, from, missingSecrets, fingerprint } = await administration.restoreServer(
      actorOf(request),
      path.name,
    );
    return reply.code(202).send({
      restored: name,
      from: changeJson(from),
      missingSecrets,
      fingerprint: fingerprint ?? null,
    });
  });

  app.post(`${adminFolder}/purge`, { config }, async (request) => {
    const { before } = readBody(purgeBody, request.body);
    return purgedJson(await administration.purge(actorOf(request), before));
  });
}
