import type { FastifyInstance } from "fastify";
import * as z from "zod";
import type { AuditSink } from "../../core/audit.ts";
import { requireWatcher } from "../../core/permissions.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { LegacySse } from "../../mcp/legacy-sse.ts";
import type { McpEndpoint } from "../../mcp/mcp-endpoint.ts";
import type { Metrics, MetricSources } from "../../metrics/create-metrics.ts";
import { gatewayCaller } from "../gateway-caller.ts";
import { readBody } from "../read-body.ts";
import { actorOf } from "./administration-route.ts";

export interface MetricsRouteOptions {
  metrics: Pick<Metrics, "text" | "contentType">;
  gateway: Pick<Gateway, "listServers">;
  audit: Pick<AuditSink, "queued" | "dropped">;
  mcp: Pick<McpEndpoint, "sessionCount">;
  sse: Pick<LegacySse, "sessionCount">;
}

const query = z.strictObject({});

/** `/metrics`: numbers of all organisations, so for who administers the gateway, or watches it. */
export function addMetricsRoute(app: FastifyInstance, options: MetricsRouteOptions): void {
  const { metrics, gateway, audit, mcp, sse } = options;
  const sources: MetricSources = {
    upstreams: () => gateway.listServers(gatewayCaller),
    audit,
    sessions: () => [
      { transport: "streamable_http", count: mcp.sessionCount },
      { transport: "sse", count: sse.sessionCount },
    ],
  };

  app.get("/metrics", async (request, reply) => {
    requireWatcher(actorOf(request));
    readBody(query, request.query, "query");
    return reply.type(metrics.contentType).send(await metrics.text(sources));
  });
}
