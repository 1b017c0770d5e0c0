import type { ServerResponse } from "node:http";
import { scopesReach } from "../core/permissions.ts";
import type { Principal } from "../core/principal.ts";
import type { EventSink } from "./event-sink.ts";
import type { SessionLog } from "./event-log.ts";
import type { MessageStream } from "./message-stream.ts";
import { createResumableSink } from "./resumable-sink.ts";
import type { ResumableSink } from "./resumable-sink.ts";

/** The event streams of one legacy session over Streamable HTTP. */
export interface SessionStreams {
  /** What belongs to no request: on one of the GET streams, the youngest that has a connection. */
  readonly common: MessageStream;
  /** Whether any stream has a connection. */
  readonly connected: boolean;
  /** The stream that the answer to a POST became; `onAbandoned`: its client did not come back for it. */
  openPost(connection: Carrier, onAbandoned: () => void): EventSink;
  /** A new GET stream; what an older one without a connection still holds goes out on it. */
  openCommon(connection: Carrier): void;
  /** Whether the stream of this event can be taken up. */
  knows(lastEventId: string): boolean;
  /**
   * Takes up the stream of this event.
   * @returns false when it is not a stream of this session, or no longer
   */
  resume(lastEventId: string, connection: Carrier): boolean;
  /** Ends the connections of whoever may hear less than this one, as whom the session goes on. */
  endBelow(principal: Principal): void;
  /** Ends the GET streams' connections. */
  letGo(): void;
  end(): void;
}

/** A connection, and who opened it. */
export interface Carrier {
  response: ServerResponse;
  principal: Principal;
}

export interface SessionStreamsOptions {
  log: SessionLog;
  primed: boolean;
  keepAliveMs: number;
  keepMs: number;
  /** Whether there is a common stream, each time that changed. */
  onCommon: (common: MessageStream | undefined) => void;
}

/** GET streams of one session. */
const mostCommon = 8;

export function createSessionStreams(options: SessionStreamsOptions): SessionStreams {
  const { log, primed, keepAliveMs, keepMs, onCommon } = options;
  const streams = new Map<string, ResumableSink>();
  /** Those of GET requests, oldest first. */
  const commons = new Set<ResumableSink>();
  /** Who opened the connection that carries it now, or did last. */
  const openers = new WeakMap<ResumableSink, Principal>();
  let opened = 0;

  const open = (
    kind: "get" | "post",
    onAbandoned: (sink: ResumableSink) => void,
  ): ResumableSink => {
    opened += 1;
    const name = `${kind}-${opened}`;
    const sink = createResumableSink({
      name,
      log: log.stream(),
      primed,
      keepAliveMs,
      keepMs,
      onAbandoned: () => {
        streams.delete(name);
        onAbandoned(sink);
      },
    });
    streams.set(name, sink);
    return sink;
  };

  const find = (eventId: string): { sink: ResumableSink; sequence: number } | undefined => {
    const [, name = "", sequence] = /^(\w+-\d+)-(\d{1,15})$/u.exec(eventId) ?? [];
    const sink = streams.get(name);
    return sink === undefined ? undefined : { sink, sequence: Number(sequence) };
  };

  const carry = (sink: ResumableSink, { response, principal }: Carrier, after: number): void => {
    openers.set(sink, principal);
    sink.attach(response, after);
  };

  const target = (): ResumableSink | undefined => {
    const youngestFirst = [...commons].toReversed();
    return youngestFirst.find((sink) => sink.isAttached()) ?? youngestFirst[0];
  };

  const common: MessageStream = {
    send: (message) => target()?.write(JSON.stringify(message)),
    keepsUp: () => target()?.keepsUp() ?? false,
    isConnected: () => target()?.isAttached() ?? false,
  };

  return {
    common,
    get connected() {
      return [...streams.values()].some((sink) => sink.isAttached());
    },
    openPost(connection, onAbandoned) {
      const sink = open("post", onAbandoned);
      carry(sink, connection, 0);
      return sink;
    },
    openCommon(connection) {
      const sink = open("get", (gone) => {
        commons.delete(gone);
        if (commons.size === 0) onCommon(undefined);
      });
      const left = [...commons].filter((other) => !other.isAttached());
      commons.add(sink);
      carry(sink, connection, 0);
      for (const text of left.flatMap((old) => old.takeUndelivered())) sink.write(text);
      const [oldest] = commons;
      if (commons.size > mostCommon) oldest?.abandon();
      onCommon(common);
    },
    knows: (lastEventId) => find(lastEventId) !== undefined,
    resume(lastEventId, connection) {
      const found = find(lastEventId);
      if (found !== undefined) carry(found.sink, connection, found.sequence);
      return found !== undefined;
    },
    endBelow(principal) {
      for (const sink of streams.values()) {
        const opener = openers.get(sink);
        if (opener !== undefined && !scopesReach(opener, principal)) sink.letGo();
      }
    },
    letGo() {
      for (const sink of commons) sink.letGo();
    },
    end() {
      for (const sink of streams.values()) sink.abandon();
    },
  };
}

/** Whether the event was one of a GET stream: of one that is forgotten, a new one takes the place. */
export function isCommonEvent(eventId: string): boolean {
  return eventId.startsWith("get-");
}
