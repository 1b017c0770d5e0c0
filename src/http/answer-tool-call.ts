import type { FastifyReply, FastifyRequest } from "fastify";
import type { Caller, ClientPort } from "../core/client-port.ts";
import { AppError } from "../core/errors.ts";
import { rpcCodes, RpcFault } from "../core/json-rpc.ts";
import type { JsonObject } from "../core/json.ts";
import type { CallToolResult } from "../core/mcp.ts";
import { principalKey } from "../core/principal.ts";
import { holdsCredential } from "../core/shown-credential.ts";
import type { CallerContext, Gateway, GatewayCall } from "../gateway/gateway.ts";
import { asRestFault } from "../gateway/rest-fault.ts";
import { callerOf } from "./authenticate-request.ts";
import { errorAnswerOf } from "./error-answer.ts";
import { createEventStream, wantsEvents } from "./event-stream.ts";

/** @param capabilities what the client declares that it can be asked */
export function restCallerOf(
  request: FastifyRequest,
  capabilities: JsonObject = {},
): CallerContext {
  const { bearerInBody } = request;
  const shown = callerOf(request);
  const caller = bearerInBody === null ? shown : callerWith(bearerInBody, shown);
  return { ...caller, client: restClient(caller, capabilities) };
}

/** One whose token stands in the body, and nowhere in what it says of itself. */
function callerWith(
  credential: string,
  { principal, ...said }: Omit<CallerContext, "client">,
): Omit<CallerContext, "client"> {
  const kept = (text: string | null): string | null =>
    text === null || holdsCredential(text, credential) ? null : text;
  return {
    principal,
    clientName: kept(said.clientName) ?? "unknown",
    sessionId: kept(said.sessionId),
    projectId: kept(said.projectId),
    credential,
  };
}

/** As a client of the modern era: it comes again with `inputResponses`; nothing is said to it meanwhile. */
function restClient(caller: Caller, capabilities: JsonObject): ClientPort {
  return {
    era: "modern",
    owner: principalKey(caller.principal),
    caller,
    capabilities,
    session: undefined,
    logLevel: undefined,
    request: (method) =>
      Promise.reject(
        new RpcFault({
          code: rpcCodes.methodNotFound,
          message: `The client cannot be asked ${method}`,
        }),
      ),
    notify: () => undefined,
  };
}

/** Makes a call and answers its result, or as an event stream with progress where the client asked for one. */
export async function answerToolCall(
  reply: FastifyReply,
  { gateway, caller, call }: { gateway: Gateway; caller: CallerContext; call: GatewayCall },
): Promise<CallToolResult | FastifyReply> {
  if (!wantsEvents(reply.request.headers.accept)) return await callTool(gateway, caller, call);
  const events = createEventStream(reply);
  try {
    const onProgress: GatewayCall["onProgress"] = (progress) => events.send("progress", progress);
    events.end("result", await callTool(gateway, caller, { ...call, onProgress }));
  } catch (error) {
    // Before the first event this can still be an answer with a status of its own.
    if (!events.hasBegun()) throw error;
    events.end("error", errorAnswerOf(error).error.toBody());
  }
  return reply;
}

async function callTool(
  gateway: Gateway,
  caller: CallerContext,
  call: GatewayCall,
): Promise<CallToolResult> {
  try {
    return await gateway.callTool(caller, call);
  } catch (error) {
    // A call that was cancelled ends as the cancellation says, whatever it broke off with.
    const reason: unknown = call.signal.reason;
    throw reason instanceof AppError ? reason : asRestFault(error);
  }
}
