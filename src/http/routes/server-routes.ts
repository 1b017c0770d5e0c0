import type { FastifyInstance, FastifyRequest } from "fastify";
import * as z from "zod";
import { requireGatewayAdministrator } from "../../administration/who-may.ts";
import { silentClient } from "../../core/client-port.ts";
import type { ConfigurationRefusal, ConfigurationStatus } from "../../core/configuration-status.ts";
import { AppError } from "../../core/errors.ts";
import type { CallerContext, Gateway } from "../../gateway/gateway.ts";
import type { PinApprovals } from "../../gateway/pin-approvals.ts";
import { callerOf } from "../authenticate-request.ts";
import { readBody } from "../read-body.ts";
import { actorOf, adminFolder, administrators } from "./administration-route.ts";
import { noBody } from "./shapes.ts";

const path = z.strictObject({ name: z.string() });
const config = { needs: "admin" } as const;

/**
 * `/servers`: what an administrator sees of the upstream servers, and may do with them. Which of them are there for
 * whom, and who may start one again, the gateway decides. Beside them what became of the file that names them.
 */
export function addServerRoutes(
  app: FastifyInstance,
  {
    gateway,
    approvals,
    configurationStatus,
  }: {
    gateway: Gateway;
    approvals?: PinApprovals | undefined;
    configurationStatus?: (() => ConfigurationStatus) | undefined;
  },
): void {
  // For the local owner's commands above all: whether what they wrote into the file is in effect.
  app.get(`${adminFolder}/configuration`, { config: administrators }, (request) => {
    requireGatewayAdministrator(actorOf(request), "What is known of the configuration file");
    if (configurationStatus === undefined) {
      throw new AppError("not_found", "Nothing is known of a configuration file here");
    }
    const { file, fingerprint, loadedAtMs, readAtMs, problem } = configurationStatus();
    return {
      file,
      fingerprint,
      loadedAt: iso(loadedAtMs),
      readAt: iso(readAtMs),
      problem: problem && problemJson(problem),
    };
  });

  app.get("/servers", { config }, (request) => {
    const caller = callerOfRequest(request);
    return { servers: gateway.serverStatus(caller), collisions: gateway.collisions(caller) };
  });

  app.get("/servers/:name", { config }, (request) => {
    const caller = callerOfRequest(request);
    const { name } = readBody(path, request.params, "path");
    const detail = gateway.inspectServer(caller, name);
    return {
      ...detail,
      ...gateway.serverStatus(caller).find((status) => status.name === name),
      ...approvals?.waiting(caller.principal, name),
    };
  });

  app.post("/servers/:name/restart", { config }, (request, reply) => {
    const caller = callerOfRequest(request);
    const { name } = readBody(path, request.params, "path");
    readBody(noBody, request.body);
    gateway.restartServer(caller, name);
    return reply.code(202).send({ restarting: name });
  });
}

function problemJson({ sinceMs, ...problem }: ConfigurationRefusal): object {
  return { ...problem, since: iso(sinceMs) };
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function callerOfRequest(request: FastifyRequest): CallerContext {
  return { ...callerOf(request), client: silentClient };
}
