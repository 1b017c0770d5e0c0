import type { FastifyInstance } from "fastify";
import { silentClient } from "../../core/client-port.ts";
import { systemPrincipal } from "../../core/principal.ts";
import type { CallerContext, Gateway } from "../../gateway/gateway.ts";
import { protocolVersions } from "../../mcp/mcp-endpoint.ts";

export interface StatusRoutesOptions {
  gateway: Gateway;
  version: string;
  instanceId: string;
}

interface UpstreamCounts {
  total: number;
  ready: number;
  starting: number;
  unavailable: number;
}

/** Counts are asked for on the gateway's own account, and are all that strangers get. */
const self: CallerContext = {
  principal: systemPrincipal,
  clientName: "gateway",
  sessionId: null,
  projectId: null,
  client: silentClient,
};

/** `/health*` and `/status`: whether it runs and which it is; numbers only, no names. */
export function addStatusRoutes(app: FastifyInstance, options: StatusRoutesOptions): void {
  const { gateway, version, instanceId } = options;
  const config = { access: "public" } as const;

  const counts = (): UpstreamCounts => {
    const states = gateway.listServers(self).map(({ state }) => state);
    const count = (wanted: string): number => states.filter((state) => state === wanted).length;
    return {
      total: states.length,
      ready: count("ready"),
      starting: count("starting"),
      unavailable: count("unavailable"),
    };
  };

  app.get("/health", { config }, () => ({ status: "ok" }));
  app.get("/health/live", { config }, () => ({ status: "ok" }));
  app.get("/health/ready", { config }, (_request, reply) => {
    const { settled } = gateway;
    return reply
      .code(settled ? 200 : 503)
      .send({ status: settled ? "ready" : "starting", upstreams: counts() });
  });
  app.get("/status", { config }, () => ({
    name: "onedoor",
    version,
    instanceId,
    protocolVersions,
    upstreams: counts(),
  }));
}
