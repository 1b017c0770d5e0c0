import { constants } from "node:crypto";
import type { RequestListener, ServerOptions } from "node:http";
import { createServer } from "node:https";
import type { Server } from "node:https";
import type { Socket } from "node:net";
import type { TlsMaterial } from "../core/tls-material.ts";

/** How long a client may take to agree on a key, in milliseconds. */
const handshakeMs = 20_000;

export interface TlsServer {
  readonly server: Server;
  /** New connections are shown this one; those that stand go on as they are. */
  use(material: TlsMaterial): void;
  /** Ends connections that have not come as far as a request could. */
  closeUnfinished(): void;
}

/**
 * An HTTPS server: TLS 1.2 or 1.3, HTTP/1.1 and nothing else (ALPN, RFC 7301).
 * @param onPlainHttp told of a connection on which somebody speaks HTTP without TLS, to answer and end it
 */
export function createTlsServer(
  material: TlsMaterial,
  options: ServerOptions,
  listener: RequestListener,
  onPlainHttp: (socket: Socket) => void,
): TlsServer {
  const server = createServer(
    {
      ...options,
      ...secureContextOf(material),
      ALPNProtocols: ["http/1.1"],
      handshakeTimeout: handshakeMs,
    },
    listener,
  );
  /** The bare connections of handshakes under way, by the other side's address. */
  const unfinished = new Map<string, Socket>();
  server.prependListener("connection", (socket: Socket) => {
    const key = peerOf(socket);
    unfinished.set(key, socket);
    socket.once("close", () => {
      if (unfinished.get(key) === socket) unfinished.delete(key);
    });
  });
  server.on("secureConnection", (socket) => unfinished.delete(peerOf(socket)));
  // Node makes a `clientError` of it, which whoever uses this server ends the connection by.
  server.prependListener("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    const bare = unfinished.get(peerOf(socket));
    if (error.code === "ERR_SSL_HTTP_REQUEST" && bare !== undefined) onPlainHttp(bare);
  });
  return {
    server,
    use: (next) => server.setSecureContext(secureContextOf(next)),
    closeUnfinished() {
      for (const socket of unfinished.values()) socket.destroy();
    },
  };
}

function secureContextOf({ cert, key }: TlsMaterial): {
  cert: string;
  key: string;
  minVersion: "TLSv1.2";
  secureOptions: number;
} {
  return {
    cert,
    key,
    minVersion: "TLSv1.2",
    // TLS 1.2 lets a client have the costly part done again and again on one connection.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

function peerOf({ remoteAddress = "", remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
