import { isRequest } from "../core/json-rpc.ts";
import type { RequestId, RpcMessage } from "../core/json-rpc.ts";
import { askHttp, discard, mediaTypeOf, readText, reasonOf, sendWithin } from "./ask-http.ts";
import type { HttpRequest } from "./ask-http.ts";
import { createHttpExchanges } from "./http-exchanges.ts";
import type { HttpExchange } from "./http-exchanges.ts";
import { messageLimits } from "./message-limits.ts";
import { costOfText, createPace } from "./pace.ts";
import { readEventStream } from "./read-event-stream.ts";
import type { EventSink, StreamEvent } from "./read-event-stream.ts";
import { MessageFault, readMessages } from "./read-messages.ts";
import type { MessageLimits } from "./read-messages.ts";
import { createReopening, reopenTimings } from "./reopening.ts";
import type { ReopenTimings, Reopening } from "./reopening.ts";
import { createRequestHeaders, isModern } from "./request-headers.ts";
import { isSameId } from "./same-id.ts";
import { abortSignalOf } from "../core/stop-signal.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import { HttpStatusError } from "./transport.ts";
import type {
  Authorize,
  HttpAnswer,
  HttpBody,
  Receiver,
  SendHttp,
  Transport,
} from "./transport.ts";

export interface StreamableHttpOptions {
  url: string;
  /** Of every request, sent to this origin only. */
  headers: Readonly<Record<string, string>>;
  /** Of every request that is not on somebody else's behalf. */
  authorize?: Authorize | undefined;
  sendHttp: SendHttp;
  messageLimits?: MessageLimits | undefined;
  reconnect?: ReopenTimings | undefined;
  /** How long taking leave may take, in milliseconds. */
  goodbyeMs?: number | undefined;
}

/** On whose behalf a request's stream is resumed. */
interface Resumption {
  authorize?: Authorize | undefined;
}

