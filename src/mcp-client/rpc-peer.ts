import type { JsonObject } from "../core/json.ts";
import { isRequest, RpcFault } from "../core/json-rpc.ts";
import type { RequestId, RpcMessage, RpcNotification, RpcRequest } from "../core/json-rpc.ts";
import { forwardedParams, metaKeys, metaOf } from "../core/mcp.ts";
import { oneLine } from "../core/terminal-text.ts";
import { UnderWayByKey } from "../core/under-way.ts";
import { rpcFaultOf } from "./http-rpc-fault.ts";
import { AnswerFault } from "./mcp-connection.ts";
import type { NotificationListener, RequestListener } from "./mcp-connection.ts";
import { isSameId } from "./same-id.ts";
import { createServedRequests } from "./served-requests.ts";
import { Stop } from "../core/stop-signal.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import { HttpStatusError } from "./transport.ts";
import type { Authorize, Receiver, Transport } from "./transport.ts";

export interface PeerRequestOptions {
  signal: StopSignal;
  onProgress?: ((params: JsonObject) => void) | undefined;
  onNotification?: NotificationListener | undefined;
  onRequest?: RequestListener | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** Also of what is said because of this request: that it is cancelled, and answers to what is asked meanwhile. */
  authorize?: Authorize | undefined;
  /** How the server learns of a cancellation: it is told, its stream is closed, or not at all. */
  cancelBy: "notification" | "stream";
  /** A `subscriptions/listen`, which the server may end by a notification (pipes). */
  subscription?: boolean | undefined;
}

export interface RpcPeerOptions {
  transport: Transport;
  onNotification: NotificationListener;
  onRequest: RequestListener;
}

/** The JSON-RPC side of a connection: which message belongs to what. */
export interface RpcPeer {
  readonly receiver: Receiver;
  /** Resolves when the transport, or who uses this, says that the server is gone. */
  readonly lost: Promise<string>;
  /** @throws RpcFault, AnswerFault, HttpStatusError, an Error of the network, the abort's reason */
  request(method: string, params: JsonObject, options: PeerRequestOptions): Promise<JsonObject>;
  notify(method: string, params: JsonObject): Promise<void>;
  /** Fails what is under way, and whatever is asked from now on. */
  end(reason: string): void;
}

interface Pending {
  resolve(result: JsonObject): void;
  reject(error: unknown): void;
  options: PeerRequestOptions;
}

