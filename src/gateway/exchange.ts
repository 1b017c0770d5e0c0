import { canBeAsked } from "../core/client-port.ts";
import type { ClientPort } from "../core/client-port.ts";
import { AppError } from "../core/errors.ts";
import { rpcCodes, RpcFault } from "../core/json-rpc.ts";
import type { JsonObject } from "../core/json.ts";
import { legacyResult } from "../core/legacy-output.ts";
import { isInputRequired } from "../core/mcp.ts";
import { principalKey } from "../core/principal.ts";
import { quotedName } from "../core/terminal-text.ts";
import { answerInputs } from "./answer-inputs.ts";
import type { CallerContext, RoutedRequest } from "./gateway.ts";
import { inputRequestsOf, undeclared } from "./input-required.ts";
import { createParkedCalls } from "./parked-calls.ts";
import type { Attendance, Turn } from "./parked-calls.ts";
import { createRequestStates } from "./request-state.ts";
import type { StateBinding } from "./request-state.ts";
import type { Target } from "./routes.ts";

/** A request that knows where it goes. */
export interface RoutedExchange extends Omit<RoutedRequest, "params"> {
  target: Target;
  method: string;
  /** The server's own name of the tool or prompt, or URI of the resource. */
  name: string;
  /** With the server's own names; `requestState`, if there is one, is the gateway's. */
  params: JsonObject;
  /** The caller's limit in milliseconds; the server's configured timeout holds when it is shorter. */
  timeoutMs?: number | undefined;
}

/**
 * Request and answer between a client and an upstream server, whichever eras they speak. What the server asks
 * while it works reaches this client and no other:
 *
 * | client | upstream |                                                                                   |
 * | ------ | -------- | --------------------------------------------------------------------------------- |
 * | legacy | legacy   | the server's requests go to the client as they are                                |
 * | modern | modern   | `input_required` goes to the client as it is, its `requestState` sealed           |
 * | modern | legacy   | the call is parked; the client gets `input_required` and comes back with answers  |
 * | legacy | modern   | the client is asked what `input_required` says; the server is called again        |
 */
export interface Exchange {
  /**
   * The server's result, untouched but for what the table says.
   * @throws AppError, RpcFault
   */
  send(caller: CallerContext, exchange: RoutedExchange): Promise<JsonObject>;
  /** Ends what is parked. */
  close(): void;
}

/** However much progress a request reports, it ends after this: one hour. */
const longestRequestMs = 60 * 60 * 1000;
/** How long a call waits for a client to come back. */
const parkedMs = 5 * 60 * 1000;
/** How long a server of the modern era finds its own state again; persons may take their time. */
const stateLifetimeMs = 60 * 60 * 1000;
const mostParkedPerPrincipal = 32;
const mostParkedInAll = 1_000;
/** A client must send it back; what is larger is refused here rather than then. */
const longestUpstreamState = 512 * 1024;

export function createExchange(options: {
  /** Milliseconds since the epoch. */
  now: () => number;
  randomBytes: (count: number) => Uint8Array;
}): Exchange {
  const { randomBytes } = options;
  const states = createRequestStates({ ...options, lifetimeMs: stateLifetimeMs });
  const parked = createParkedCalls({
    newTurn: () => Buffer.from(randomBytes(16)).toString("base64url"),
    limitMs: parkedMs,
    mostPerPrincipal: mostParkedPerPrincipal,
    mostInAll: mostParkedInAll,
  });

  const sendModern = async (
    { client, principal }: CallerContext,
    exchange: RoutedExchange,
  ): Promise<JsonObject> => {
    const { target, method, name, signal, onProgress } = exchange;
    const { requestState, ...params } = exchange.params;
    const owner = principalKey(principal);
    const server = target.configuration.name;
    const binding: StateBinding = { principal: owner, method, server, name };
    const attendance = { client, signal, onProgress };

    const start = (sent: JsonObject): Promise<Turn> =>
      canBeAsked(client.capabilities)
        ? parked.start(owner, attendance, (attended) => request(exchange, sent, attended))
        : request(exchange, sent, attendance).then((result) => ({ kind: "done", result }));

    if (requestState === undefined) return answer(await start(params), client, binding);
    const state = states.open(requestState, binding);
    return answer(
      "turn" in state
        ? await parked.resume(state.turn, params["inputResponses"], attendance)
        : await start({ ...params, requestState: state.upstream }),
      client,
      binding,
    );
  };

  const answer = (turn: Turn, { capabilities }: ClientPort, binding: StateBinding): JsonObject => {
    if (turn.kind === "asks") {
      return {
        resultType: "input_required",
        inputRequests: turn.inputRequests,
        requestState: states.seal({ turn: turn.turn }, binding),
      };
    }
    const { result } = turn;
    if (!isInputRequired(result)) return result;
    const fault = undeclared(inputRequestsOf(result, binding.server), capabilities);
    if (fault !== undefined) throw fault;
    const { requestState } = result;
    if (requestState === undefined) return result;
    if (typeof requestState !== "string" || requestState.length > longestUpstreamState) {
      const server = quotedName(binding.server);
      throw new AppError("tool_error", `Server ${server} sent a requestState that cannot be kept`);
    }
    return { ...result, requestState: states.seal({ upstream: requestState }, binding) };
  };

  return {
    send: (caller, exchange) =>
      caller.client.era === "legacy" ? sendLegacy(caller, exchange) : sendModern(caller, exchange),
    close: () => {
      parked.close();
    },
  };
}

async function sendLegacy(
  { client }: CallerContext,
  exchange: RoutedExchange,
): Promise<JsonObject> {
  const { target, method, params, signal, onProgress } = exchange;
  try {
    const attendance = { client, signal, onProgress };
    const first = await request(exchange, params, attendance);
    const result = isInputRequired(first)
      ? await answerInputs(target.configuration.name, client, signal, first, (retry) =>
          request(exchange, { ...params, ...retry }, attendance),
        )
      : first;
    const { state } = target.upstream;
    return "era" in state && state.era === "modern" ? legacyResult(result) : result;
  } catch (error) {
    // That era has no error for it; a model can be told of a tool's.
    const isLacking = error instanceof RpcFault && error.code === rpcCodes.missingClientCapability;
    if (!isLacking) throw error;
    if (method !== "tools/call") throw new AppError("tool_error", error.message, { cause: error });
    return { content: [{ type: "text", text: error.message }], isError: true };
  }
}

function request(
  { target: { configuration, upstream }, method, timeoutMs = Infinity }: RoutedExchange,
  params: JsonObject,
  { client, signal, onProgress }: Attendance,
): Promise<JsonObject> {
  const limitMs = Math.min(configuration.timeoutMs, timeoutMs);
  return upstream.request({
    method,
    params,
    client,
    signal,
    timeoutMs: limitMs,
    maxTotalMs: Math.max(limitMs, longestRequestMs),
    onProgress,
  });
}
