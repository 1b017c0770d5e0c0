import type { FastifyInstance } from "fastify";
import * as z from "zod";
import { AppError } from "../../core/errors.ts";
import type { PinApprovals } from "../../gateway/pin-approvals.ts";
import { readBody } from "../read-body.ts";
import { actorOf, adminFolder, administrators } from "./administration-route.ts";

const path = z.strictObject({ name: z.string() });
/** Of a tool it is asked, too, whether there is such a one. */
const query = z.strictObject({ tool: z.string().max(10_000).optional() });
const body = z.strictObject({
  /** Null: the server's instructions; left out: everything of the server that waits. */
  tool: z.string().max(10_000).nullable().optional(),
  hash: z.string().regex(/^[\da-f]{64}$/u, "must be 64 hexadecimal digits"),
});

/** What servers offer that they did not offer before, and the approval of it: who manages a server may. */
export function addApprovalRoutes(
  app: FastifyInstance,
  { approvals }: { approvals?: PinApprovals | undefined },
): void {
  const config = administrators;
  const kept = (): PinApprovals => {
    if (approvals !== undefined) return approvals;
    throw new AppError("not_found", "What servers offer is not remembered here");
  };

  app.get(`${adminFolder}/changes`, { config }, (request) => ({
    servers: kept().all(actorOf(request)),
  }));

  app.get("/servers/:name/changes", { config }, (request) => {
    const { name } = readBody(path, request.params, "path");
    const { tool } = readBody(query, request.query, "query");
    return kept().changes(actorOf(request), name, tool);
  });

  app.post("/servers/:name/approve", { config }, (request) => {
    const { name } = readBody(path, request.params, "path");
    const what = readBody(body, request.body);
    return kept()
      .approve(actorOf(request), name, what)
      .then((approved) => ({
        server: name,
        approved: approved.map(({ tool, hash }) => ({ tool, hash })),
      }));
  });
}
