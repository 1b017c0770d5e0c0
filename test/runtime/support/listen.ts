import { once } from "node:events";
import type { Server, Socket } from "node:net";

export interface Listening {
  url: string;
  port: number;
  /** Every byte any client sent so far. */
  received: () => string;
  close: () => Promise<void>;
}

/** Puts a server on a loopback port (a free one unless `at` names it) and writes down what it hears, below HTTP. */
export async function listen(server: Server, host = "127.0.0.1", at = 0): Promise<Listening> {
  const sockets = new Set<Socket>();
  const heard: Buffer[] = [];
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("data", (chunk) => heard.push(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(at, host);
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    received: () => Buffer.concat(heard).toString("latin1"),
    close: async () => {
      for (const socket of sockets) {
        socket.destroy();
      }
      server.close();
      await once(server, "close");
    },
  };
}
