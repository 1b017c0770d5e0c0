import { Agent } from "node:https";
import type { AgentOptions } from "node:https";
import type { Duplex } from "node:stream";
import { connect } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";

/**
 * Which certificates a server must show, by SHA-256 (DER) in lower-case hex; undefined: it is judged as Node judges
 * all others. Asked for each new connection, and once more when another certificate is shown: it may have been
 * renewed in between.
 */
export type ExpectedCertificates = (at: {
  hostname: string;
  port: number;
}) => Promise<readonly string[] | undefined>;

/** What a connection that is shown another certificate fails with, before anything is sent on it. */
export const otherCertificate = "ERR_OTHER_CERTIFICATE";

/** What a request may say beside Node's own options. */
export interface PinnedRequestOptions {
  /** Ends the connecting; Node hears of a request's end only once there is a socket. */
  abandoned?: AbortSignal | undefined;
}

type Connected = (error: Error | null, socket?: Duplex) => void;
type ConnectOptions = ConnectionOptions & PinnedRequestOptions;

/** How long a server that must show a certificate may take for that, in milliseconds. */
const handshakeMs = 10_000;

/** An agent for https whose connections are taken only where the server shows the certificate that is expected there. */
export function createPinnedAgent(options: AgentOptions, expected: ExpectedCertificates): Agent {
  const agent = new Agent(options);
  const byNode = agent.createConnection.bind(agent);
  const open = async (to: ConnectOptions): Promise<Duplex | null | undefined> => {
    const place = { hostname: to.host ?? "", port: to.port ?? 443 };
    const certificates = await expected(place);
    if (certificates === undefined) return byNode(to);
    const socket = await handshake(to);
    const shown = fingerprintShown(socket);
    if (certificates.includes(shown)) return socket;
    if ((await expected(place))?.includes(shown) === true) return socket;
    socket.destroy();
    const error: NodeJS.ErrnoException = new Error("The server shows another certificate");
    error.code = otherCertificate;
    throw error;
  };
  return Object.assign(agent, {
    createConnection(to: ConnectOptions, connected: Connected): undefined {
      open(to).then(
        (socket) => connected(null, socket ?? undefined),
        (error: unknown) => connected(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
}

/** Without a judgement: no name and no authority has a say where one certificate alone will do. */
function handshake(to: ConnectOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const { abandoned } = to;
    const socket = connect({ ...to, rejectUnauthorized: false });
    const abandon = (): void => void socket.destroy(new Error("The request was given up"));
    const timer = setTimeout(() => {
      const error: NodeJS.ErrnoException = new Error("The TLS handshake takes too long");
      error.code = "ETIMEDOUT";
      socket.destroy(error);
    }, handshakeMs);
    const settled = (): void => {
      clearTimeout(timer);
      abandoned?.removeEventListener("abort", abandon);
      socket.off("error", failed);
      socket.off("close", closed);
    };
    const failed = (error: Error): void => {
      settled();
      // What else goes wrong with it is nobody's concern.
      socket.on("error", () => undefined);
      reject(error);
    };
    const closed = (): void => {
      const error: NodeJS.ErrnoException = new Error("The connection ended in the TLS handshake");
      error.code = "ECONNRESET";
      failed(error);
    };
    socket.once("error", failed);
    socket.once("close", closed);
    socket.once("secureConnect", () => {
      settled();
      resolve(socket);
    });
    abandoned?.addEventListener("abort", abandon, { once: true });
    if (abandoned?.aborted === true) abandon();
  });
}

function fingerprintShown(socket: TLSSocket): string {
  const certificate = socket.getPeerX509Certificate();
  return certificate?.fingerprint256.replaceAll(":", "").toLowerCase() ?? "";
}
