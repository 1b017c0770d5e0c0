import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";
import { AppError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { RpcFailure } from "../../core/json-rpc.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { toJsonRpcError } from "../../gateway/json-rpc-error.ts";
import type { LegacySse } from "../../mcp/legacy-sse.ts";
import { readJson } from "../../mcp/read-json.ts";
import { failure } from "../../mcp/rpc-messages.ts";
import { callerOf } from "../authenticate-request.ts";
import { HttpError } from "../error-answer.ts";
import type { InFlight } from "../in-flight.ts";
import { hostnameOf } from "../request-guard.ts";
import { takeJsonAsText } from "../json-as-text.ts";
import { mcpModeOf } from "../mcp-mode.ts";
import type { OpenAnswers } from "../open-answers.ts";
import { openMessageEvents } from "../message-events.ts";
import { selectionOfRequest } from "../selection-of-request.ts";

export interface SseRoutesOptions {
  gateway: Pick<Gateway, "selectionOf">;
  sse: LegacySse;
  inFlight: InFlight;
  answers: OpenAnswers;
  configuration: { externalUrl?: string | undefined };
}

/**
 * `/sse` and `/message`: the HTTP+SSE transport of 2024-11-05. The stream tells the address for messages;
 * what is posted there is acknowledged with 202 and answered on the stream. Both need a sign-in with a role, and a
 * session takes messages from its own user only.
 */
export function addSseRoutes(app: FastifyInstance, options: SseRoutesOptions): void {
  const { gateway, sse, inFlight, answers, configuration } = options;
  void app.register((scope, _options, done) => {
    takeJsonAsText(scope);
    scope.route({
      method: "GET",
      url: "/sse",
      config: { tokenInQuery: true, needs: "viewer" },
      handler(request, reply) {
        const { raw } = request;
        const mode = mcpModeOf(raw);
        const caller = {
          ...callerOf(request),
          mode,
          selection: selectionOfRequest(gateway, raw),
        };
        const events = openMessageEvents(reply.raw);
        const session = sse.open(caller, events, () => events.end());
        if (session === undefined) {
          throw new HttpError(503, "rate_limited", "There are too many event streams", {
            hint: "Close one, or use /mcp",
            headers: { "retry-after": "60" },
          });
        }
        inFlight.begin(reply.raw).addEventListener("abort", () => {
          session.end();
          reply.raw.end();
        });
        answers.onCredentialEnd(reply.raw, () => reply.raw.end());
        reply.hijack();
        const folder = folderFor(raw, configuration.externalUrl);
        const query = new URLSearchParams({
          sessionId: session.id,
          ...(mode !== undefined && { mode }),
          ...shownInQuery(raw),
        });
        events.begin(`${folder}/message?${query.toString()}`);
      },
    });
    scope.route({
      method: "POST",
      url: "/message",
      config: { tokenInQuery: true, needs: "viewer", toolCalled: () => "unknown" },
      handler(request, reply) {
        const { raw, body } = request;
        const shown = callerOf(request);
        const client = sse.find(sessionIdOf(raw), shown.principal);
        if (client === undefined) {
          throw new AppError("not_found", "There is no such session of yours", {
            hint: "Open /sse again",
          });
        }
        const caller = { ...shown, mode: mcpModeOf(raw) };
        const fault = asFault(body, (value) => client.receive(value, caller));
        if (fault !== undefined) return reply.code(400).send(fault);
        return reply.code(202).type("text/plain").send("Accepted");
      },
    });
    done();
  });
}

function asFault(
  body: unknown,
  receive: (value: Json) => RpcFailure | undefined,
): RpcFailure | undefined {
  try {
    return receive(readJson(typeof body === "string" ? body : ""));
  } catch (error) {
    return failure(null, toJsonRpcError(error));
  }
}

function sessionIdOf({ url }: IncomingMessage): string {
  return queryOf(url).get("sessionId") ?? "";
}

/**
 * The token, for a client that showed it in the query: it can set no header, posts to the address just as it
 * gets it, and a session's id is no credential. It hears on its own stream what it said itself.
 */
function shownInQuery({ url }: IncomingMessage): { token?: string } {
  const token = queryOf(url).get("token");
  return token === null ? {} : { token };
}

function queryOf(url = ""): URLSearchParams {
  return new URLSearchParams(url.split("?", 2)[1]);
}

/** Behind a proxy the gateway may hang below a folder, which only the external URL knows. */
function folderFor({ headers }: IncomingMessage, externalUrl: string | undefined): string {
  if (externalUrl === undefined) return "";
  const { hostname, pathname } = new URL(externalUrl);
  return hostnameOf(headers.host) === hostname ? pathname.replace(/\/+$/u, "") : "";
}