export function createRpcPeer(options: RpcPeerOptions): RpcPeer {
  const { transport } = options;
  const pending = new UnderWayByKey<number, Pending>();
  let lastId = 0;
  let ended: string | undefined;
  let lose: ((reason: string) => void) | undefined;
  const lost = new Promise<string>((resolve) => {
    lose = resolve;
  });
  const served = createServedRequests((message, on) => reply(message, on));

  const pendingOf = (id: unknown): Pending | undefined => {
    if (typeof id === "number") return pending.get(id);
    return typeof id === "string" && /^[1-9]\d{0,15}$/.test(id)
      ? pending.get(Number(id))
      : undefined;
  };

  const reply = async (message: RpcMessage, on: RequestId | undefined): Promise<void> => {
    // Nobody waits for an answer in a conversation that is over.
    const asked = on === undefined ? undefined : pendingOf(on);
    if (ended !== undefined || (on !== undefined && asked === undefined)) return;
    await transport.send(message, { authorize: asked?.options.authorize });
  };

  const onServerRequest = (request: RpcRequest, on: RequestId | undefined): void => {
    const asked = on === undefined ? undefined : pendingOf(on);
    // The request on whose stream it came is over.
    if (on !== undefined && asked === undefined) return;
    const listener = asked?.options.onRequest ?? options.onRequest;
    served.serve(request, on, (method, params, signal) => {
      if (method === "ping") return Promise.resolve({});
      // Nobody reports progress to the server: its token stays here.
      return listener(method, forwardedParams(params), signal);
    });
  };

  const onNotification = (message: RpcNotification, on: RequestId | undefined): void => {
    const { method, params = {} } = message;
    if (method === "notifications/progress") {
      const { progressToken, ...progress } = params;
      // Another request's progress does not belong on this one's stream.
      if (on !== undefined && !isSameId(progressToken, on)) return;
      pendingOf(progressToken)?.options.onProgress?.(progress);
      return;
    }
    const subscription = on ?? metaOf(params)[metaKeys.subscriptionId];
    if (method === "notifications/cancelled") {
      const cancelled = params["requestId"];
      served.cancel(cancelled);
      const ours = pendingOf(cancelled);
      if (ours?.options.subscription === true) {
        ours.reject(new AnswerFault("the server ended the subscription"));
      }
      return;
    }
    const listener = subscription === undefined ? undefined : pendingOf(subscription)?.options;
    if (on !== undefined && listener === undefined) return;
    (listener?.onNotification ?? options.onNotification)(method, params);
  };

  const receiver: Receiver = {
    onMessage(message, on) {
      if (ended !== undefined) return;
      if ("method" in message) {
        if (isRequest(message)) onServerRequest(message, on);
        else onNotification(message, on);
        return;
      }
      // An error without an id, on a request's own stream, is about that request.
      const id = message.id ?? on;
      if (on !== undefined && !isSameId(id, on)) return;
      const asked = pendingOf(id);
      if ("result" in message) asked?.resolve(message.result);
      else asked?.reject(new RpcFault(message.error));
    },
    onStreamEnd(request, reason) {
      pendingOf(request)?.reject(new AnswerFault(reason));
    },
    onFault(request, reason) {
      pendingOf(request)?.reject(new AnswerFault(reason, "unusable"));
    },
    onLost(reason) {
      if (ended !== undefined) return;
      end(reason);
      lose?.(reason);
    },
  };

  function end(reason: string): void {
    ended ??= reason;
    served.abortAll();
    for (const asked of pending.values()) asked.reject(new AnswerFault(reason));
  }

  return {
    receiver,
    lost,
    request(method, params, requestOptions) {
      const { signal, cancelBy, headers, authorize } = requestOptions;
      if (signal.aborted) return Promise.reject(signal.reason);
      if (ended !== undefined) return Promise.reject(new AnswerFault(ended));
      lastId += 1;
      const id = lastId;
      const sent =
        requestOptions.onProgress === undefined
          ? params
          : { ...params, _meta: { ...metaOf(params), progressToken: id } };
      const message: RpcRequest = { jsonrpc: "2.0", id, method, params: sent };
      return new Promise((resolve, reject) => {
        const stream = new Stop();
        const onAbort = (): void => {
          if (settle()) reject(signal.reason);
          if (cancelBy === "notification") {
            const reason = cancellationReason(signal.reason);
            void transport
              .send(
                {
                  jsonrpc: "2.0",
                  method: "notifications/cancelled",
                  params: { requestId: id, reason },
                },
                { authorize },
              )
              .catch(() => undefined);
          }
          stream.abort(signal.reason);
        };
        /** @returns whether it was under way until now */
        const settle = (): boolean => {
          if (!pending.delete(id)) return false;
          signal.removeEventListener("abort", onAbort);
          served.abortOn(id);
          return true;
        };
        pending.add(id, {
          options: requestOptions,
          resolve: (result) => {
            if (settle()) resolve(result);
          },
          reject: (error) => {
            if (settle()) reject(error);
            // Of its stream nothing more is wanted.
            if (!(error instanceof RpcFault)) stream.abort();
          },
        });
        signal.addEventListener("abort", onAbort);
        transport.send(message, { signal: stream, headers, authorize }).catch((error: unknown) => {
          const fault =
            error instanceof HttpStatusError
              ? (rpcFaultOf(error, id, transport.hasSession) ?? error)
              : error;
          if (settle()) reject(fault);
        });
      });
    },
    async notify(method, params) {
      if (ended !== undefined) throw new AnswerFault(ended);
      await transport.send({ jsonrpc: "2.0", method, params });
    },
    end,
  };
}

/** What the server is told of why: our own words, never a stack. */
function cancellationReason(reason: unknown): string {
  if (reason instanceof Error) return oneLine(reason.message, 200);
  return typeof reason === "string" ? oneLine(reason, 200) : "cancelled";
}
