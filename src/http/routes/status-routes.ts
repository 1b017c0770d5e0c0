import type { FastifyInstance } from "fastify";
import type { AuditSink } from "../../core/audit.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { protocolVersions } from "../../mcp/mcp-endpoint.ts";
import { alive, alivePaths } from "../alive.ts";
import { gatewayCaller } from "../gateway-caller.ts";

export interface StatusRoutesOptions {
  gateway: Gateway;
  audit: Pick<AuditSink, "queued" | "dropped">;
  version: string;
  instanceId: string;
}

interface UpstreamCounts {
  total: number;
  ready: number;
  starting: number;
  unavailable: number;
}

/** `/health*` and `/status`: whether it runs and which it is; numbers only, no names. */
export function addStatusRoutes(app: FastifyInstance, options: StatusRoutesOptions): void {
  const { gateway, audit, version, instanceId } = options;
  const config = { access: "public" } as const;

  const counts = (): UpstreamCounts => {
    const states = gateway.listServers(gatewayCaller).map(({ state }) => state);
    const count = (wanted: string): number => states.filter((state) => state === wanted).length;
    return {
      total: states.length,
      ready: count("ready"),
      starting: count("starting"),
      unavailable: count("unavailable"),
    };
  };

  for (const path of alivePaths) app.get(path, { config }, () => alive);
  app.get("/health/ready", { config }, (_request, reply) => {
    const { settled } = gateway;
    return reply.code(settled ? 200 : 503).send({
      status: settled ? "ready" : "starting",
      upstreams: counts(),
      audit: { queued: audit.queued, dropped: audit.dropped },
    });
  });
  app.get("/status", { config }, () => ({
    name: "onedoor",
    version,
    instanceId,
    protocolVersions,
    upstreams: counts(),
  }));
}
