import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import type { RequestId, RpcError, RpcMessage, RpcRequest } from "../core/json-rpc.ts";
import type { RequestListener } from "./mcp-connection.ts";

/** Requests of a server under way at once, the sending of their answers included: one that asks for more gets none. */
const mostAtOnce = 100;

/** What a server asks us, each request answered at most once. */
export interface ServedRequests {
  /** @param on the request of ours on whose stream it came */
  serve(request: RpcRequest, on: RequestId | undefined, answer: RequestListener): void;
  /** The server does not want the answer any more. */
  cancel(id: unknown): void;
  /** Our request on whose stream these came is over. */
  abortOn(on: RequestId): void;
  abortAll(): void;
}

interface Served {
  on: RequestId | undefined;
  controller: AbortController;
}

/** @param send hands an answer to the server; may reject */
export function createServedRequests(
  send: (message: RpcMessage, on: RequestId | undefined) => Promise<void>,
): ServedRequests {
  const underWay = new Map<RequestId, Served>();

  const answerTo = async (
    { id, method, params }: RpcRequest,
    { on, controller }: Served,
    answer: RequestListener,
  ): Promise<void> => {
    const { signal } = controller;
    let message: RpcMessage;
    try {
      const result = await answer(method, params ?? {}, signal);
      message = { jsonrpc: "2.0", id, result };
    } catch (error) {
      message = { jsonrpc: "2.0", id, error: errorOf(error) };
    }
    if (!signal.aborted) await send(message, on);
  };

  return {
    serve(request, on, answer) {
      // The same id again while the first is being answered: one answer is enough.
      if (underWay.size >= mostAtOnce || underWay.has(request.id)) return;
      const entry = { on, controller: new AbortController() };
      underWay.set(request.id, entry);
      void answerTo(request, entry, answer)
        .catch(() => undefined)
        .finally(() => underWay.delete(request.id));
    },
    cancel(id) {
      if (typeof id !== "string" && typeof id !== "number") return;
      underWay.get(id)?.controller.abort(new Error("the server cancelled its request"));
    },
    abortOn(on) {
      if (underWay.size === 0) return;
      for (const served of underWay.values()) {
        if (served.on === on) served.controller.abort(new Error("the request is over"));
      }
    },
    abortAll() {
      for (const { controller } of underWay.values()) {
        controller.abort(new Error("the connection has ended"));
      }
    },
  };
}

function errorOf(error: unknown): RpcError {
  if (!(error instanceof RpcFault)) {
    return { code: rpcCodes.internalError, message: "Internal error" };
  }
  const { code, message, data } = error;
  return data === undefined ? { code, message } : { code, message, data };
}
