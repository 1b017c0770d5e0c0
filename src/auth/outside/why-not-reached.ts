import { systemErrorCode } from "../../core/system-error-code.ts";

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection is refused",
  ECONNRESET: "the connection is reset",
  EPIPE: "the connection is closed",
  UND_ERR_SOCKET: "the connection is closed",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the connection is closed",
  ENOTFOUND: "its name is not found",
  EAI_AGAIN: "its name cannot be looked up now",
  EHOSTUNREACH: "there is no way to its address",
  ENETUNREACH: "there is no way to its address",
  ETIMEDOUT: "the connection is not made in time",
  UND_ERR_CONNECT_TIMEOUT: "the connection is not made in time",
  UND_ERR_HEADERS_TIMEOUT: "it does not answer in time",
  UND_ERR_BODY_TIMEOUT: "it does not answer in time",
  UND_ERR_HEADERS_OVERFLOW: "the head of its answer is too large",
  EPROTO: "TLS does not come about",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};

const notTrusted = "its certificate is not trusted: NODE_EXTRA_CA_CERTS adds who vouches for it";

/** Codes of OpenSSL that say that nobody who is trusted vouches for a certificate. */
const unvouched = /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|CERT_UNTRUSTED)/u;

/** Why no answer came, in words; a system's own code where there are none, and undefined where there is nothing to say. */
export function whyNotReached(error: unknown): string | undefined {
  const code = systemErrorCode(error) ?? "";
  const known = Object.hasOwn(words, code) ? words[code] : undefined;
  if (known !== undefined) return known;
  if (unvouched.test(code)) return notTrusted;
  if (/^(?:CERT_|CRL_|ERROR_IN_CERT_)/u.test(code)) return "its certificate is not good";
  if (/^ERR_(?:SSL|TLS)_/u.test(code)) return "TLS does not come about";
  if (code.startsWith("HPE_")) return "it does not speak HTTP";
  return /^E[A-Z\d]+$/u.test(code) ? code : undefined;
}
