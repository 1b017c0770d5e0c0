import type { FastifyInstance } from "fastify";
import * as z from "zod";
import { auditStatuses } from "../../core/audit.ts";
import { auditRowJson } from "../administration-json.ts";
import { readBody } from "../read-body.ts";
import { actorOf, administrators } from "./administration-route.ts";
import type { AdministrationRoutesOptions } from "./administration-route.ts";
import { limit, sequence, term, time } from "./shapes.ts";

const auditQuery = z
  .strictObject({
    order: z.enum(["newest", "oldest"]).default("newest"),
    limit,
    after: sequence.optional(),
    since: time.optional(),
    until: time.optional(),
    tool: term.optional(),
    status: z.enum(auditStatuses).optional(),
    user: term.optional(),
    organization: term.optional(),
    project: term.optional(),
    session: term.optional(),
    client: term.optional(),
  })
  .transform(({ since, until, tool, user, organization, project, session, client, ...others }) => ({
    ...others,
    sinceMs: since,
    untilMs: until,
    toolName: tool,
    userId: user,
    organizationId: organization,
    projectId: project,
    sessionId: session,
    clientName: client,
  }));

/** `/api/v1/audit`: the tool calls that were made and refused, page by page. */
export function addAuditRoutes(
  app: FastifyInstance,
  { administration }: AdministrationRoutesOptions,
): void {
  app.get("/api/v1/audit", { config: administrators }, async ({ principal, query }) => {
    const asked = readBody(auditQuery, query, "query");
    const { rows, next } = await administration.audit(actorOf({ principal }), asked);
    return { rows: rows.map(auditRowJson), next };
  });
}
