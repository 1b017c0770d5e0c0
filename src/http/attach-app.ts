import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { createLegacySse } from "../mcp/legacy-sse.ts";
import { createMcpEndpoint } from "../mcp/mcp-endpoint.ts";
import { gatewayIdentity } from "../mcp/mcp-identity.ts";
import type { Standing } from "../auth/standing.ts";
import { createApp } from "./create-app.ts";
import type { AppOptions } from "./create-app.ts";
import type { HttpServer } from "./http-server.ts";
import { createInFlight } from "./in-flight.ts";
import { createRefusalLog } from "./refusal-log.ts";
import { createStandingOf } from "./standing-of.ts";

export interface AttachOptions extends Omit<
  AppOptions,
  "mcp" | "sse" | "inFlight" | "answers" | "refusals"
> {
  /** What is open ends with it. */
  standing: Standing;
}

/** Has a port answered in full: all routes, and MCP. What came before, and waits, is answered first. */
export async function attachApp(server: HttpServer, options: AttachOptions): Promise<void> {
  const { gateway, configuration, version, logger, standing } = options;
  const { answers } = server;
  const inFlight = createInFlight();
  const identity = gatewayIdentity(gateway, version);
  const newId = randomUUID;
  const standingOf = createStandingOf(standing, Date.now);
  const mcp = createMcpEndpoint({ gateway, identity, newId, now: Date.now, logger, standingOf });
  const sse = createLegacySse({ gateway, identity, newId });
  standing.onChanged(() => {
    answers.standingsChanged();
    mcp.standingsChanged();
  });
  const refusals = createRefusalLog({
    logger,
    now: () => performance.now(),
    trustedProxies: configuration.trustedProxies,
  });
  const app = createApp({ ...options, mcp, sse, inFlight, answers, refusals });
  await app.ready();
  server.attach(standing, {
    answer: (request, response) => app.routing(request, response),
    endStreams() {
      mcp.endStreams();
      sse.endStreams();
    },
    cancelAll(reason) {
      inFlight.abortAll(reason);
      mcp.cancelAll(reason);
    },
    async close() {
      gateway.flushRefusals();
      refusals.flush();
      mcp.close();
      await app.close();
    },
  });
}
