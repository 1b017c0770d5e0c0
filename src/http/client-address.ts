import type { IncomingMessage } from "node:http";
import { BlockList, isIP, SocketAddress } from "node:net";

/**
 * Whose address a request comes from: the peer's, and where that is a trusted proxy, what it says in
 * `X-Forwarded-For` or in `Forwarded` (RFC 7239). The lists are read from the right, past trusted proxies only:
 * what stands before the first other address, anybody may have written. What cannot be read ends it where it is.
 * Where both headers are there and do not name the same client, the proxy writes one of them only, and the client may
 * have written the other: neither is believed.
 * @param trustedProxies addresses and networks (CIDR)
 * @returns an IP address in its canonical text, an IPv4 one never mapped into IPv6; `unknown` when the peer is gone
 */
export function clientAddress(
  { socket, headersDistinct }: Pick<IncomingMessage, "socket" | "headersDistinct">,
  trustedProxies: readonly string[],
): string {
  const peer = canonicalAddress(socket.remoteAddress ?? "");
  if (peer === undefined) return "unknown";
  if (trustedProxies.length === 0) return peer;
  const trusted = createNetworks(trustedProxies);
  const { "x-forwarded-for": forwardedFor, forwarded } = headersDistinct;
  const told = [forwardedFor?.join(",").split(","), forwarded && forOf(forwarded.join(","))];
  const clientOf = (hops: string[]): string => {
    let address = peer;
    while (trusted(address)) {
      const next = canonicalAddress(withoutPort(hops.pop() ?? ""));
      if (next === undefined) break;
      address = next;
    }
    return address;
  };
  const [address = peer, ...others] = told.filter((hops) => hops !== undefined).map(clientOf);
  return others.every((other) => other === address) ? address : peer;
}

/** Whether a request says for whom it was forwarded, and comes from a peer that nobody believes in this. */
export function isForwardedByStranger(
  { socket, headersDistinct }: Pick<IncomingMessage, "socket" | "headersDistinct">,
  trustedProxies: readonly string[],
): boolean {
  const { "x-forwarded-for": forwardedFor, forwarded } = headersDistinct;
  if (forwardedFor === undefined && forwarded === undefined) return false;
  const peer = canonicalAddress(socket.remoteAddress ?? "");
  return peer !== undefined && !createNetworks(trustedProxies)(peer);
}

/** Whether an address in its canonical text is among these addresses and networks. */
function createNetworks(entries: readonly string[]): (address: string) => boolean {
  const networks = new BlockList();
  for (const entry of entries) {
    const [text = "", length] = entry.split("/", 2);
    const address = canonicalAddress(text);
    if (address === undefined) continue;
    const mapped = familyOf(text) === "ipv6" && familyOf(address) === "ipv4" ? 96 : 0;
    if (length === undefined) networks.addAddress(address, familyOf(address));
    else networks.addSubnet(address, Math.max(0, Number(length) - mapped), familyOf(address));
  }
  return (address) => networks.check(address, familyOf(address));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

function canonicalAddress(text: string): string | undefined {
  // A zone (RFC 4007 §11) means something on the machine itself only.
  const [address = ""] = text.split("%", 1);
  if (isIP(address) === 0) return undefined;
  const canonical = new SocketAddress({ address, family: familyOf(address) }).address;
  return canonical.replace(/^::ffff:(?=\d+\.)/u, "");
}

/** An address as proxies write it: IPv6 also in brackets, either with a port. */
function withoutPort(text: string): string {
  const address = text.trim();
  const [, ipv6, ipv4] = /^\[([\da-f:.]+)\](?::\d+)?$|^([\d.]+):\d+$/iu.exec(address) ?? [];
  return ipv6 ?? ipv4 ?? address;
}

/** `for` of each element (RFC 7239 §4), empty where it has none; nothing of a list that is not well-formed. */
function forOf(list: string): string[] {
  const found: string[] = [];
  const element = /((?:[^",\\]|"(?:[^"\\]|\\.)*")*)(?:,|$)/uy;
  while (element.lastIndex < list.length) {
    const [, pairs] = element.exec(list) ?? [];
    if (pairs === undefined) return [];
    const [, quoted, token] =
      /(?:^|;)\s*for=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*(?:;|$)/iu.exec(pairs) ?? [];
    found.push(quoted ?? token ?? "");
  }
  return found;
}
