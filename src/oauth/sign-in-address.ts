import { AppError } from "../core/errors.ts";
import { oneLine } from "../core/terminal-text.ts";
import { isLoopbackHost } from "../core/url.ts";

/** No address that a server may name is longer, in characters. */
const maxLength = 2048;

/** The host of a sign-in address, as messages name it. */
export function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : oneLine(address, 200);
}

/** Foreign text as part of a message of ours. */
export function quoteForeign(text: string): string {
  return `"${oneLine(text, 200)}"`;
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
  if (isLoopbackHost(new URL(text).hostname) && !isLoopbackHost(new URL(namedBy).hostname)) {
    throw refused("on this machine");
  }
  return text;
}
