import { BlockList, isIP } from "node:net";

const defaultPorts: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/**
 * Whether `NO_PROXY` names a target, by the rules of curl: entries divided by commas or spaces, each `*` for
 * everything, a host (which stands for the names below it too, with or without a dot or `*.` before it), an address,
 * or a network (`10.0.0.0/8`, `fd00::/8`). With a port (`host:8443`, `[::1]:8443`) it is for that port alone. What is
 * none of these matches nothing.
 */
export function isDirect(target: URL, list: string): boolean {
  const host = bare(target.hostname);
  const port = target.port || defaultPorts[target.protocol];
  return list
    .toLowerCase()
    .split(/[\s,]+/u)
    .some((entry) => entry !== "" && matches(entry, host, port));
}

function matches(entry: string, host: string, port: string | undefined): boolean {
  if (entry === "*") return true;
  const { name, port: onlyPort } = divide(entry);
  if (onlyPort !== undefined && onlyPort !== port) return false;
  const [network = "", length, more] = name.split("/");
  if (length !== undefined) return more === undefined && isWithin(host, network, length);
  if (isIP(host) !== 0) return isWithin(host, name, isIP(name) === 6 ? "128" : "32");
  const suffix = name.replace(/^\*?\./u, "").replace(/\.$/u, "");
  return suffix !== "" && (host === suffix || host.endsWith(`.${suffix}`));
}

/** An address of IPv6 is no host with a port, unless it is in brackets. */
function divide(entry: string): { name: string; port: string | undefined } {
  const found = /^(\[[^\]]*\](?:\/\d+)?|[^:]*)(?::(\d+))?$/u.exec(entry);
  return found ? { name: bare(found[1] ?? ""), port: found[2] } : { name: entry, port: undefined };
}

/** A host without brackets and without the root's dot. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]/u, "$1").replace(/\.$/u, "");
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

function isWithin(host: string, network: string, length: string): boolean {
  const most = isIP(network) === 6 ? 128 : 32;
  if (isIP(network) === 0 || isIP(host) !== isIP(network)) return false;
  if (!/^\d{1,3}$/u.test(length) || Number(length) > most) return false;
  const networks = new BlockList();
  networks.addSubnet(network, Number(length), familyOf(network));
  return networks.check(host, familyOf(host));
}
