/**
 * Whose address it is, as far as limits go: an IPv4 address stands for itself, an IPv6 one for its /64, all of which
 * one machine may use. @param address in its canonical text, an IPv4 one never mapped into IPv6
 */
export function addressGroup(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::", 2);
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from<string>({ length: Math.max(0, 8 - before.length - after.length) });
  const groups = [...before, ...zeros.fill("0"), ...after];
  return `${groups.slice(0, 4).join(":")}::/64`;
}
