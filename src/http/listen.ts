import type { Server } from "node:http";
import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { isLoopbackHost } from "../core/url.ts";
import { reachesItself } from "./reaches-itself.ts";

export interface Listening {
  servers: readonly Server[];
  port: number;
  /** Where the host is listened on, first the one to show: `http://127.0.0.1:3050`. */
  urls: string[];
  /** Literal loopback addresses, for the programs of this machine, first the one to use; none where there are none. */
  localUrls: string[];
}

interface Taken {
  /** As it was asked for. */
  address: string;
  server: Server;
}

const bothLoopbacks = ["127.0.0.1", "::1"];
const loopbackNames = new Set(["localhost", "127.0.0.1", "::1", "[::1]"]);
/** What stands for all addresses of a machine. */
const wildcards = new Set(["0.0.0.0", "::"]);
/** How often a free port is looked for that is free on all addresses. */
const mostAttempts = 32;

/**
 * Listens. On a loopback host the port is taken on 127.0.0.1 and ::1 alike, where the machine has both:
 * whoever dials `localhost` gets one of them, and a stranger must not sit on the other. Beside one particular address
 * it is taken on both as well: the programs of this machine find the gateway nowhere else.
 * @param port 0 for one that is free
 * @param scheme what the servers speak
 * @throws AppError `config_invalid` when the port is in use on any of them, or may not be taken
 */
export async function listen(
  host: string,
  port: number,
  createServer: () => Server,
  scheme: "http" | "https" = "http",
): Promise<Listening> {
  for (let attempt = 1; ; attempt++) {
    const taken: Taken[] = [];
    try {
      await takeAll(host, port, createServer, taken);
    } catch (error) {
      await Promise.all(taken.map(({ server }) => closed(server)));
      if (port === 0 && attempt < mostAttempts && systemErrorCode(error) === "EADDRINUSE") continue;
      throw refusal(error, host, port);
    }
    const [first] = taken;
    if (first === undefined) throw refusal(undefined, host, port);
    const actual = portOf(first.server);
    const urlOf = (address: string): string =>
      `${scheme}://${address.includes(":") ? `[${address}]` : address}:${actual}`;
    const isHost = ({ address }: Taken): boolean => isBoth(host) || address === first.address;
    return {
      servers: taken.map(({ server }) => server),
      port: actual,
      urls: taken.filter(isHost).map(({ address }) => urlOf(address)),
      localUrls: (await localAddresses(taken, first)).map(urlOf),
    };
  }
}

function isBoth(host: string): boolean {
  return loopbackNames.has(host.toLowerCase());
}

/** @param taken grows with each that is taken, so that they can be given back when one is not */
async function takeAll(
  host: string,
  port: number,
  createServer: () => Server,
  taken: Taken[],
): Promise<void> {
  const take = async (address: string, isOptional: boolean): Promise<void> => {
    const server = createServer();
    const wanted = taken[0] === undefined ? port : portOf(taken[0].server);
    if (await listenOn(server, address, wanted, isOptional)) taken.push({ address, server });
  };
  if (!isBoth(host)) {
    await take(host.replaceAll(/^\[|\]$/gu, ""), false);
    // By what a name has become, which may be one of these.
    const bound = taken[0] === undefined ? "" : addressOf(taken[0].server);
    if (wildcards.has(bound) || isLoopbackHost(bound)) return;
  }
  for (const address of bothLoopbacks) await take(address, true);
}

/** @param first the one for the host itself */
async function localAddresses(taken: readonly Taken[], first: Taken): Promise<string[]> {
  const bound = addressOf(first.server);
  if (wildcards.has(bound)) {
    for (const address of bothLoopbacks) {
      if (await reachesItself(first.server, address, portOf(first.server))) return [address];
    }
    return [];
  }
  return taken.map(({ server }) => addressOf(server)).filter(isLoopbackHost);
}

/** False when the machine does not have the address and can do without. */
function listenOn(
  server: Server,
  host: string,
  port: number,
  isOptional: boolean,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const code = systemErrorCode(error);
      if (isOptional && (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT")) resolve(false);
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

/** IPv4 as such, also where it is written as IPv6 (RFC 4291 §2.5.5.2). */
function addressOf(server: Server): string {
  const address = server.address();
  const text = typeof address === "object" && address !== null ? address.address : "";
  return text.replace(/^::ffff:(?=\d+\.)/u, "");
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
