import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { parseJson, type Json } from "../../core/json.ts";
import type { McpEndpoint } from "../../mcp/mcp-endpoint.ts";
import { callerOf, principalOf, selfAsserted } from "../authenticate-request.ts";
import type { InFlight } from "../in-flight.ts";

export interface McpRouteOptions {
  mcp: McpEndpoint;
  inFlight: InFlight;
}

/** `/mcp`: hands web-standard requests to the MCP endpoint and writes its answers, streamed ones too. */
export function addMcpRoute(app: FastifyInstance, { mcp, inFlight }: McpRouteOptions): void {
  void app.register((scope, _options, done) => {
    // As text, because a fault in it is JSON-RPC's to answer.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      "application/json",
      { parseAs: "string" },
      (_request, body, next) => {
        next(null, body);
      },
    );
    scope.route({
      method: ["GET", "POST", "DELETE"],
      url: "/mcp",
      config: { toolCalled },
      handler: async ({ raw, principal, body }, reply) => {
        const caller = callerOf(principal ?? principalOf({ kind: "absent" }), raw);
        const message = readMessage(body);
        const response =
          message === undefined
            ? parseFault()
            : await mcp.handle({
                method: raw.method ?? "GET",
                headers: headersOf(raw),
                body: message.body,
                signal: inFlight.begin(reply.raw),
                keepsUp: () => !reply.raw.writableNeedDrain,
                caller,
              });
        reply.hijack();
        await writeResponse(response, reply.raw);
      },
    });
    done();
  });
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

/** The parsed body, absent for methods without one; undefined when it is no JSON. */
function readMessage(text: unknown): { body: Json | undefined } | undefined {
  if (typeof text !== "string") return { body: undefined };
  try {
    return { body: parseJson(text) };
  } catch {
    return undefined;
  }
}

function parseFault(): Response {
  const error = { code: -32700, message: "Parse error: the body is not valid JSON" };
  return Response.json({ jsonrpc: "2.0", id: null, error }, { status: 400 });
}

function headersOf({ headers }: IncomingMessage): Headers {
  const copy = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    // The credential has done its work at the door and goes no further.
    if (value === undefined || name === "authorization" || name === "cookie") continue;
    copy.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return copy;
}

/** Writes as fast as the client reads; stops, and so cancels, when it has gone. */
async function writeResponse(response: Response, raw: ServerResponse): Promise<void> {
  // Whether the connection is kept is between this server and the client.
  response.headers.delete("connection");
  raw.writeHead(response.status, Object.fromEntries(response.headers));
  try {
    for await (const chunk of response.body ?? []) {
      if (raw.destroyed) break;
      if (!raw.write(chunk)) await drained(raw);
    }
    raw.end();
  } catch {
    // The exchange was broken off; half an answer must not look like a whole one.
    raw.destroy();
  }
}

function drained(raw: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      raw.off("drain", done);
      raw.off("close", done);
      resolve();
    };
    raw.once("drain", done);
    raw.once("close", done);
  });
}
