import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { performance } from "node:perf_hooks";
import type { Administration } from "../administration/administration.ts";
import type { AdministrationTokens } from "../auth/administration-tokens.ts";
import type { CliTokenExchange } from "../auth/cli-token-exchange.ts";
import type { MintedTokens } from "../auth/token-mint.ts";
import type { AuditSink } from "../core/audit.ts";
import type { Configuration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { requireRole } from "../core/permissions.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { LegacySse } from "../mcp/legacy-sse.ts";
import type { McpEndpoint } from "../mcp/mcp-endpoint.ts";
import { costFault } from "../mcp/read-json.ts";
import type { Metrics } from "../metrics/create-metrics.ts";
import { authenticateRequest, selfDescription } from "./authenticate-request.ts";
import { errorAnswerOf, HttpError, sendError } from "./error-answer.ts";
import "./fastify-types.ts";
import type { InFlight } from "./in-flight.ts";
import { createKnownPaths } from "./known-paths.ts";
import type { OpenAnswers } from "./open-answers.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { createRequestGuard } from "./request-guard.ts";
import { addAdminHistoryRoutes } from "./routes/admin-history-routes.ts";
import { addAdminMemberRoutes } from "./routes/admin-member-routes.ts";
import { addAdminOrganizationRoutes } from "./routes/admin-organization-routes.ts";
import { addAdminTokenRoutes } from "./routes/admin-token-routes.ts";
import { addAdminUserRoutes } from "./routes/admin-user-routes.ts";
import { adminFolder } from "./routes/administration-route.ts";
import { addApiRoutes } from "./routes/api-routes.ts";
import { addAuditRoutes } from "./routes/audit-routes.ts";
import { addAuthRoutes } from "./routes/auth-routes.ts";
import { addMcpRoute } from "./routes/mcp-route.ts";
import { addMetricsRoute } from "./routes/metrics-route.ts";
import { addServerRoutes } from "./routes/server-routes.ts";
import { addSseRoutes } from "./routes/sse-routes.ts";
import { addStatusRoutes } from "./routes/status-routes.ts";

export interface AppOptions {
  gateway: Gateway;
  mcp: McpEndpoint;
  sse: LegacySse;
  mint: MintedTokens;
  exchange: CliTokenExchange;
  administration: Administration;
  administrationTokens: Pick<AdministrationTokens, "principalOf">;
  audit: Pick<AuditSink, "queued" | "dropped">;
  metrics: Pick<Metrics, "requestEnded" | "text" | "contentType">;
  configuration: Configuration;
  version: string;
  instanceId: string;
  logger: Logger;
  inFlight: InFlight;
  answers: OpenAnswers;
  refusals: RefusalLog;
}

/** Paths below these are public or, in this gateway, not there: asking for them needs no sign-in. */
const publicFolders = ["/health/", "/auth/", "/.well-known/", "/oauth/", "/debug/"];

/** All routes behind guard, authentication, role and one way to answer failures. Does not listen. */
export function createApp(options: AppOptions): FastifyInstance {
  const { gateway, configuration, logger, answers, administrationTokens, refusals } = options;
  const guard = createRequestGuard(configuration);
  const paths = createKnownPaths();

  const app = fastify({
    bodyLimit: configuration.maxBodyBytes,
    logger: false,
    routerOptions: { maxParamLength: 1000 },
    // A target that cannot be decoded comes to no route, and so past every hook.
    frameworkErrors(_error, request, reply) {
      measure(request, reply);
      try {
        guard.admit(request.raw, reply.raw);
      } catch (error) {
        void sendError(reply, error);
        return;
      }
      void sendError(reply, new HttpError(400, "usage", "The request target is not a valid path"));
    },
  });
  app.decorateRequest("principal", null);
  acceptJsonOnly(app);

  app.addHook("onRoute", (route) => paths.add(route));

  app.addHook("onRequest", async (request, reply) => {
    measure(request, reply);
    try {
      if (guard.admit(request.raw, reply.raw)) return reply.code(204).send();
      if (request.is404) throw await unknownPath(request);
      const { access, tokenInQuery = false, localProof, needs } = request.routeOptions.config;
      if (access !== "public") {
        request.principal = await authenticateRequest(gateway, request.raw, {
          tokenInQuery,
          administrationTokens: localProof === true ? administrationTokens : undefined,
        });
        answers.belongsTo(reply.raw, request.principal);
        if (needs !== undefined) requireRole(request.principal, needs, "This");
      }
    } catch (error) {
      recordRefusedCall(request, error);
      throw error;
    }
    return undefined;
  });

  /** An answer ends when it is sent, and also when nobody waits for it any more. */
  const measure = ({ method, routeOptions }: FastifyRequest, { raw }: FastifyReply): void => {
    const startedMs = performance.now();
    raw.once("close", () => {
      options.metrics.requestEnded({
        method,
        route: routeOptions.url,
        status: raw.headersSent ? raw.statusCode : undefined,
        durationMs: performance.now() - startedMs,
      });
    });
  };

  /** A tool call that is not let in stands in the audit too (its body is not read). */
  const recordRefusedCall = (request: FastifyRequest, error: unknown): void => {
    const { raw, routeOptions, principal } = request;
    const { status } = errorAnswerOf(error);
    if (status !== 401 && status !== 403) return;
    const toolName = routeOptions.config.toolCalled?.(raw);
    if (toolName !== undefined) {
      gateway.recordRefusal(toolName, {
        ...selfDescription(raw),
        principal: principal ?? undefined,
      });
    }
  };

  /** Strangers do not learn which paths exist. */
  const unknownPath = async ({ raw, method }: FastifyRequest): Promise<AppError> => {
    const [path = ""] = (raw.url ?? "").split("?");
    const known = paths.find(path);
    const isPublic = known?.isPublic ?? publicFolders.some((folder) => path.startsWith(folder));
    if (!isPublic) {
      await authenticateRequest(gateway, raw, {
        tokenInQuery: known?.tokenInQuery ?? false,
        administrationTokens: path.startsWith(`${adminFolder}/`) ? administrationTokens : undefined,
      });
    }
    return known === undefined
      ? new AppError("not_found", "There is nothing at this path")
      : new HttpError(405, "usage", `${method} is not for this path`, {
          headers: { allow: [...known.methods].join(", ") },
        });
  };

  app.setErrorHandler((error, request, reply) => {
    const answer = errorAnswerOf(error);
    if (answer.error.code === "internal") {
      logger.error("A request failed unexpectedly", {
        method: request.method,
        path: request.routeOptions.url,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
    const forAdministrators = request.routeOptions.config.needs === "admin";
    const isRefused = answer.status === 401 || answer.status === 403;
    if (forAdministrators && isRefused) refusals.add(request, answer);
    return sendError(reply, error);
  });

  addStatusRoutes(app, options);
  addAuthRoutes(app, options);
  addApiRoutes(app, options);
  addServerRoutes(app, options);
  addAdminOrganizationRoutes(app, options);
  addAdminUserRoutes(app, options);
  addAdminMemberRoutes(app, options);
  addAdminTokenRoutes(app, options);
  addAdminHistoryRoutes(app, options);
  addAuditRoutes(app, options);
  addMetricsRoute(app, options);
  addMcpRoute(app, options);
  addSseRoutes(app, options);
  return app;
}

/** A body is JSON or refused with 415; an empty one, as `POST /auth/logout` may have, is none. */
function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    const text = body.toString();
    const fault = costFault(text);
    if (text === "") done(null, undefined);
    else if (fault !== undefined) done(new HttpError(400, "usage", fault));
    else void parse(request, text, done);
  });
}
