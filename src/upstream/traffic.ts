import { isRequest, isRequestId } from "../core/json-rpc.ts";
import type { RpcMessage } from "../core/json-rpc.ts";
import { createPace } from "../mcp-client/pace.ts";

const windowMs = 1000;
/** Notifications and requests of a server in one window; then it is not read until the next one. */
const mostOfItsOwnAccord = 2000;
/** Lines that are no messages and answers nobody waits for, in one window. */
const mostUnasked = 2000;
/** Requests of a server that came while it did not take the answer to an earlier one. */
const mostAskedUnread = 1000;
const mostUnreadReplyBytes = 1024 * 1024;

/** What goes to and fro between us and one server, counted against what a well-behaved one needs. */
export interface Traffic {
  /** To be called before a message is written; the function it returns, when that is done or failed. */
  sending(message: RpcMessage, bytes: number): () => void;
  /** The server goes on asking and does not take the answers. */
  readonly leavesRepliesUnread: boolean;
  /**
   * "unasked": an answer to nothing we asked, or no longer ask.
   * @param cost as `costOf` counts it
   */
  received(message: RpcMessage, cost: number): "expected" | "unasked";
  receivedRubbish(): void;
  /** Why the connection is to be ended, once there was too much of what nobody asked for. */
  readonly tooManyUnasked: string | undefined;
  /** How long not to read from the server, in milliseconds. */
  restMs(): number;
}

export function createTraffic(now: () => number = () => performance.now()): Traffic {
  /** Requests of ours without an answer; as text, for some servers turn a number into one. */
  const awaited = new Set<string>();
  let unreadReplies = 0;
  let askedUnread = 0;
  let unreadReplyBytes = 0;
  const pace = createPace(now);
  let windowEndMs = 0;
  let ownAccord = 0;
  let unasked = 0;
  const openWindow = (): void => {
    if (now() < windowEndMs) return;
    windowEndMs = now() + windowMs;
    ownAccord = 0;
    unasked = 0;
  };
  return {
    sending(message, bytes) {
      if ("method" in message) {
        if ("id" in message) awaited.add(String(message.id));
        // Its late answer, or none, is of no interest.
        else if (message.method === "notifications/cancelled") {
          const cancelled = message.params?.["requestId"];
          if (isRequestId(cancelled)) awaited.delete(String(cancelled));
        }
        return () => undefined;
      }
      unreadReplies++;
      unreadReplyBytes += bytes;
      return () => {
        unreadReplies--;
        askedUnread = 0;
        unreadReplyBytes -= bytes;
      };
    },
    get leavesRepliesUnread() {
      return askedUnread > mostAskedUnread || unreadReplyBytes > mostUnreadReplyBytes;
    },
    received(message, cost) {
      if ("method" in message) {
        openWindow();
        ownAccord++;
        pace.heard(cost);
        if (unreadReplies > 0 && isRequest(message)) askedUnread++;
        return "expected";
      }
      if (awaited.delete(String(message.id))) return "expected";
      openWindow();
      unasked++;
      return "unasked";
    },
    receivedRubbish() {
      openWindow();
      unasked++;
    },
    get tooManyUnasked() {
      return unasked > mostUnasked
        ? `sent more than ${mostUnasked} lines a second that nobody asked for`
        : undefined;
    },
    restMs() {
      const ofTooMany =
        ownAccord < mostOfItsOwnAccord ? 0 : Math.max(0, Math.ceil(windowEndMs - now()));
      return Math.max(ofTooMany, pace.restMs());
    },
  };
}
