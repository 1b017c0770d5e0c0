import fastify from "fastify";
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { performance } from "node:perf_hooks";
import type { Administration } from "../administration/administration.ts";
import type { AdministrationTokens } from "../auth/administration-tokens.ts";
import type { CliTokenExchange } from "../auth/cli-token-exchange.ts";
import type { Door } from "../auth/door.ts";
import type { PasswordSignIn } from "../auth/password-sign-in.ts";
import type { IdentityTokens } from "../auth/identity-tokens.ts";
import type { MintedTokens } from "../auth/token-mint.ts";
import type { AuditSink } from "../core/audit.ts";
import type { Configuration } from "../core/configuration.ts";
import { AppError, asError } from "../core/errors.ts";
import type { ConfigurationStatus } from "../core/configuration-status.ts";
import type { Logger } from "../core/logger.ts";
import { isJsonObject } from "../core/json.ts";
import { requireRole } from "../core/permissions.ts";
import type { Principal } from "../core/principal.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { PinApprovals } from "../gateway/pin-approvals.ts";
import type { LegacySse } from "../mcp/legacy-sse.ts";
import type { McpEndpoint } from "../mcp/mcp-endpoint.ts";
import type { Metrics } from "../metrics/create-metrics.ts";
import { authenticateRequest, bearerShown } from "./authenticate-request.ts";
import { errorAnswerOf, HttpError, sendAnswer } from "./error-answer.ts";
import "./fastify-types.ts";
import type { InFlight } from "./in-flight.ts";
import { acceptJsonOnly } from "./json-body.ts";
import { createKnownPaths } from "./known-paths.ts";
import type { OpenAnswers } from "./open-answers.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { createRefusedCalls } from "./refused-calls.ts";
import { createRequestGuard } from "./request-guard.ts";
import { createResourceMetadata } from "./resource-metadata.ts";
import { addAdminHistoryRoutes } from "./routes/admin-history-routes.ts";
import { addAdminMemberRoutes } from "./routes/admin-member-routes.ts";
import { addAdminOrganizationRoutes } from "./routes/admin-organization-routes.ts";
import { addAdminTokenRoutes } from "./routes/admin-token-routes.ts";
import { addAdminUserRoutes } from "./routes/admin-user-routes.ts";
import { adminFolder } from "./routes/administration-route.ts";
import { addApiRoutes } from "./routes/api-routes.ts";
import { addApprovalRoutes } from "./routes/approval-routes.ts";
import { addAuditRoutes } from "./routes/audit-routes.ts";
import { addAuthRoutes } from "./routes/auth-routes.ts";
import { addDebugRoutes, debugFolder } from "./routes/debug-routes.ts";
import { addLoginRoutes } from "./routes/login-routes.ts";
import { addIdentityKeysRoute } from "./routes/identity-keys-route.ts";
import { addMcpRoute } from "./routes/mcp-route.ts";
import { addMcpToolsCallRoute } from "./routes/mcp-tools-call-route.ts";
import { addMetricsRoute } from "./routes/metrics-route.ts";
import { addOauthMetadataRoutes } from "./routes/oauth-metadata-routes.ts";
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
  /** Tokens that are ended where they were made. */
  door: Pick<Door, "revoke">;
  /** Who is asked at `POST /auth/login` now; undefined: there is no sign-in with a password. */
  signIn: () => PasswordSignIn | undefined;
  /** `NODE_ENV=development`: opens `/debug/*` to programs of this machine. */
  development: boolean;
  audit: Pick<AuditSink, "queued" | "dropped" | "append">;
  metrics: Pick<Metrics, "requestEnded" | "text" | "contentType">;
  configuration: Configuration;
  /** What is known of its file; undefined: there is none to ask about. */
  configurationStatus?: (() => ConfigurationStatus) | undefined;
  version: string;
  instanceId: string;
  logger: Logger;
  inFlight: InFlight;
  answers: OpenAnswers;
  refusals: RefusalLog;
  /** By which upstream servers verify on whose behalf they are asked. */
  identityTokens?: Pick<IdentityTokens, "keys"> | undefined;
  /** What servers offer that waits for an approval; undefined: nothing of it is remembered. */
  approvals?: PinApprovals | undefined;
}

/** Paths below these are public or, in this gateway, not there: asking for them needs no sign-in. */
const publicFolders = ["/health/", "/auth/", "/.well-known/", "/oauth/", "/debug/"];

