import { isLoopbackHost } from "../core/url.ts";
import type { KeyPath } from "./configuration-problem.ts";
import type { Findings } from "./findings.ts";

/**
 * Reports what keeps an address from being asked with a credential: anything but an absolute https URL without user,
 * password and fragment. http is for loopback, or for who says `--insecure-http`.
 * @param rules.query whether it may have one
 * @returns whether it is right
 */
export function checkOutsideUrl(
  text: string,
  key: KeyPath,
  findings: Findings,
  rules: { insecureHttp: boolean; query: boolean },
): boolean {
  const fault = faultOf(text, rules);
  if (fault !== undefined) findings.problem(key, fault.reason, fault.hint);
  return fault === undefined;
}

function faultOf(
  text: string,
  { insecureHttp, query }: { insecureHttp: boolean; query: boolean },
): { reason: string; hint?: string } | undefined {
  // Parsing forgives spaces, backslashes and missing slashes; an issuer is compared to the letter.
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s\\]+$/iu.test(text) || !URL.canParse(text)) {
    return { reason: "is not a URL" };
  }
  const { protocol, username, password, hostname } = new URL(text);
  if (protocol !== "https:" && protocol !== "http:") return { reason: "must begin with https://" };
  if (username !== "" || password !== "") {
    return { reason: "must not hold a user name or password" };
  }
  if (text.includes("#")) return { reason: "must not hold a fragment" };
  if (!query && text.includes("?")) return { reason: "must not hold a query" };
  if (protocol === "http:" && !insecureHttp && !isLoopbackHost(hostname)) {
    return {
      reason: "must begin with https://, or tokens would cross the network in the clear",
      hint: "use https, or --insecure-http when the network is yours alone",
    };
  }
  return undefined;
}
