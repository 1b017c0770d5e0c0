import { StringDecoder } from "node:string_decoder";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { createParser } from "eventsource-parser";
import { textOf } from "./ask-http.ts";
import { tooLarge } from "./read-messages.ts";
import type { MessageLimits } from "./read-messages.ts";
import type { HttpBody } from "./transport.ts";

/** Bytes looked at before others have their turn. */
const bytesPerTurn = 8 * 1024;

export interface EventSink {
  onEvent: (event: StreamEvent) => void;
  /** The server says after how many milliseconds to come back. */
  onRetry: (retryMs: number) => void;
  /** How long not to read on, in milliseconds. */
  restMs?: () => number;
}

export interface StreamEvent {
  id?: string | undefined;
  /** Absent means "message". */
  event?: string | undefined;
  data: string;
}

/**
 * Reads a `text/event-stream` (WHATWG HTML §9.2) to its end, in small pieces with a turn for each, so that
 * one server's flood does not hold up the others, and with the rests that the sink asks for.
 * @returns undefined when all of it was there, and short enough to be read at once
 * @throws MessageFault when an event grows beyond the limit, at once or later; what `onEvent` or the stream throws
 */
export function readEventStream(
  body: HttpBody,
  limits: MessageLimits,
  sink: EventSink,
): Promise<void> | undefined {
  let overflown = false;
  const parser = createParser({
    maxBufferSize: limits.bytes,
    onEvent: sink.onEvent,
    onRetry: sink.onRetry,
    onError: ({ type }) => {
      if (type === "max-buffer-size-exceeded") overflown = true;
    },
  });
  const feed = (text: string): Promise<void> | undefined => {
    parser.feed(text);
    if (overflown) throw tooLarge(limits);
    const restMs = sink.restMs?.() ?? 0;
    return restMs > 0 ? pause(restMs, undefined, { ref: false }) : undefined;
  };
  const { whole } = body;
  return whole !== undefined && whole.length < bytesPerTurn
    ? feed(textOf(whole))
    : readInTurns(body, feed);
}

async function readInTurns(
  body: HttpBody,
  feed: (text: string) => Promise<void> | undefined,
): Promise<void> {
  const decoder = new StringDecoder("utf8");
  let bytes = 0;
  for await (const chunk of body) {
    for (let from = 0; from < chunk.length; from += bytesPerTurn) {
      const piece = chunk.subarray(from, from + bytesPerTurn);
      await feed(decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.length)));
      bytes += piece.length;
      if (bytes < bytesPerTurn) continue;
      bytes = 0;
      await nextTurn();
    }
  }
}