/** All routes behind guard, authentication, role and one way to answer failures. Does not listen. */
export function createApp(options: AppOptions): FastifyInstance {
  const { gateway, configuration, logger, answers, administrationTokens, refusals } = options;
  const guard = createRequestGuard(configuration);
  const paths = createKnownPaths();
  const refusedCalls = createRefusedCalls(gateway);
  const resourceMetadata = createResourceMetadata(() => gateway.signInWays, configuration);

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
        void sendAnswer(reply, errorAnswerOf(error));
        return;
      }
      const error = new HttpError(400, "usage", "The request target is not a valid path");
      void sendAnswer(reply, errorAnswerOf(error));
    },
  });
  app.decorateRequest("principal", null);
  app.decorateRequest("bearer", null);
  app.decorateRequest("bearerInBody", null);
  acceptJsonOnly(app);

  app.addHook("onRoute", (route) => {
    if (!route.url.startsWith(debugFolder)) paths.add(route);
  });

  // By a callback: fastify waits for promises, and most requests have nothing to wait for.
  app.addHook("onRequest", (request, reply, done) => {
    // Made anew each time somebody asks for them.
    const { url, config } = request.routeOptions;
    measure(request, reply, url);
    const refuse = (error: unknown): void => {
      refusedCalls.notLetIn(request);
      done(asError(error));
    };
    let waiting: Promise<void> | undefined;
    try {
      if (guard.admit(request.raw, reply.raw)) {
        void reply.code(204).send();
        return;
      }
      waiting = url === undefined ? refuseUnknownPath(request) : letIn(request, reply, config);
    } catch (error) {
      refuse(error);
      return;
    }
    const goOn = (): void => done();
    if (waiting === undefined) goOn();
    else void waiting.then(goOn, refuse);
  });

  /** An answer ends when it is sent, and also when nobody waits for it any more. */
  const measure = (request: FastifyRequest, { raw }: FastifyReply, route?: string): void => {
    const startedMs = performance.now();
    raw.once("close", () => {
      const status = raw.headersSent ? raw.statusCode : undefined;
      const durationMs = performance.now() - startedMs;
      options.metrics.requestEnded({ method: request.method, route, status, durationMs });
      refusedCalls.notRead(request, status);
    });
  };

  const mayShowInQuery = (route?: { tokenInQuery?: boolean }): boolean =>
    configuration.allowQueryToken || route?.tokenInQuery === true;

  /** @returns what is to be waited for; undefined when the request is let in already */
  const letIn = (
    request: FastifyRequest,
    { raw }: FastifyReply,
    config: FastifyContextConfig,
  ): Promise<void> | undefined => {
    const { access, localProof, needs } = config;
    if (access === "public") return undefined;
    const tokenInQuery = mayShowInQuery(config);
    const bearer = bearerShown(request.raw, { tokenInQuery });
    if (access === "bearer in body" && bearer === undefined) return undefined;
    const letInAs = (principal: Principal): void => {
      request.principal = principal;
      request.bearer = bearer ?? null;
      // It has been looked at, and is no part of what is asked.
      if (tokenInQuery && isJsonObject(request.query)) delete request.query["token"];
      answers.belongsTo(raw, principal);
      if (needs !== undefined) requireRole(principal, needs, "This");
    };
    const sender = authenticateRequest(gateway, request.raw, {
      bearer,
      administrationTokens: localProof === true ? administrationTokens : undefined,
    });
    if (sender instanceof Promise) return sender.then(letInAs);
    letInAs(sender);
    return undefined;
  };

  /** Strangers do not learn which paths exist. @throws always */
  const refuseUnknownPath = async ({ raw, method }: FastifyRequest): Promise<never> => {
    const [path = ""] = (raw.url ?? "").split("?");
    const known = paths.find(path);
    const isPublic = known?.isPublic ?? publicFolders.some((folder) => path.startsWith(folder));
    if (!isPublic) {
      await authenticateRequest(gateway, raw, {
        bearer: bearerShown(raw, { tokenInQuery: mayShowInQuery(known) }),
        administrationTokens: path.startsWith(`${adminFolder}/`) ? administrationTokens : undefined,
      });
    }
    throw known === undefined
      ? new AppError("not_found", "There is nothing at this path")
      : new HttpError(405, "usage", `${method} is not for this path`, {
          headers: { allow: [...known.methods].join(", ") },
        });
  };

  app.setErrorHandler((error, request, reply) => {
    const failed = errorAnswerOf(error, request.routeOptions.bodyLimit);
    const answer = resourceMetadata.announcedIn(failed, request.raw);
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
    return sendAnswer(reply, answer);
  });

  addStatusRoutes(app, options);
  addAuthRoutes(app, options);
  addLoginRoutes(app, options);
  addOauthMetadataRoutes(app, { configuration, resourceMetadata });
  addDebugRoutes(app, options);
  addApiRoutes(app, options);
  addMcpToolsCallRoute(app, { ...options, refusedCalls });
  addServerRoutes(app, options);
  addApprovalRoutes(app, options);
  addAdminOrganizationRoutes(app, options);
  addAdminUserRoutes(app, options);
  addAdminMemberRoutes(app, options);
  addAdminTokenRoutes(app, options);
  addAdminHistoryRoutes(app, options);
  addAuditRoutes(app, options);
  addIdentityKeysRoute(app, options);
  addMetricsRoute(app, options);
  addMcpRoute(app, { ...options, resourceMetadata });
  addSseRoutes(app, options);
  return app;
}
