import type { Server } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";

/** Far more than a connection within one machine takes, in milliseconds. */
const longestMs = 1_000;

/**
 * Whether who dials a literal address of this machine gets this very server, and not nobody, nor another program that
 * has taken the address for itself. A connection is opened for it, and closed at once.
 */
export function reachesItself(server: Server, address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    /** Either end may hear of the connection first. */
    const arrived = new Set<number | undefined>();
    let ownPort: number | undefined;
    const socket = connect({ host: address, port });
    const end = (reaches: boolean): void => {
      clearTimeout(timer);
      server.removeListener("connection", onConnection);
      socket.destroy();
      resolve(reaches);
    };
    const onConnection = ({ remotePort }: Socket): void => {
      arrived.add(remotePort);
      if (ownPort !== undefined && remotePort === ownPort) end(true);
    };
    const timer = setTimeout(() => end(false), longestMs);
    server.on("connection", onConnection);
    socket.on("error", () => end(false));
    socket.once("connect", () => {
      ownPort = socket.localPort;
      if (arrived.has(ownPort)) end(true);
    });
  });
}
