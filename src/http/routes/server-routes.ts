import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { silentClient } from "../../core/client-port.ts";
import type { CallerContext, Gateway } from "../../gateway/gateway.ts";
import { callerOf, principalOf } from "../authenticate-request.ts";
import { readBody } from "../read-body.ts";
import { noBody } from "./shapes.ts";

const path = z.strictObject({ name: z.string() });
const config = { needs: "admin" } as const;

/**
 * `/servers`: what an administrator sees of the upstream servers, and may do with them. Which of them are there for
 * whom, and who may start one again, the gateway decides.
 */
export function addServerRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): void {
  app.get("/servers", { config }, (request) => {
    const caller = callerOfRequest(request);
    return { servers: gateway.serverStatus(caller), collisions: gateway.collisions(caller) };
  });

  app.get("/servers/:name", { config }, (request) => {
    const caller = callerOfRequest(request);
    const { name } = readBody(path, request.params, "path");
    const detail = gateway.inspectServer(caller, name);
    return { ...detail, ...gateway.serverStatus(caller).find((status) => status.name === name) };
  });

  app.post("/servers/:name/restart", { config }, (request, reply) => {
    const caller = callerOfRequest(request);
    const { name } = readBody(path, request.params, "path");
    readBody(noBody, request.body);
    gateway.restartServer(caller, name);
    return reply.code(202).send({ restarting: name });
  });
}

function callerOfRequest({ principal, raw }: FastifyRequest): CallerContext {
  const caller = callerOf(principal ?? principalOf({ kind: "absent" }), raw);
  return { ...caller, client: silentClient };
}
