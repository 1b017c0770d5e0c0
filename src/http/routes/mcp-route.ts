import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Readable } from "node:stream";
import { rpcCodes } from "../../core/json-rpc.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { toJsonRpcError } from "../../gateway/json-rpc-error.ts";
import type { McpEndpoint } from "../../mcp/mcp-endpoint.ts";
import { failure } from "../../mcp/rpc-messages.ts";
import { callerOf, selfAsserted } from "../authenticate-request.ts";
import { bodyText, routeLimits } from "../body-text.ts";
import { errorAnswerOf, HttpError } from "../error-answer.ts";
import { takeJsonAsText } from "../json-as-text.ts";
import { selectionOfRequest } from "../selection-of-request.ts";
import { mcpModeOf } from "../mcp-mode.ts";
import type { OpenAnswers } from "../open-answers.ts";
import type { ResourceMetadata } from "../resource-metadata.ts";

export interface McpRouteOptions {
  gateway: Pick<Gateway, "selectionOf">;
  mcp: Pick<McpEndpoint, "handle">;
  answers: Pick<OpenAnswers, "onCredentialEnd">;
  resourceMetadata: Pick<ResourceMetadata, "announcedIn">;
}

/** `/mcp`: hands what is let in to the MCP endpoint, which writes the answer itself. */
export function addMcpRoute(
  app: FastifyInstance,
  { gateway, mcp, answers, resourceMetadata }: McpRouteOptions,
): void {
  void app.register((scope, _options, done) => {
    takeJsonAsText(scope);
    // DELETE has no body that anybody looks at, whatever type its sender gives it.
    scope.addContentTypeParser("*", async (request: FastifyRequest, payload: Readable) => {
      await bodyText(request, payload, routeLimits(request));
      if (request.method !== "DELETE") throw unsupportedType();
    });
    // What is refused for its body or its query is answered as JSON-RPC; who is not let in, as everywhere.
    scope.setErrorHandler((error, { routeOptions }, reply) => {
      const answer = errorAnswerOf(error, routeOptions.bodyLimit);
      const { status, headers } = answer;
      if (!refusedAsRpc.has(status)) throw error;
      const { message, data } = toJsonRpcError(answer.error);
      return reply
        .code(status)
        .headers(headers)
        .send(failure(null, { code: rpcCodes.invalidRequest, message, data }));
    });
    scope.route({
      method: ["GET", "POST", "DELETE"],
      url: "/mcp",
      config: { toolCalled, needs: "viewer" },
      handler(request, reply) {
        const { raw, body } = request;
        const caller = callerOf(request);
        caller.mode = mcpModeOf(raw);
        caller.selection = selectionOfRequest(gateway, raw);
        reply.hijack();
        void mcp.handle({
          method: raw.method ?? "GET",
          headers: raw.headers,
          body: typeof body === "string" ? body : undefined,
          caller,
          response: reply.raw,
          challengeOf: (refusal) =>
            resourceMetadata.announcedIn(errorAnswerOf(refusal), raw).headers,
          // What listens goes by the role it began with, and its client comes again.
          onCredentialEnd: (end) =>
            answers.onCredentialEnd(reply.raw, end, { whileRoleStays: true }),
        });
      },
    });
    done();
  });
}

/** 404: a preset that is not there. */
const refusedAsRpc: ReadonlySet<number> = new Set([400, 404, 413, 415]);

function unsupportedType(): HttpError {
  return new HttpError(415, "usage", "The request's Content-Type must be application/json");
}

/**
 * The tool that a request calls, as far as its head says it: since 2026-07-28 `Mcp-Method` and `Mcp-Name`
 * do. An older one may be a call of any tool; undefined is what is none.
 */
function toolCalled(request: IncomingMessage): string | undefined {
  if (request.method !== "POST") return undefined;
  const method = selfAsserted(request, "mcp-method") ?? "tools/call";
  return method === "tools/call" ? (selfAsserted(request, "mcp-name") ?? "unknown") : undefined;
}
