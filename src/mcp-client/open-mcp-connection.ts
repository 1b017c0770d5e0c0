import type { JsonObject } from "../core/json.ts";
import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import { metaKeys, metaOf } from "../core/mcp.ts";
import { reasonOf } from "./ask-http.ts";
import { createSubscription } from "./subscription.ts";
import { OpenFault } from "./mcp-connection.ts";
import type { McpConnection, OpenOptions, RequestOptions } from "./mcp-connection.ts";
import { reopenTimings } from "./reopening.ts";
import type { ReopenTimings } from "./reopening.ts";
import { createRpcPeer } from "./rpc-peer.ts";
import type { RpcPeer } from "./rpc-peer.ts";
import { discover, envelope, initialize } from "./settle-era.ts";
import type { Settlement } from "./settle-era.ts";

/** Two streams of HTTP run on two sockets, of which one may be read later than the other. */
const subscriptionOverlapMs = 1000;

/**
 * Opens a connection over a transport that was not started yet, in the era the server speaks: it is asked
 * for the modern one first (`server/discover`), then `initialize` is sent. The transport is closed when
 * that fails.
 * @param reconnect how `listen` is renewed
 * @throws OpenFault whose cause is what happened: RpcFault, AnswerFault, HttpStatusError, an Error of the
 *   network, the reason of the abort
 */
export async function openMcpConnection(
  options: OpenOptions,
  reconnect: ReopenTimings = reopenTimings,
): Promise<McpConnection> {
  const { transport, signal } = options;
  const peer = createRpcPeer({
    transport,
    onNotification: options.onNotification,
    onRequest: (method, params, asked) => {
      // A modern server asks within its results only.
      if (modernEra || options.onRequest === undefined) throw unknownMethod();
      return options.onRequest(method, params, asked);
    },
  });
  let inProbe = false;
  let modernEra = false;
  try {
    await unlessAborted(signal, transport.start(peer.receiver));
    inProbe = options.mode === "auto";
    const modern = inProbe ? await discover(peer, options) : undefined;
    inProbe = false;
    modernEra = modern !== undefined;
    const settled = modern ?? (await unlessAborted(signal, initialize(peer, options)));
    return connectionOn({ peer, settled, options, reconnect });
  } catch (error) {
    peer.end("the connection could not be opened");
    await transport.close();
    throw new OpenFault(reasonOf(error), { inProbe, cause: error });
  }
}

/** What comes first: the end of the work, or of the waiting for it. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  // Whichever comes second has nobody to tell.
  work.catch(() => undefined);
  signal.throwIfAborted();
  const over = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { signal: over.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    over.abort();
  }
}

interface Parts {
  peer: RpcPeer;
  settled: Settlement;
  options: OpenOptions;
  reconnect: ReopenTimings;
}

function connectionOn({ peer, settled, options, reconnect }: Parts): McpConnection {
  const { transport, clientInfo } = options;
  const { era, protocolVersion } = settled;
  const modern = era === "modern";
  const common = modern ? envelope(protocolVersion, clientInfo, options.capabilities) : {};
  const cancelBy = modern && transport.kind === "http" ? "stream" : "notification";

  const paramsOf = (params: JsonObject, request: RequestOptions): JsonObject => {
    if (!modern) return params;
    const own = request.capabilities ?? options.capabilities;
    const level = request.logLevel;
    const meta = {
      ...metaOf(params),
      ...common,
      [metaKeys.clientCapabilities]: own,
      ...(level !== undefined && { [metaKeys.logLevel]: level }),
    };
    return { ...params, _meta: meta };
  };
  const ask = (method: string, params: JsonObject, request: RequestOptions): Promise<JsonObject> =>
    peer.request(method, paramsOf(params, request), {
      signal: request.signal,
      onProgress: request.onProgress,
      onNotification: request.onNotification,
      onRequest: modern ? undefined : request.onRequest,
      headers: request.headers,
      authorize: request.authorize,
      cancelBy,
      subscription: method === "subscriptions/listen",
    });

  const subscription = createSubscription({
    listen: (params, onNotification, signal) =>
      ask("subscriptions/listen", params, { signal, onNotification }),
    onNotification: options.onNotification,
    onLost: (reason) => peer.receiver.onLost(reason),
    timings: reconnect,
    overlapMs: transport.kind === "pipe" ? 0 : subscriptionOverlapMs,
  });
  void peer.lost.then(() => subscription.end());

  return {
    ...settled,
    lost: peer.lost,
    get hasSession() {
      return transport.hasSession;
    },
    request: ask,
    notify: (method, params) =>
      peer.notify(method, modern ? { ...params, _meta: { ...metaOf(params), ...common } } : params),
    listen: (filter) => (modern ? subscription.replace(filter) : Promise.resolve()),
    async close() {
      subscription.end();
      peer.end("the connection was closed");
      await transport.close();
    },
  };
}

function unknownMethod(): RpcFault {
  return new RpcFault({ code: rpcCodes.methodNotFound, message: "Method not found" });
}
