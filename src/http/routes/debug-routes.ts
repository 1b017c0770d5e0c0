import type { FastifyInstance } from "fastify";
import type { AuditSink } from "../../core/audit.ts";
import { AppError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { LegacySse } from "../../mcp/legacy-sse.ts";
import type { McpEndpoint } from "../../mcp/mcp-endpoint.ts";
import { gatewayCaller } from "../gateway-caller.ts";
import { isLocalProgram } from "../local-program.ts";
import type { OpenAnswers } from "../open-answers.ts";

export interface DebugRoutesOptions {
  /** `NODE_ENV=development`: without it there are none. */
  development: boolean;
  gateway: Pick<Gateway, "serverStatus" | "settled">;
  mcp: Pick<McpEndpoint, "sessionCount">;
  sse: Pick<LegacySse, "sessionCount">;
  audit: Pick<AuditSink, "queued" | "dropped">;
  answers: Pick<OpenAnswers, "connectionCount" | "answerCount">;
}

/** Below it nothing is known to who may not ask: neither a path nor its methods. */
export const debugFolder = "/debug/";

/**
 * `/debug/state`: what the gateway holds now, for whoever works on it. Needs no token, and answers programs of this
 * machine only that ask directly; to all others, and outside development, it is not there.
 */
export function addDebugRoutes(app: FastifyInstance, options: DebugRoutesOptions): void {
  const { development, gateway, mcp, sse, audit, answers } = options;
  if (!development) return;
  app.get(`${debugFolder}state`, { config: { access: "public" } }, ({ raw }) => {
    if (!isLocalProgram(raw.socket.remoteAddress, raw)) {
      throw new AppError("not_found", "There is nothing at this path");
    }
    return {
      uptimeSeconds: process.uptime(),
      memoryBytes: process.memoryUsage(),
      connections: answers.connectionCount,
      answers: answers.answerCount,
      sessions: { mcp: mcp.sessionCount, sse: sse.sessionCount },
      audit: { queued: audit.queued, dropped: audit.dropped },
      settled: gateway.settled,
      upstreams: gateway.serverStatus(gatewayCaller),
    };
  });
}
