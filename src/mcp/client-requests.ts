import { missingCapability } from "../core/asked-capability.ts";
import { canBeAsked } from "../core/client-port.ts";
import { AppError, asError } from "../core/errors.ts";
import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import type { RequestId, RpcError, RpcRequest, RpcResponse } from "../core/json-rpc.ts";
import type { JsonObject } from "../core/json.ts";
import { forwardedParams } from "../core/mcp.ts";
import type { MessageStream } from "./message-stream.ts";
import type { StopSignal } from "../core/stop-signal.ts";

/** What one client of the legacy era is asked, and its answers. */
export interface ClientRequests {
  /**
   * Asks on the given stream; without one, on the next that opens within the bound.
   * @throws RpcFault the client's error; -32601 when it declared no capability for this or no stream leads
   *   to it; the signal's reason
   */
  ask(
    method: string,
    params: JsonObject,
    signal: StopSignal,
    stream: MessageStream | undefined,
  ): Promise<JsonObject>;
  /** Takes the client's answer; one to nothing that was asked here is dropped. */
  settle(response: RpcResponse): void;
  /** A stream to the client is there: what waits for one goes out on it. */
  opened(stream: MessageStream): void;
  end(): void;
}

export interface ClientRequestLimits {
  /** Questions that are open at a time. */
  mostOpen: number;
  /** How long one waits for a stream, in milliseconds. */
  streamMs: number;
  /** How long one waits for its answer, in milliseconds: a person may have to give it. */
  answerMs: number;
}

const defaultLimits: ClientRequestLimits = {
  mostOpen: 64,
  streamMs: 30_000,
  answerMs: 10 * 60_000,
};

interface OpenRequest {
  message: RpcRequest;
  /** Where it was asked; undefined while it waits for a stream. */
  stream: MessageStream | undefined;
  timer: NodeJS.Timeout;
  settle(response: RpcResponse): void;
  fail(error: Error): void;
}

export function createClientRequests(
  capabilities: JsonObject,
  limits: ClientRequestLimits = defaultLimits,
): ClientRequests {
  const open = new Map<RequestId, OpenRequest>();
  let lastId = 0;
  let ended = false;

  const put = (request: OpenRequest, stream: MessageStream): void => {
    clearTimeout(request.timer);
    request.stream = stream;
    request.timer = setTimeout(() => {
      request.fail(new RpcFault(lateAnswer));
      cancel(request, "It took too long");
    }, limits.answerMs).unref();
    stream.send(request.message);
  };

  return {
    ask(method, params, signal, stream) {
      const refusal = refusalOf(capabilities, method, params) ?? (ended ? noWay : undefined);
      if (refusal !== undefined) return Promise.reject(new RpcFault(refusal));
      if (open.size >= limits.mostOpen) return Promise.reject(new RpcFault(tooMany));
      if (signal.aborted) return Promise.reject(asError(signal.reason));
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        const aborted = (): void => {
          request.fail(asError(signal.reason));
          cancel(request, "The request it belongs to has ended");
        };
        const leave = (): void => {
          clearTimeout(request.timer);
          signal.removeEventListener("abort", aborted);
          open.delete(id);
        };
        const request: OpenRequest = {
          // A progress token of the server's would mean something else on this side.
          message: { jsonrpc: "2.0", id, method, params: forwardedParams(params) },
          stream: undefined,
          timer: setTimeout(() => request.fail(new RpcFault(noWay)), limits.streamMs).unref(),
          settle(response) {
            leave();
            if ("result" in response) resolve(response.result);
            else reject(new RpcFault(response.error));
          },
          fail(error) {
            leave();
            reject(error);
          },
        };
        open.set(id, request);
        signal.addEventListener("abort", aborted, { once: true });
        if (stream !== undefined) put(request, stream);
      });
    },
    settle(response) {
      if (response.id !== null) open.get(response.id)?.settle(response);
    },
    opened(stream) {
      for (const request of open.values()) {
        if (request.stream === undefined) put(request, stream);
      }
    },
    end() {
      ended = true;
      for (const request of open.values()) {
        request.fail(new AppError("unreachable", "The client's session has ended"));
      }
    },
  };
}

/** Tells the client that nobody waits for its answer any more. */
function cancel({ stream, message }: OpenRequest, reason: string): void {
  const params = { requestId: message.id, reason };
  stream?.send({ jsonrpc: "2.0", method: "notifications/cancelled", params });
}

const noWay: RpcError = {
  code: rpcCodes.methodNotFound,
  message: "No stream leads to the client, on which it could be asked",
};
const tooMany: RpcError = {
  code: rpcCodes.internalError,
  message: "The client is being asked too much at once",
};
const lateAnswer: RpcError = {
  code: rpcCodes.internalError,
  message: "The client did not answer in time",
};

/** Why a client that declared these capabilities is not asked this (2025-11-25, "Capability Negotiation"). */
function refusalOf(
  capabilities: JsonObject,
  method: string,
  params: JsonObject,
): RpcError | undefined {
  const askable = canBeAsked(capabilities) && !method.startsWith("tasks/");
  if (askable && missingCapability(method, params, capabilities) === undefined) return undefined;
  const message = `The client did not declare what ${method.slice(0, 100)} needs`;
  return { code: rpcCodes.methodNotFound, message };
}
