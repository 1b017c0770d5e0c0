import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { rpcCodes } from "../core/json-rpc.ts";
import { insufficientScopeChallenge } from "../core/insufficient-scope.ts";
import type { InsufficientScope } from "../core/insufficient-scope.ts";
import type { RpcMessage, RpcResponse } from "../core/json-rpc.ts";
import { canWrite, eventStreamHeaders } from "./event-sink.ts";
import type { EventSink } from "./event-sink.ts";
import { messageJson } from "./message-json.ts";
import type { MessageStream } from "./message-stream.ts";

/** The answer to one POST: JSON when nothing comes before the result, else an event stream. */
export interface PostAnswer extends MessageStream {
  /** Everything was answered that will be. */
  end(): void;
}

export interface PostAnswerOptions {
  response: ServerResponse;
  /** The POST held an array: so does its answer. */
  batch: boolean;
  /** Beside those of the content. */
  headers: OutgoingHttpHeaders;
  /** After so long without a word the stream begins, so that the silence is not taken for death; milliseconds. */
  silenceMs: number;
  /** Takes over the response, whose head is written. */
  openSink: (response: ServerResponse) => EventSink;
  /** The client has gone before there was a stream it could take up again. */
  onGone: () => void;
  /** As `McpExchange.challengeOf`. */
  challengeOf: ((refusal: InsufficientScope) => OutgoingHttpHeaders) | undefined;
}

export function createPostAnswer(options: PostAnswerOptions): PostAnswer {
  const { response, batch, headers, silenceMs, openSink, onGone } = options;
  const { challengeOf = challengeAlone } = options;
  /** The answers of a batch until its end, while it may become one JSON array. */
  const held: RpcResponse[] = [];
  let sink: EventSink | undefined;
  let ended = false;

  const begin = (): EventSink | undefined => {
    if (sink !== undefined || ended || !canWrite(response)) return sink;
    clearTimeout(silence);
    response.writeHead(200, { ...headers, ...eventStreamHeaders });
    // The head goes out before the first event, which may be long in coming.
    response.flushHeaders();
    sink = openSink(response);
    for (const message of held.splice(0)) sink.write(messageJson(message));
    return sink;
  };
  const silence = setTimeout(begin, silenceMs).unref();
  response.once("close", () => {
    clearTimeout(silence);
    if (sink === undefined && !ended) onGone();
  });

  const answerWhole = (body: RpcResponse | RpcResponse[], refusal?: InsufficientScope): void => {
    ended = true;
    clearTimeout(silence);
    if (!canWrite(response)) return;
    if (refusal === undefined) sendJson(response, statusOf(body), body, headers);
    else sendJson(response, 403, body, { ...headers, ...challengeOf(refusal) });
  };

  return {
    send(message, refusal) {
      if (ended) return;
      const isResponse = !("method" in message);
      if (isResponse && sink === undefined) {
        if (batch) held.push(message);
        else answerWhole(message, refusal);
        return;
      }
      begin()?.write(messageJson(message));
      if (isResponse && !batch) {
        ended = true;
        sink?.end();
      }
    },
    keepsUp: () => !ended && (sink?.keepsUp() ?? canWrite(response)),
    end() {
      if (ended) return;
      if (sink === undefined && held.length > 0) {
        answerWhole(held);
        return;
      }
      ended = true;
      clearTimeout(silence);
      if (sink !== undefined) sink.end();
      // Everything in it was cancelled by the client, which waits for no answer.
      else if (canWrite(response)) response.writeHead(202, headers).end();
    },
  };
}

function challengeAlone(refusal: InsufficientScope): OutgoingHttpHeaders {
  return { "www-authenticate": insufficientScopeChallenge(refusal) };
}

/** 2026-07-28, "Error codes": the one error of a server's own that has a status. */
function statusOf(body: RpcMessage | RpcMessage[]): number {
  const missing = "error" in body && body.error.code === rpcCodes.missingClientCapability;
  return missing ? 400 : 200;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: RpcMessage | RpcMessage[],
  headers: OutgoingHttpHeaders = {},
): void {
  const text = Array.isArray(body) ? `[${body.map(messageJson).join(",")}]` : messageJson(body);
  // Set before, not spread into the head's own: most answers have none, and a spread that adds fields is dear.
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) response.setHeader(name, value);
  }
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
