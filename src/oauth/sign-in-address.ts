import { AppError } from "../core/errors.ts";
import { isLoopbackHost, isThisMachine } from "../core/url.ts";
import { quoteForeign, sayForeign } from "./foreign-text.ts";

/** No address that a server may name is longer, in characters. */
const maxLength = 2048;

/** The host of a sign-in address, as messages name it. */
export function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : sayForeign(address);
}

/** Whether an address is https, or http on this machine's loopback (OAuth 2.1 §1.5, RFC 8252 §8.3). */
export function isSafeAddress(text: string): boolean {
  if (text.length > maxLength || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && isLoopbackHost(hostname));
}

/**
 * Checks an address that a server named.
 * @param what as the message calls it: `token endpoint`
 * @param namedBy the address of who named it: a server elsewhere may not send us to this machine
 * @throws AppError `auth_rejected`
 */
export function checkAddress(text: string, what: string, namedBy: string): string {
  const refused = (because: string): AppError =>
    new AppError(
      "auth_rejected",
      `${hostOf(namedBy)} names as ${what} ${quoteForeign(text)}, which is ${because}`,
      { hint: "Nothing was sent there; the operator of the server can put it right" },
    );
  if (!isSafeAddress(text)) throw refused("neither https nor on this machine");
  if (isThisMachine(new URL(text).hostname) && !isThisMachine(new URL(namedBy).hostname)) {
    throw refused("on this machine");
  }
  return text;
}
