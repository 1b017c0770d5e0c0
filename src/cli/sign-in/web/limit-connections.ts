import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";

/**
 * Keeps who only connects from keeping others out: where there are too many connections, the oldest that has not sent a
 * whole request makes room. Each may send one request: what comes behind it ends the connection.
 * @returns whether a request may be answered; to be asked for each, once
 */
export function limitConnections(server: Server, most: number): (of: IncomingMessage) => boolean {
  /** In the order that they came in. */
  const silent = new Set<Socket>();
  const asking = new Set<Socket>();
  server.on("connection", (socket) => {
    socket.once("close", () => {
      silent.delete(socket);
      asking.delete(socket);
    });
    if (silent.size + asking.size >= most) {
      const [oldest = socket] = silent;
      silent.delete(oldest);
      oldest.destroy();
    }
    if (!socket.destroyed) silent.add(socket);
  });
  return ({ socket }) => {
    silent.delete(socket);
    if (socket.destroyed || asking.has(socket)) {
      socket.destroy();
      return false;
    }
    asking.add(socket);
    return true;
  };
}
