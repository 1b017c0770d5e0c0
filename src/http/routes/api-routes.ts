import type { FastifyInstance, FastifyRequest } from "fastify";
import * as z from "zod";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { CallerContext, Gateway, GatewayCall } from "../../gateway/gateway.ts";
import type { PinApprovals } from "../../gateway/pin-approvals.ts";
import { answerToolCall, restCallerOf } from "../answer-tool-call.ts";
import type { InFlight } from "../in-flight.ts";
import { readBody } from "../read-body.ts";
import { selectionOfRequest, selectionQuery } from "../selection-of-request.ts";

export interface ApiRoutesOptions {
  gateway: Gateway;
  inFlight: InFlight;
  /** What servers offer that waits for an approval; undefined: nothing of it is remembered. */
  approvals?: PinApprovals | undefined;
}

const name = z.string().min(1, "must not be empty").max(1000);
const inspectQuery = z
  .strictObject({ server: name.optional(), tool: name.optional(), ...selectionQuery })
  .refine(({ server, tool }) => tool === undefined || server !== undefined, {
    path: ["tool"],
    message: "needs server beside it",
  });
const choiceQuery = z.strictObject(selectionQuery);
const noQuery = z.strictObject({});
const jsonObject = z.custom<JsonObject>(isJsonObject, "expected an object");
const callBody = z.strictObject({
  server: name,
  tool: name,
  arguments: jsonObject.optional(),
  untyped: z.record(z.string(), z.string()).optional(),
  text: z.string().optional(),
  /** As in the `_meta` of MCP requests (2026-07-28). */
  clientCapabilities: jsonObject.optional(),
  inputResponses: jsonObject.optional(),
  requestState: z.string().optional(),
  timeoutMs: z
    .number()
    .positive()
    .max(24 * 60 * 60 * 1000)
    .optional(),
});

/** The REST API that the CLI speaks: find out, read the instructions, call. */
export function addApiRoutes(
  app: FastifyInstance,
  { gateway, inFlight, approvals }: ApiRoutesOptions,
): void {
  const config = { needs: "viewer" } as const;
  /**
   * @param query what may stand in it
   * @throws AppError `usage` for anything else
   */
  const chosenBy = (
    request: FastifyRequest,
    query: z.ZodType,
    capabilities?: JsonObject,
  ): CallerContext => {
    if (request.raw.url?.includes("?") === true) readBody(query, request.query, "query");
    const caller = restCallerOf(request, capabilities);
    return { ...caller, selection: selectionOfRequest(gateway, request.raw) };
  };
  app.get("/api/v1/inspect", { config }, (request) => {
    const caller = chosenBy(request, inspectQuery);
    const { server, tool } = readBody(inspectQuery, request.query, "query");
    if (server === undefined) {
      return { servers: gateway.listServers(caller), collisions: gateway.collisions(caller) };
    }
    return tool === undefined
      ? {
          ...gateway.inspectServer(caller, server),
          ...approvals?.waiting(caller.principal, server),
        }
      : {
          server,
          tool: gateway.inspectTool(caller, server, tool),
          change: approvals
            ?.waiting(caller.principal, server)
            .changes?.find((change) => change.tool === tool),
        };
  });

  app.get("/api/v1/instructions", { config }, (request, reply) =>
    reply
      .type("text/plain; charset=utf-8")
      .send(gateway.instructions(chosenBy(request, choiceQuery), "shell")),
  );

  app.get("/api/v1/presets", { config }, (request) => {
    const caller = restCallerOf(request);
    readBody(noQuery, request.query, "query");
    return { presets: gateway.presets(caller) };
  });

  // Who may call which tool is decided by the gateway, which writes a row of each refusal.
  const called = { toolCalled: () => "unknown" };
  app.post("/api/v1/tools/call", { config: called }, async (request, reply) => {
    const signal = inFlight.begin(reply.raw);
    const body = readBody(callBody, request.body);
    const caller = chosenBy(request, choiceQuery, capabilitiesOf(body.clientCapabilities));
    const call: GatewayCall = { ...callOf(body), signal };
    return answerToolCall(reply, { gateway, caller, call });
  });
}

/** What a client of this API may declare: it answers what a person is asked, and nothing else. */
function capabilitiesOf({ elicitation }: JsonObject = {}): JsonObject {
  return isJsonObject(elicitation) ? { elicitation } : {};
}

function callOf(body: z.output<typeof callBody>): Omit<GatewayCall, "signal"> {
  const { server, tool, untyped, text, timeoutMs, ...given } = body;
  const params: JsonObject = {};
  if (given.arguments !== undefined) params["arguments"] = given.arguments;
  if (given.inputResponses !== undefined) params["inputResponses"] = given.inputResponses;
  if (given.requestState !== undefined) params["requestState"] = given.requestState;
  return { address: { server, tool }, params, untyped, text, timeoutMs };
}
