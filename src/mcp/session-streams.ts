import type { ServerResponse } from "node:http";
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
  openPost(response: ServerResponse, onAbandoned: () => void): EventSink;
  /** A new GET stream; what an older one without a connection still holds goes out on it. */
  openCommon(response: ServerResponse): void;
  /** Whether the stream of this event can be taken up. */
  knows(lastEventId: string): boolean;
  /**
   * Takes up the stream of this event.
   * @returns false when it is not a stream of this session, or no longer
   */
  resume(lastEventId: string, response: ServerResponse): boolean;
  /** Ends the GET streams' connections. */
  letGo(): void;
  end(): void;
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

  const target = (): ResumableSink | undefined => {
    const youngestFirst = [...commons].toReversed();
    return youngestFirst.find(({ attached }) => attached) ?? youngestFirst[0];
  };

  const common: MessageStream = {
    send: (message) => target()?.write(JSON.stringify(message)),
    keepsUp: () => target()?.keepsUp() ?? false,
    isConnected: () => target()?.attached ?? false,
  };

  return {
    common,
    get connected() {
      return [...streams.values()].some(({ attached }) => attached);
    },
    openPost(response, onAbandoned) {
      const sink = open("post", onAbandoned);
      sink.attach(response, 0);
      return sink;
    },
    openCommon(response) {
      const sink = open("get", (gone) => {
        commons.delete(gone);
        if (commons.size === 0) onCommon(undefined);
      });
      const left = [...commons].filter(({ attached }) => !attached);
      commons.add(sink);
      sink.attach(response, 0);
      for (const text of left.flatMap((old) => old.takeUndelivered())) sink.write(text);
      const [oldest] = commons;
      if (commons.size > mostCommon) oldest?.abandon();
      onCommon(common);
    },
    knows: (lastEventId) => find(lastEventId) !== undefined,
    resume(lastEventId, response) {
      const found = find(lastEventId);
      found?.sink.attach(response, found.sequence);
      return found !== undefined;
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
