import type { Caller } from "../core/client-port.ts";
import type { ServerConfiguration } from "../core/configuration.ts";
import { createSseTransport } from "../mcp-client/sse-transport.ts";
import { createStreamableHttpTransport } from "../mcp-client/streamable-http-transport.ts";
import type { Authorize, SendHttp, Transport } from "../mcp-client/transport.ts";
import type { LineTail } from "./line-tail.ts";
import { StdioTransport } from "./stdio-transport.ts";
import type { UpstreamTimings } from "./timings.ts";
import type { UndiciHttp } from "./undici-http.ts";

/** The way messages travel on one connection to an upstream server. */
export interface Link {
  readonly transport: Transport;
  /** Whether its process ended after it could be started; HTTP shows its troubles at each request. */
  readonly diedByItself: boolean;
  /** Why it ended by itself, once it has. */
  readonly lossReason: string | undefined;
  /** For a request on somebody's behalf; undefined where the server is not told on whose. */
  authorizeFor?(whose: () => Caller | undefined): Authorize;
}

/**
 * A token of the gateway's own (a JWT) that says to a server on whose behalf a request is made.
 * @param caller undefined: on the gateway's
 */
export type Identify = (serverUrl: string, caller: Caller | undefined) => Promise<string>;

/** Makes the links of all connections to one server: each a process of its own, or HTTP over shared sockets. */
export interface Links {
  /** @param whose on whose behalf all is done on it that belongs to no request; absent: on the gateway's */
  open(tail: LineTail, whose?: () => Caller | undefined): Link;
  /** To be called when the links are closed. */
  close(): Promise<void>;
}

/** @param sendHttp in place of sockets of its own */
export function createLinks(
  configuration: ServerConfiguration,
  timings: UpstreamTimings,
  sendHttp: SendHttp | undefined,
  identify: Identify | undefined,
): Links {
  if (configuration.type === "stdio") {
    return {
      open(tail) {
        const transport = new StdioTransport(configuration, tail, timings);
        return {
          transport,
          get diedByItself() {
            return transport.started && transport.lossReason !== undefined;
          },
          get lossReason() {
            return transport.lossReason;
          },
        };
      },
      close: () => Promise.resolve(),
    };
  }
  const http: UndiciHttp =
    sendHttp === undefined ? createLazyHttp() : { send: sendHttp, close: () => Promise.resolve() };
  const { type, url, headers, forwardIdentity } = configuration;
  const authorizeBy =
    identify && forwardIdentity
      ? (whose: () => Caller | undefined): Authorize =>
          async () =>
            `Bearer ${await identify(url, whose())}`
      : undefined;
  const create = type === "http" ? createStreamableHttpTransport : createSseTransport;
  return {
    open: (_tail, whose = () => undefined) => ({
      transport: create({ url, headers, authorize: authorizeBy?.(whose), sendHttp: http.send }),
      diedByItself: false,
      lossReason: undefined,
      ...(authorizeBy && { authorizeFor: authorizeBy }),
    }),
    close: () => http.close(),
  };
}

/** Loaded with the first request: undici takes longer to load than everything else here. */
function createLazyHttp(): UndiciHttp {
  let loading: Promise<UndiciHttp> | undefined;
  let loaded: UndiciHttp | undefined;
  const load = async (): Promise<UndiciHttp> => {
    const { createUndiciHttp } = await import("./undici-http.ts");
    loaded = createUndiciHttp();
    return loaded;
  };
  return {
    send(request) {
      if (loaded !== undefined) return loaded.send(request);
      loading ??= load();
      return loading.then((http) => http.send(request));
    },
    close: async () => (await loading)?.close(),
  };
}
