import { isIP } from "node:net";
import * as z from "zod";

/** The address of a proxy, or a network of them in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3). */
export const trustedProxy = z
  .string({ error: "expected an address or a network" })
  .superRefine((text, context) => {
    const fault = faultOf(text);
    if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
  });

function faultOf(text: string): string | undefined {
  const [address = "", length, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || address.includes("%") || more.length > 0) {
    return "is not an IP address, nor a network such as 10.0.0.0/8";
  }
  if (length === undefined) return undefined;
  const bits = family === 4 ? 32 : 128;
  if (!/^(?:0|[1-9]\d{0,2})$/u.test(length) || Number(length) > bits) {
    return `the number after / must be between 1 and ${bits}`;
  }
  // `::ffff:0:0/96` is the same for IPv4 (RFC 4291 §2.5.5.2).
  const isMapped = family === 6 && /^::ffff:/iu.test(address);
  return Number(length) === 0 || (isMapped && Number(length) <= 96)
    ? "would believe everybody, who could then claim to be anybody"
    : undefined;
}
