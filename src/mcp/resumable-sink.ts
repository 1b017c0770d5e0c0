import type { ServerResponse } from "node:http";
import { canWrite, eventFrame, keepAlive, keepsUp, writeTo } from "./event-sink.ts";
import type { EventSink } from "./event-sink.ts";
import type { StreamLog } from "./event-log.ts";

/**
 * A stream whose events have ids, so that a client whose connection was cut can take it up again with
 * `Last-Event-ID` (2025-11-25, "Resumability and Redelivery").
 */
export interface ResumableSink extends EventSink {
  /** Whether a connection carries it now. */
  isAttached(): boolean;
  /**
   * Goes on on this connection, whose head is written, with what came after the event with this number; the
   * connection that carried it before ends.
   */
  attach(response: ServerResponse, after: number): void;
  /** What no connection carried, out of the log; the stream is given up with it. */
  takeUndelivered(): string[];
  /** Ends the connection, not the stream: the client may come back. */
  letGo(): void;
  /** Gives it up at once, as when nobody came back in time. */
  abandon(): void;
}

export interface ResumableSinkOptions {
  /** Unlike that of every other stream of the session. */
  name: string;
  log: StreamLog;
  /** Whether it begins with an event that is nothing but an id, which clients before 2025-11-25 take for a message. */
  primed: boolean;
  keepAliveMs: number;
  /** How long it is kept without a connection, in milliseconds. */
  keepMs: number;
  /** Nobody came back in time, or it had ended. */
  onAbandoned: () => void;
}

/** What a client is told to wait before it comes back, in milliseconds. */
const retryMs = 1_000;

export function createResumableSink(options: ResumableSinkOptions): ResumableSink {
  const { name, log, primed, keepAliveMs, keepMs, onAbandoned } = options;
  let connection: ServerResponse | undefined;
  let sequence = 0;
  /** The last event that a connection carried. */
  let delivered = 0;
  let ended = false;
  let abandoned = false;
  let abandonment: NodeJS.Timeout | undefined;

  const abandon = (): void => {
    if (abandoned) return;
    abandoned = true;
    clearTimeout(abandonment);
    log.clear();
    onAbandoned();
    if (connection !== undefined && canWrite(connection)) connection.end();
  };

  const put = (response: ServerResponse, number: number, text: string): void => {
    writeTo(response, eventFrame(text, `${name}-${number}`));
    delivered = number;
  };

  return {
    isAttached: () => connection !== undefined,
    write(text) {
      if (ended || abandoned) return;
      sequence += 1;
      log.append({ sequence, text });
      if (connection !== undefined && canWrite(connection)) put(connection, sequence, text);
    },
    keepsUp: () => !abandoned && !ended && (connection === undefined || keepsUp(connection)),
    end() {
      ended = true;
      if (connection !== undefined && canWrite(connection)) connection.end();
    },
    attach(response, after) {
      clearTimeout(abandonment);
      const before = connection;
      connection = response;
      if (before !== undefined && canWrite(before)) before.end();
      response.once("close", () => {
        if (connection !== response) return;
        connection = undefined;
        if (!abandoned) abandonment = setTimeout(abandon, keepMs).unref();
      });
      keepAlive(response, keepAliveMs);
      if (primed) writeTo(response, `id: ${name}-${after}\nretry: ${retryMs}\ndata: \n\n`);
      for (const event of log.after(after)) put(response, event.sequence, event.text);
      if (ended) response.end();
    },
    takeUndelivered() {
      const texts = log.after(delivered).map(({ text }) => text);
      abandon();
      return texts;
    },
    letGo() {
      if (connection !== undefined && canWrite(connection)) connection.end();
    },
    abandon,
  };
}
