import { isRequest } from "../core/json-rpc.ts";
import { askHttp, discard, mediaTypeOf, reasonOf, sendWithin } from "./ask-http.ts";
import type { HttpRequest } from "./ask-http.ts";
import { createHttpExchanges } from "./http-exchanges.ts";
import { messageLimits } from "./message-limits.ts";
import { costOfText, createPace } from "./pace.ts";
import { readEventStream } from "./read-event-stream.ts";
import { MessageFault, readMessages } from "./read-messages.ts";
import type { MessageLimits } from "./read-messages.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import type {
  Authorize,
  HttpAnswer,
  HttpBody,
  Receiver,
  SendHttp,
  Transport,
} from "./transport.ts";

export interface SseOptions {
  url: string;
  /** Of every request, sent to this origin only. */
  headers: Readonly<Record<string, string>>;
  /** Of every request that is not on somebody else's behalf. */
  authorize?: Authorize | undefined;
  sendHttp: SendHttp;
  messageLimits?: MessageLimits | undefined;
  /** How long taking leave may take, in milliseconds. */
  goodbyeMs?: number | undefined;
}

/** How long the answer to a POST may stay open, which says nothing, in milliseconds. */
const lingerMs = 1000;

/**
 * MCP over HTTP+SSE (2024-11-05): one event stream brings all that the server says, and names the address
 * that our messages are posted to. The session is the stream: when it ends, so does the connection.
 */
export function createSseTransport(options: SseOptions): Transport {
  const url = new URL(options.url);
  const limits = options.messageLimits ?? messageLimits;
  const { sendHttp } = options;
  const exchanges = createHttpExchanges();
  const pace = createPace();
  let endpoint: URL | undefined;
  let protocolVersion: string | undefined;
  let closing: Promise<void> | undefined;

  const headers = async (
    more: Readonly<Record<string, string>>,
    authorize = options.authorize,
  ): Promise<Record<string, string>> => {
    const lower = Object.entries(options.headers).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]);
    const version =
      protocolVersion === undefined ? {} : { "mcp-protocol-version": protocolVersion };
    const own = authorize && { authorization: await authorize() };
    return { ...Object.fromEntries(lower), ...version, ...own, ...more };
  };

  return {
    kind: "http",
    get hasSession() {
      return endpoint !== undefined;
    },
    async start(receiver) {
      const exchange = exchanges.open(undefined, false);
      const { signal } = exchange;
      const open = async (): Promise<HttpAnswer> => {
        const accept = await headers({ accept: "text/event-stream" });
        const request: HttpRequest = { method: "GET", url, headers: accept, signal };
        return askHttp(sendHttp, request, exchange.abort);
      };
      const answer = await open().catch((error: unknown) => {
        exchange.close();
        throw error;
      });
      if (mediaTypeOf(answer) !== "text/event-stream") {
        exchange.abort();
        exchange.close();
        throw new Error("it answered with something that is not an event stream");
      }
      await new Promise<void>((resolve, reject) => {
        void follow(answer.body, signal, receiver, resolve, reject).finally(() => exchange.close());
      });
    },
    async send(message, { signal, authorize } = {}) {
      if (endpoint === undefined || closing !== undefined)
        throw new Error("the connection was closed");
      const exchange = exchanges.open(signal, "method" in message && !("id" in message));
      try {
        const { abort } = exchange;
        const request: HttpRequest = {
          method: "POST",
          url: endpoint,
          headers: await headers({ "content-type": "application/json", accept: "*/*" }, authorize),
          body: JSON.stringify(message),
          signal: exchange.signal,
        };
        const sending = askHttp(sendHttp, request, abort);
        const answer = await (isRequest(message) ? sending : sendWithin(abort, sending));
        const limit = setTimeout(() => exchange.abort(), lingerMs);
        void discard(answer.body).finally(() => {
          clearTimeout(limit);
          exchange.close();
        });
      } catch (error) {
        exchange.close();
        throw error;
      }
    },
    settled(version) {
      protocolVersion = version;
    },
    close() {
      closing ??= takeLeave();
      return closing;
    },
  };

  /** Hands on what comes; calls `ready` when the server has named its address, `failed` when it never does. */
  async function follow(
    body: HttpBody,
    signal: StopSignal,
    receiver: Receiver,
    ready: () => void,
    failed: (error: Error) => void,
  ): Promise<void> {
    let reason = "it ended the event stream";
    try {
      await readEventStream(body, limits, {
        onEvent({ event, data }) {
          if (event === "endpoint") {
            endpoint ??= addressOf(data, url);
            ready();
          } else if (data !== "" && (event === undefined || event === "message")) {
            let ownAccord = false;
            for (const message of readMessages(data, limits)) {
              ownAccord ||= "method" in message;
              receiver.onMessage(message, undefined);
            }
            if (ownAccord) pace.heard(costOfText(data));
          }
        },
        onRetry: () => undefined,
        restMs: () => pace.restMs(),
      });
    } catch (error) {
      reason = reasonOf(error);
      if (error instanceof MessageFault) receiver.onFault(undefined, reason);
    }
    failed(new Error(reason));
    if (endpoint !== undefined && !signal.aborted) receiver.onLost(reason);
  }

  async function takeLeave(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, options.goodbyeMs ?? 1000);
    });
    // What was said last (a cancellation) is heard before the stream ends.
    await Promise.race([exchanges.partingIdle(), late]);
    clearTimeout(timer);
    exchanges.abortAll();
  }
}

/** @throws MessageFault when it is on another origin, where our credentials do not go */
function addressOf(data: string, url: URL): URL {
  const address = URL.canParse(data, url.href) ? new URL(data, url) : undefined;
  if (address?.origin === url.origin) return address;
  throw new MessageFault("it names an address on another origin for our messages");
}
