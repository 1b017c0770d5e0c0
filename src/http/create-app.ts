import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import type { CliTokenExchange } from "../auth/cli-token-exchange.ts";
import type { MintedTokens } from "../auth/token-mint.ts";
import type { Configuration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { LegacySse } from "../mcp/legacy-sse.ts";
import type { McpEndpoint } from "../mcp/mcp-endpoint.ts";
import { costFault } from "../mcp/read-json.ts";
import { authenticateRequest, selfDescription } from "./authenticate-request.ts";
import { errorAnswerOf, HttpError, sendError } from "./error-answer.ts";
import "./fastify-types.ts";
import type { InFlight } from "./in-flight.ts";
import type { OpenAnswers } from "./open-answers.ts";
import { createRequestGuard } from "./request-guard.ts";
import { addApiRoutes } from "./routes/api-routes.ts";
import { addAuthRoutes } from "./routes/auth-routes.ts";
import { addMcpRoute } from "./routes/mcp-route.ts";
import { addServerRoutes } from "./routes/server-routes.ts";
import { addSseRoutes } from "./routes/sse-routes.ts";
import { addStatusRoutes } from "./routes/status-routes.ts";

export interface AppOptions {
  gateway: Gateway;
  mcp: McpEndpoint;
  sse: LegacySse;
  mint: MintedTokens;
  exchange: CliTokenExchange | undefined;
  configuration: Configuration;
  version: string;
  instanceId: string;
  logger: Logger;
  inFlight: InFlight;
  answers: OpenAnswers;
}

/** Paths below these are public or, in this gateway, not there: asking for them needs no sign-in. */
const publicFolders = ["/health/", "/auth/", "/.well-known/", "/oauth/", "/debug/"];

interface KnownPath {
  methods: Set<string>;
  isPublic: boolean;
  tokenInQuery: boolean;
}

/** All routes behind guard, authentication and one way to answer failures. Does not listen. */
export function createApp(options: AppOptions): FastifyInstance {
  const { gateway, configuration, logger, answers } = options;
  const guard = createRequestGuard(configuration);
  const paths = new Map<string, KnownPath>();

  const app = fastify({
    bodyLimit: configuration.maxBodyBytes,
    logger: false,
    routerOptions: { maxParamLength: 1000 },
    // A target that cannot be decoded comes to no route, and so past every hook.
    frameworkErrors(_error, request, reply) {
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

  app.addHook("onRoute", ({ url, method, config }) => {
    const path = paths.get(url) ?? {
      methods: new Set(),
      isPublic: config?.access === "public",
      tokenInQuery: config?.tokenInQuery ?? false,
    };
    for (const each of [method].flat()) path.methods.add(each);
    paths.set(url, path);
  });

  app.addHook("onRequest", async (request, reply) => {
    try {
      if (guard.admit(request.raw, reply.raw)) return reply.code(204).send();
      if (request.is404) throw await unknownPath(request);
      const { access, tokenInQuery = false } = request.routeOptions.config;
      if (access !== "public") {
        request.principal = await authenticateRequest(gateway, request.raw, { tokenInQuery });
        answers.belongsTo(reply.raw, request.principal);
      }
    } catch (error) {
      recordRefusedCall(request, error);
      throw error;
    }
    return undefined;
  });

  /** A tool call that is not let in stands in the audit too (its body is not read). */
  const recordRefusedCall = ({ raw, routeOptions }: FastifyRequest, error: unknown): void => {
    const { status } = errorAnswerOf(error);
    if (status !== 401 && status !== 403) return;
    const toolName = routeOptions.config.toolCalled?.(raw);
    if (toolName !== undefined) gateway.recordRefusal(toolName, selfDescription(raw));
  };

  /** Strangers do not learn which paths exist. */
  const unknownPath = async ({ raw, method }: FastifyRequest): Promise<AppError> => {
    const [path = ""] = (raw.url ?? "").split("?");
    const known = paths.get(path);
    const isPublic = known?.isPublic ?? publicFolders.some((folder) => path.startsWith(folder));
    const tokenInQuery = known?.tokenInQuery ?? false;
    if (!isPublic) await authenticateRequest(gateway, raw, { tokenInQuery });
    return known === undefined
      ? new AppError("not_found", "There is nothing at this path")
      : new HttpError(405, "usage", `${method} is not for this path`, {
          headers: { allow: [...known.methods].join(", ") },
        });
  };

  app.setErrorHandler((error, request, reply) => {
    if (errorAnswerOf(error).error.code === "internal") {
      logger.error("A request failed unexpectedly", {
        method: request.method,
        path: request.routeOptions.url,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
    return sendError(reply, error);
  });

  addStatusRoutes(app, options);
  addAuthRoutes(app, options);
  addApiRoutes(app, options);
  addServerRoutes(app, options);
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
