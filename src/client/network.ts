import type { SecureContext } from "node:tls";
import type { ProxyVariables } from "../core/proxy-variables.ts";
import { chooseProxy } from "./choose-proxy.ts";
import type { Proxy } from "./choose-proxy.ts";

/** How this process gets to servers. */
export interface Network {
  proxies: ProxyVariables;
  /** Which authorities are trusted, made at the first use; undefined: those that Node chooses. */
  authorities?: (() => SecureContext) | undefined;
}

/** What `node:tls` is told about a server's certificate. Empty: Node decides by itself. */
export interface Trust {
  secureContext?: SecureContext;
  rejectUnauthorized?: false;
}

let network: Network = { proxies: {} };
const unchecked = new Set<string>();

/**
 * Says, once and for the whole process, how servers are reached: on whichever way a question goes out, it must not be
 * able to go past this.
 */
export function setNetwork(chosen: Network): void {
  network = chosen;
  unchecked.clear();
}

/**
 * Takes whatever certificate is shown at the host and port of this address, and nowhere else (`--insecure`). Where a
 * certificate of one's own is expected (`setExpectedCertificates`), it stays the only one.
 * @returns whether that is new
 */
export function leaveUnchecked(address: string): boolean {
  const place = placeOf(new URL(address));
  if (unchecked.has(place)) return false;
  unchecked.add(place);
  return true;
}

export function proxyFor(target: URL): Proxy | undefined {
  return chooseProxy(target, network.proxies);
}

/** How the server at an address is judged. */
export function trustIn(target: URL): Trust {
  return {
    ...authorities(),
    ...(unchecked.has(placeOf(target)) && { rejectUnauthorized: false }),
  };
}

/** How a proxy is judged: always. */
export function authorities(): Pick<Trust, "secureContext"> {
  const secureContext = network.authorities?.();
  return secureContext === undefined ? {} : { secureContext };
}

/** Host and port; the names of the loopback interface are one, as they are for profiles. */
function placeOf({ hostname, port }: URL): string {
  const host = hostname.replace(/\.$/u, "");
  const isOne = host === "localhost" || host === "[::1]";
  return `${isOne ? "127.0.0.1" : host}:${port || "443"}`;
}