/** How long a stream may stay open after it has brought its answer, in milliseconds. */
const lingerMs = 1000;
const notMcp = "it answered with something that is not MCP";
const noAnswer = "it ended the stream without an answer";
/** An event's or session's id that can be sent back in a header. */
const sendableId = /^[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?$/u;
/**
 * MCP over Streamable HTTP (2025-03-26 to 2026-07-28): one POST for each message, answered with JSON or an
 * event stream; streams that break off are resumed where the server gave their events ids.
 */
export function createStreamableHttpTransport(options: StreamableHttpOptions): Transport {
  const url = new URL(options.url);
  const limits = options.messageLimits ?? messageLimits;
  const timings = options.reconnect ?? reopenTimings;
  const headers = createRequestHeaders(options.headers, options.authorize);
  const { sendHttp } = options;
  const exchanges = createHttpExchanges();
  const pace = createPace();
  const restMs = (): number => pace.restMs();
  let receiver: Receiver | undefined;
  let sessionId: string | undefined;
  let protocolVersion: string | undefined;
  let closing: Promise<void> | undefined;

  return {
    kind: "http",
    get hasSession() {
      return sessionId !== undefined;
    },
    start(to) {
      receiver = to;
      return Promise.resolve();
    },
    async send(message, own = {}) {
      if (closing !== undefined) throw new Error("the connection was closed");
      const exchange = exchanges.open(own.signal, isNotification(message));
      let answer: HttpAnswer;
      try {
        const { abort, signal } = exchange;
        const given = headers.ofMessage(message, own);
        const request: HttpRequest = {
          method: "POST",
          url,
          headers: given instanceof Promise ? await given : given,
          body: JSON.stringify(message),
          signal,
        };
        const sending = askHttp(sendHttp, request, abort);
        answer = await (isRequest(message) ? sending : sendWithin(abort, sending));
      } catch (error) {
        exchange.close();
        throw error;
      }
      if ("method" in message && message.method === "initialize") {
        const given = answer.headers["mcp-session-id"];
        sessionId = given !== undefined && sendableId.test(given) ? given : undefined;
        headers.settle({ sessionId, protocolVersion });
      }
      if (isRequest(message)) {
        void follow(answer, message.id, exchange, isModern(message) ? undefined : own);
        return;
      }
      // Nothing is expected of it; one that does not end holds up nobody.
      const limit = setTimeout(() => exchange.abort(), lingerMs);
      void discard(answer.body).finally(() => {
        clearTimeout(limit);
        exchange.close();
      });
    },
    settled(version) {
      protocolVersion = version;
      headers.settle({ sessionId, protocolVersion });
    },
    listen() {
      void keepCommonStream();
    },
    close() {
      closing ??= takeLeave();
      return closing;
    },
  };

  /** Hands on what comes for a request, to the end of its stream. */
  async function follow(
    answer: HttpAnswer,
    id: RequestId,
    exchange: HttpExchange,
    resumable: Resumption | undefined,
  ): Promise<void> {
    try {
      const type = mediaTypeOf(answer);
      if (type === "text/event-stream") {
        const following = followStream(answer.body, id, exchange, resumable);
        if (following !== undefined) await following;
      } else if (type === "application/json") {
        const answered = deliver(await readText(answer.body, limits.bytes, limits), id);
        if (!answered) receiver?.onFault(id, "it answered with something that is not a result");
      } else {
        receiver?.onFault(id, notMcp);
        await discard(answer.body);
      }
    } catch (error) {
      if (exchange.signal.aborted) return;
      if (error instanceof MessageFault) receiver?.onFault(id, error.message);
      else receiver?.onStreamEnd(id, reasonOf(error));
    } finally {
      exchange.close();
    }
  }

  /** @returns undefined when it came to its end at once and brought the answer, as nearly all do */
  function followStream(
    first: HttpBody,
    id: RequestId,
    exchange: HttpExchange,
    resumable: Resumption | undefined,
  ): Promise<void> | undefined {
    let reopening: Reopening | undefined;
    let lastEventId: string | undefined;
    let body: HttpBody | undefined = first;
    let isAnswered = false;
    let linger: NodeJS.Timeout | undefined;
    const sink: EventSink = {
      onEvent(event) {
        reopening?.heard();
        if (event.id !== undefined) lastEventId = sendableId.test(event.id) ? event.id : undefined;
        if (!deliverEvent(event, id) || isAnswered) return;
        isAnswered = true;
        if (body?.whole === undefined) linger = setTimeout(() => exchange.abort(), lingerMs);
      },
      onRetry(retryMs) {
        reopening ??= createReopening(timings);
        reopening.named(retryMs);
      },
      restMs,
    };
    const reading = readEventStream(first, limits, sink);
    if (reading === undefined && isAnswered) return undefined;

    const isOver = (): boolean => isAnswered || exchange.signal.aborted;
    const goOn = async (): Promise<void> => {
      try {
        let reason = await endOf(reading);
        while (!isOver()) {
          reopening ??= createReopening(timings);
          body =
            resumable !== undefined && lastEventId !== undefined
              ? await resume({ ...resumable, lastEventId }, reopening, exchange.signal)
              : undefined;
          if (body === undefined) {
            if (!exchange.signal.aborted) receiver?.onStreamEnd(id, reason);
            return;
          }
          reason = await endOf(readEventStream(body, limits, sink));
        }
      } finally {
        clearTimeout(linger);
      }
    };
    return goOn();
  }

  /** The rest of a request's stream; undefined when the server does not have it any more. */
  async function resume(
    from: Resumption & { lastEventId: string },
    reopening: Reopening,
    signal: StopSignal,
  ): Promise<HttpBody | undefined> {
    while (!reopening.exhausted) {
      await reopening.pause(signal);
      if (signal.aborted) return undefined;
      try {
        return await openStream(from, signal);
      } catch (error) {
        if (error instanceof HttpStatusError && error.status < 500) return undefined;
        reopening.failed();
      }
    }
    return undefined;
  }

  /** @throws HttpStatusError, or an Error of the network; undefined when what came is no event stream */
  async function openStream(
    { lastEventId, authorize }: Resumption & { lastEventId?: string | undefined },
    signal: StopSignal,
  ): Promise<HttpBody | undefined> {
    const asking = await headers.ofConnection(authorize);
    asking["accept"] = "text/event-stream";
    if (lastEventId !== undefined) asking["last-event-id"] = lastEventId;
    // Of its own: who waits for the stream goes on after a refusal that does not end.
    const attempt = new AbortController();
    const both = AbortSignal.any([abortSignalOf(signal), attempt.signal]);
    const request: HttpRequest = { method: "GET", url, headers: asking, signal: both };
    const answer = await askHttp(sendHttp, request, () => attempt.abort());
    if (mediaTypeOf(answer) === "text/event-stream") return answer.body;
    await discard(answer.body);
    return undefined;
  }

  /** What the server says outside of any request, for as long as it offers a stream for that (405: it does not). */
  async function keepCommonStream(): Promise<void> {
    const exchange = exchanges.open(undefined, false);
    const { signal } = exchange;
    const reopening = createReopening(timings);
    let lastEventId: string | undefined;
    let offered = false;
    while (!signal.aborted) {
      try {
        const body = await openStream({ lastEventId }, signal);
        if (body === undefined) break;
        offered = true;
        await readEventStream(body, limits, {
          onEvent(event) {
            reopening.heard();
            if (event.id !== undefined && sendableId.test(event.id)) lastEventId = event.id;
            deliverEvent(event, undefined);
          },
          onRetry: (retryMs) => reopening.named(retryMs),
          restMs,
        });
      } catch (error) {
        if (signal.aborted) break;
        if (error instanceof HttpStatusError && error.status < 500) {
          // It had a stream for us and now knows us no more; or it never had one.
          const forgotten =
            sessionId !== undefined && (error.status === 404 || error.status === 400);
          const reason = forgotten ? "it forgot our session" : reasonOf(error);
          if (offered && error.status !== 405) receiver?.onLost(reason);
          break;
        }
        if (error instanceof MessageFault) receiver?.onFault(undefined, error.message);
        else reopening.failed();
        if (reopening.exhausted) {
          receiver?.onLost(reasonOf(error));
          break;
        }
      }
      await reopening.pause(signal);
    }
    exchange.close();
  }

  /** @returns whether the request's answer was among it; what is no message is left out */
  function deliverEvent({ event, data }: StreamEvent, on: RequestId | undefined): boolean {
    if (data === "" || (event !== undefined && event !== "message")) return false;
    return deliver(data, on);
  }

  function deliver(text: string, on: RequestId | undefined): boolean {
    let answered = false;
    let ownAccord = false;
    for (const message of readMessages(text, limits)) {
      ownAccord ||= "method" in message;
      answered ||= !("method" in message) && on !== undefined && isSameId(message.id, on);
      receiver?.onMessage(message, on);
    }
    if (ownAccord) pace.heard(costOfText(text));
    return answered;
  }

  async function takeLeave(): Promise<void> {
    exchanges.abortAnswered();
    const limit = AbortSignal.timeout(options.goodbyeMs ?? 1000);
    const late = new Promise<void>((resolve) => {
      limit.addEventListener("abort", () => resolve(), { once: true });
    });
    const goodbye = async (): Promise<void> => {
      // What was said last (a cancellation) is heard before the session ends.
      await exchanges.partingIdle();
      if (sessionId === undefined) return;
      const leaving = await headers.ofConnection(undefined);
      const answer = await sendHttp({ method: "DELETE", url, headers: leaving, signal: limit });
      await discard(answer.body);
    };
    await Promise.race([goodbye().catch(() => undefined), late]);
    sessionId = undefined;
    headers.settle({ sessionId, protocolVersion });
    exchanges.abortAll();
  }
}

/**
 * Why a stream that was to bring an answer ended, should it have brought none.
 * @throws MessageFault
 */
async function endOf(reading: Promise<void> | undefined): Promise<string> {
  try {
    await reading;
    return noAnswer;
  } catch (error) {
    if (error instanceof MessageFault) throw error;
    return reasonOf(error);
  }
}

function isNotification(message: RpcMessage): boolean {
  return "method" in message && !("id" in message);
}
