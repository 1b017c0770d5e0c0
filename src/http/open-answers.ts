import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Standing } from "../auth/standing.ts";
import { mayTheSame } from "../core/permissions.ts";
import { principalKey } from "../core/principal.ts";
import type { Principal } from "../core/principal.ts";
import { UnderWay, UnderWayByKey } from "../core/under-way.ts";

/**
 * The answers that are not sent to their end yet, over all connections. What clients leave unread is memory
 * of the gateway's, so it is bounded for each principal and in total, and a client that reads nothing at all
 * is not waited for.
 */
export interface OpenAnswers {
  readonly connectionCount: number;
  readonly answerCount: number;
  /** Watches a server's connections. */
  guard(server: Server): void;
  /**
   * To be called for each request first.
   * @param onClosed called when it was answered, or nobody waits for that any more
   * @returns false when its connection asked too much and is closed
   */
  begin(response: ServerResponse, onClosed: () => void): boolean;
  /** Whose answer it is, once that is known. */
  belongsTo(response: ServerResponse, principal: Principal): void;
  /**
   * Calls `end` when whose answer it is has no standing any more: its credential has expired, was taken back or
   * replaced, or its organisation or membership is gone.
   * @param options.whileRoleStays also when its role, or what it may see, is another one
   */
  onCredentialEnd(
    response: ServerResponse,
    end: () => void,
    options?: { whileRoleStays: boolean },
  ): void;
  /** Who there is has changed: ends what is open for those who have no standing any more. */
  standingsChanged(): void;
  close(): void;
}

export interface AnswerLimits {
  /** Bytes that one principal may leave unread. */
  unreadOfOne: number;
  /** Bytes that all may leave unread; beyond it each has the same share. */
  unreadInTotal: number;
  /** Requests on one connection that were not answered before the next came. */
  pipelined: number;
  /** How long a client may read nothing while there is something to read, in milliseconds. */
  stalledMs: number;
  /** How often to look, in milliseconds. */
  lookMs: number;
}

/** An answer may have some 16 MiB, and most clients read it as fast as it comes. */
const defaultLimits: AnswerLimits = {
  unreadOfOne: 96 * 1024 * 1024,
  unreadInTotal: 256 * 1024 * 1024,
  pipelined: 16,
  stalledMs: 30_000,
  lookMs: 250,
};

interface Open {
  response: ServerResponse;
  owner: string;
  principal: Principal | undefined;
  whileRoleStays?: boolean;
  end?: () => void;
}

export function createOpenAnswers(
  standing: Pick<Standing, "renew">,
  limits: AnswerLimits = defaultLimits,
): OpenAnswers {
  const opens = new UnderWayByKey<ServerResponse, Open>();
  const connections = new WeakMap<Socket, UnderWay<ServerResponse>>();
  let connectionCount = 0;

  const opened = (socket: Socket): UnderWay<ServerResponse> => {
    const answers = new UnderWay<ServerResponse>();
    connections.set(socket, answers);
    // Node tells only the answer whose turn it is that nobody waits for it any more.
    socket.once("close", () => {
      for (const answer of [...answers].filter((waiting) => waiting.socket === null)) {
        answer.destroy();
        answer.emit("close");
      }
    });
    return answers;
  };

  const endWhenOver = (open: Open): void => {
    const { end, principal, whileRoleStays = false } = open;
    if (end === undefined || principal === undefined) return;
    const renewed = standing.renew(principal);
    if (renewed !== undefined && (!whileRoleStays || mayTheSame(renewed, principal))) return;
    delete open.end;
    end();
  };

  const look = (): void => {
    const shares = new Map<string, number>();
    const unread: { owner: string; bytes: number; socket: Socket }[] = [];
    for (const open of opens.values()) {
      endWhenOver(open);
      const { owner, response } = open;
      const bytes = response.writableLength;
      if (bytes === 0) continue;
      shares.set(owner, (shares.get(owner) ?? 0) + bytes);
      unread.push({ owner, bytes, socket: response.req.socket });
    }
    let total = 0;
    for (const bytes of shares.values()) total += bytes;
    const share = total > limits.unreadInTotal ? limits.unreadInTotal / shares.size : Infinity;
    const most = Math.min(limits.unreadOfOne, share);
    for (const { owner, bytes, socket } of unread.toSorted((a, b) => b.bytes - a.bytes)) {
      const left = shares.get(owner) ?? 0;
      if (left <= most) continue;
      shares.set(owner, left - bytes);
      socket.destroy();
    }
  };
  const looking = setInterval(look, limits.lookMs).unref();

  return {
    get connectionCount() {
      return connectionCount;
    },
    get answerCount() {
      return opens.size;
    },
    guard(server) {
      server.on("connection", (socket: Socket) => {
        connectionCount += 1;
        socket.once("close", () => (connectionCount -= 1));
      });
      // Node counts what the other side takes as a sign of life, within one long write too.
      server.timeout = limits.stalledMs;
      server.on("timeout", (socket: Socket) => {
        const isIdle = (connections.get(socket)?.size ?? 0) === 0;
        if (isIdle || socket.writableLength > 0) socket.destroy();
      });
    },
    begin(response, onClosed) {
      const { socket } = response.req;
      const answers = connections.get(socket) ?? opened(socket);
      if (answers.size >= limits.pipelined) {
        socket.destroy();
        return false;
      }
      answers.add(response);
      opens.add(response, { response, owner: "", principal: undefined });
      response.once("close", () => {
        answers.delete(response);
        opens.delete(response);
        onClosed();
      });
      return true;
    },
    belongsTo(response, principal) {
      const open = opens.get(response);
      if (open === undefined) return;
      open.owner = principalKey(principal);
      open.principal = principal;
    },
    onCredentialEnd(response, end, options) {
      const open = opens.get(response);
      if (open === undefined) return;
      Object.assign(open, { end, ...options });
      endWhenOver(open);
    },
    standingsChanged() {
      for (const open of opens.values()) endWhenOver(open);
    },
    close: () => clearInterval(looking),
  };
}
