/**
 * Whose address it is, as far as limits go: an IPv4 address stands for itself, an IPv6 one for its /64, all of which
 * one machine may use. @param address in its canonical text, an IPv4 one never mapped into IPv6
 */
export function addressGroup(address: string): string {
  return address.includes(":") ? `${groupsOf(address).slice(0, 4).join(":")}::/64` : address;
}

/**
 * From whose network it is, where one may have no more than another: of IPv6 the /48, the most that a home or a rented
 * machine is given; of IPv4 the /24, the least that is routed by itself. @param address as for `addressGroup`
 */
export function addressNetwork(address: string): string {
  if (address.includes(":")) return `${groupsOf(address).slice(0, 3).join(":")}::/48`;
  const bytes = address.split(".");
  return bytes.length === 4 ? `${bytes.slice(0, 3).join(".")}.0/24` : address;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): string[] {
  const [head = "", tail] = address.split("::", 2);
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from<string>({ length: Math.max(0, 8 - before.length - after.length) });
  return [...before, ...zeros.fill("0"), ...after];
}
