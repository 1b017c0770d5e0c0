/**
 * One legacy-era MCP session (2025-11-25, "Session Management"): what later requests of the same client do
 * not say again. Requests themselves are served without state.
 */
export interface McpSession {
  readonly id: string;
  /** As the client called itself in `initialize`. */
  readonly clientName: string | undefined;
  /** Calls in flight by their JSON-RPC id, so that `notifications/cancelled` finds them. */
  readonly calls: Map<string | number, AbortController>;
}

/** Sessions of all clients. A session is found by its own user only. */
export interface McpSessions {
  open(userId: string, clientName: string | undefined): McpSession;
  /** Undefined when it does not exist, has ended, or is somebody else's. */
  find(id: string, userId: string): McpSession | undefined;
  end(id: string, userId: string): boolean;
}

/** A session costs a few hundred bytes; the one unused for longest goes when there are more than this. */
const mostSessions = 10_000;

export function createMcpSessions(newId: () => string): McpSessions {
  /** In the order of last use, oldest first. */
  const sessions = new Map<string, McpSession & { userId: string }>();

  const own = (id: string, userId: string): (McpSession & { userId: string }) | undefined => {
    const session = sessions.get(id);
    return session?.userId === userId ? session : undefined;
  };

  return {
    open(userId, clientName) {
      const session = { id: newId(), userId, clientName, calls: new Map() };
      sessions.set(session.id, session);
      if (sessions.size > mostSessions) {
        const [oldest] = sessions.keys();
        if (oldest !== undefined) sessions.delete(oldest);
      }
      return session;
    },
    find(id, userId) {
      const session = own(id, userId);
      if (session !== undefined) {
        sessions.delete(id);
        sessions.set(id, session);
      }
      return session;
    },
    end(id, userId) {
      const session = own(id, userId);
      if (session === undefined) return false;
      sessions.delete(id);
      for (const call of session.calls.values()) call.abort();
      return true;
    },
  };
}
