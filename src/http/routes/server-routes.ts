import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { silentClient } from "../../core/client-port.ts";
import { AppError } from "../../core/errors.ts";
import type { CallerContext, Gateway } from "../../gateway/gateway.ts";
import { callerOf, principalOf } from "../authenticate-request.ts";
import { readBody } from "../read-body.ts";

const path = z.object({ name: z.string() });

/** `/servers`: what an administrator sees of the upstream servers, and may do with them. */
export function addServerRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): void {
  app.get("/servers", (request) => {
    const caller = administrator(request);
    return { servers: gateway.serverStatus(caller), collisions: gateway.collisions };
  });

  app.get("/servers/:name", (request) => {
    const caller = administrator(request);
    const { name } = readBody(path, request.params);
    const detail = gateway.inspectServer(caller, name);
    return { ...detail, ...gateway.serverStatus(caller).find((status) => status.name === name) };
  });

  app.post("/servers/:name/restart", (request, reply) => {
    const caller = administrator(request);
    const { name } = readBody(path, request.params);
    gateway.restartServer(caller, name);
    return reply.code(202).send({ restarting: name });
  });
}

/** @throws AppError `forbidden` for everybody else */
function administrator({ principal, raw }: FastifyRequest): CallerContext {
  const caller = callerOf(principal ?? principalOf({ kind: "absent" }), raw);
  if (caller.principal.role !== "admin") {
    throw new AppError("forbidden", "This needs the role admin", {
      hint: `You have the role ${caller.principal.role}`,
    });
  }
  return { ...caller, client: silentClient };
}
