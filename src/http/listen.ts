import type { Server } from "node:http";
import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";

export interface Listening {
  servers: readonly Server[];
  port: number;
  /** `http://127.0.0.1:3050`, first the one to show. */
  urls: string[];
}

const bothLoopbacks = ["127.0.0.1", "::1"];
const loopbackNames = new Set(["localhost", "127.0.0.1", "::1", "[::1]"]);
/** How often a free port is looked for that is free on both loopback addresses. */
const mostAttempts = 32;

/**
 * Listens. On a loopback host the port is taken on 127.0.0.1 and ::1 alike, where the machine has both:
 * whoever dials `localhost` gets one of them, and a stranger must not sit on the other.
 * @param port 0 for one that is free
 * @param scheme what the servers speak
 * @throws AppError `config_invalid` when the port is in use on either, or may not be taken
 */
export async function listen(
  host: string,
  port: number,
  createServer: () => Server,
  scheme: "http" | "https" = "http",
): Promise<Listening> {
  const addresses = loopbackNames.has(host.toLowerCase())
    ? bothLoopbacks
    : [host.replaceAll(/^\[|\]$/gu, "")];
  for (let attempt = 1; ; attempt++) {
    const taken: { address: string; server: Server }[] = [];
    try {
      for (const address of addresses) {
        const server = createServer();
        const wanted = taken[0] === undefined ? port : portOf(taken[0].server);
        if (await listenOn(server, address, wanted, addresses.length > 1)) {
          taken.push({ address, server });
        }
      }
    } catch (error) {
      await Promise.all(taken.map(({ server }) => closed(server)));
      if (port === 0 && attempt < mostAttempts && systemErrorCode(error) === "EADDRINUSE") continue;
      throw refusal(error, host, port);
    }
    const [first] = taken;
    if (first === undefined) throw refusal(undefined, host, port);
    const actual = portOf(first.server);
    return {
      servers: taken.map(({ server }) => server),
      port: actual,
      urls: taken.map(({ address }) =>
        address.includes(":")
          ? `${scheme}://[${address}]:${actual}`
          : `${scheme}://${address}:${actual}`,
      ),
    };
  }
}

/** False when the machine does not have the address and it is not the only one wanted. */
function listenOn(server: Server, host: string, port: number, oneOfTwo: boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const code = systemErrorCode(error);
      if (oneOfTwo && (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT")) resolve(false);
      else reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.removeAllListeners("error");
      resolve(true);
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function refusal(error: unknown, host: string, port: number): AppError {
  switch (systemErrorCode(error) ?? "") {
    case "EADDRINUSE":
      return new AppError("config_invalid", `Port ${port} is in use`, {
        hint: "Choose another one with --port, or see what runs with: agent serve --status",
        cause: error,
      });
    case "EACCES":
      return new AppError("config_invalid", `Port ${port} may not be taken by this user`, {
        hint: "Choose one above 1023 with --port",
        cause: error,
      });
    default:
      return new AppError("config_invalid", `Cannot listen on ${host}`, {
        hint: "Check host in the configuration, or --host",
        cause: error,
      });
  }
}
