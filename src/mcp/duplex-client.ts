import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { isRequest, isRequestId, readMessage, rpcCodes } from "../core/json-rpc.ts";
import type {
  RequestId,
  RpcFailure,
  RpcMessage,
  RpcNotification,
  RpcRequest,
} from "../core/json-rpc.ts";
import { Stop } from "../core/stop-signal.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { initializeFault } from "./declared-capabilities.ts";
import { createLegacySession } from "./legacy-session.ts";
import type { LegacySession } from "./legacy-session.ts";
import type { McpIdentity, UnportedCaller } from "./mcp-identity.ts";
import type { MessageStream } from "./message-stream.ts";
import { claimsModernEra } from "./modern-envelope.ts";
import { longestBatch } from "./read-post.ts";
import { ClientCancelled, failure } from "./rpc-messages.ts";
import { serveModern } from "./serve-modern.ts";

/**
 * One client at the other end of a line that carries everything both ways (a pipe, HTTP+SSE). It may speak
 * both eras: `initialize` begins the one legacy session there is, modern requests come as they like.
 */
export interface DuplexClient {
  /**
   * Takes what came, read by `readJson`. Answers come on the stream; never throws.
   * @param caller who sent it, where that can differ from who opened the line
   * @returns what is wrong with it when it is no message; it is not on the stream
   */
  receive(value: Json, caller?: UnportedCaller): RpcFailure | undefined;
  /** Resolves when no request is being worked on; a `subscriptions/listen` is none. */
  idle(): Promise<void>;
  /** Ends `subscriptions/listen`s with their results; requests go on. */
  endStreams(): void;
  /** Cancels everything; the second time nothing happens. */
  end(): void;
}

export interface DuplexOptions {
  gateway: Gateway;
  identity: McpIdentity;
  caller: UnportedCaller;
  /** Where everything for this client goes. */
  stream: MessageStream;
  newId: () => string;
}

/** One client works on this many things at once at most; the next is refused. */
const mostRequests = 1000;
/** The one revision with batches (2025-03-26, "Batching"). */
const batchRevision = "2025-03-26";

interface Working {
  readonly controller: Stop;
  readonly done: Promise<void>;
}

export function createDuplexClient(options: DuplexOptions): DuplexClient {
  const { gateway, identity, stream } = options;
  const working = new Map<RequestId, Working>();
  const listening = new Set<RequestId>();
  const ending = new AbortController();
  let session: LegacySession | undefined;
  let ended = false;

  const begin = (request: RpcRequest, signal: StopSignal): Promise<void> => {
    const { params = {} } = request;
    const fault = initializeFault(params);
    if (fault !== undefined) {
      stream.send(failure(request.id, fault));
      return Promise.resolve();
    }
    const begun = createLegacySession({
      gateway,
      identity,
      caller: options.caller,
      initializeParams: params,
      newId: options.newId,
    });
    session = begun;
    begun.setCommonStream(stream);
    const first: MessageStream = {
      keepsUp: () => stream.keepsUp(),
      send(message) {
        // One that was refused has not begun: the next `initialize` may do better.
        if ("error" in message && message.id === request.id) {
          begun.end();
          session = undefined;
        }
        stream.send(message);
      },
    };
    return begun.receive(request, first, { signal });
  };

  const serve = (
    request: RpcRequest,
    signal: StopSignal,
    caller: UnportedCaller,
  ): Promise<void> => {
    const { method, params } = request;
    if (claimsModernEra(params) || (method === "server/discover" && session === undefined)) {
      return serveModern(request, {
        gateway,
        identity,
        caller,
        stream,
        signal,
        ending: ending.signal,
      });
    }
    if (method === "initialize" && session === undefined) return begin(request, signal);
    if (method === "initialize") {
      stream.send(invalid(request.id, "The session has begun already"));
    } else if (session !== undefined) {
      return session.receive(request, stream, { signal, caller });
    } else if (method === "ping") {
      stream.send({ jsonrpc: "2.0", id: request.id, result: {} });
    } else {
      const reason = "The session has not begun: send initialize first";
      stream.send(invalid(request.id, reason));
    }
    return Promise.resolve();
  };

  const take = (request: RpcRequest, caller: UnportedCaller): RpcFailure | undefined => {
    const { id, method } = request;
    if (working.has(id)) {
      return invalid(id, "A request with this id is being worked on");
    }
    if (working.size >= mostRequests) {
      return failure(id, { code: rpcCodes.internalError, message: "Too many requests at once" });
    }
    const controller = new Stop();
    const done = serve(request, controller, caller).finally(() => {
      working.delete(id);
      listening.delete(id);
    });
    working.set(id, { controller, done });
    if (method === "subscriptions/listen") listening.add(id);
    return undefined;
  };

  const hear = (message: Exclude<RpcMessage, RpcRequest>, caller: UnportedCaller): void => {
    if ("method" in message && message.method === "notifications/cancelled") {
      cancel(message);
    } else {
      // It never rejects, and what is no request gets no answer.
      void session?.receive(message, stream, { caller });
    }
  };

  /** 2025-11-25 and 2026-07-28, "Cancellation": what is unknown or done is ignored. */
  const cancel = ({ params }: RpcNotification): void => {
    const id = params?.["requestId"];
    if (isRequestId(id)) working.get(id)?.controller.abort(new ClientCancelled());
  };

  const receiveOne = (value: Json, caller: UnportedCaller): RpcFailure | undefined => {
    const message = readMessage(value);
    if (message === undefined) {
      const id = isJsonObject(value) && isRequestId(value["id"]) ? value["id"] : null;
      return invalid(id, "This is not a JSON-RPC message");
    }
    if (isRequest(message)) return take(message, caller);
    hear(message, caller);
    return undefined;
  };

  return {
    receive(value, sender = options.caller) {
      if (ended) return undefined;
      // What the line was opened for holds for all that comes over it.
      const caller = { ...sender, selection: options.caller.selection };
      if (!Array.isArray(value)) return receiveOne(value, caller);
      if (session?.protocolVersion !== batchRevision || value.length === 0) {
        return invalid(null, "A batch is not taken here");
      }
      if (value.length > longestBatch) {
        return invalid(null, `A batch holds ${longestBatch} messages at most`);
      }
      for (const each of value) {
        const fault = receiveOne(each, caller);
        if (fault !== undefined) stream.send(fault);
      }
      return undefined;
    },
    async idle() {
      const requests = [...working].filter(([id]) => !listening.has(id));
      await Promise.all(requests.map(([, { done }]) => done));
    },
    endStreams() {
      ending.abort();
    },
    end() {
      if (ended) return;
      ended = true;
      for (const { controller } of working.values()) controller.abort(new ClientCancelled());
      session?.end();
    },
  };
}

function invalid(id: RequestId | null, message: string): RpcFailure {
  return failure(id, { code: rpcCodes.invalidRequest, message });
}
