import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { isLoopbackHost } from "../core/url.ts";
import { otherCertificate } from "../runtime/pinned-agent.ts";

/** Somebody answered, whose certificate is not what it must be: nothing was sent there, and would be at no time. */
export class UntrustedCertificate extends AppError {
  constructor(message: string, hint: string, cause: unknown) {
    super("unreachable", message, { hint, cause });
  }
}

/** Why a connection could not be made, for people. Codes are Node's, undici's and OpenSSL's own. */
function reasonOf(code: string): string {
  if (code === "ECONNREFUSED") return "connection refused";
  if (isUnknownName(code)) return "its name cannot be resolved";
  if (isCutOff(code)) return "the connection was closed before the answer";
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return "there is no route to it";
  if (code === "ETIMEDOUT") return "it does not answer";
  if (code === otherCertificate) return "its TLS certificate is not that of your running gateway";
  if (code === "EPROTO" || code === "ERR_SSL_WRONG_VERSION_NUMBER") return "it does not speak TLS";
  if (code.startsWith("HPE_")) return "it does not answer in HTTP";
  if (isAboutCertificate(code)) return `its TLS certificate is not trusted (${code})`;
  return code === "" ? "the connection failed" : code;
}

function isUnknownName(code: string): boolean {
  return code === "ENOTFOUND" || code === "EAI_AGAIN";
}

function isCutOff(code: string): boolean {
  return /^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH)$/u.test(code);
}

function isAboutCertificate(code: string): boolean {
  return /CERT|SELF_SIGNED|ISSUER|LEAF_SIGNATURE/u.test(code);
}

/** Nobody who is trusted vouches for it; else it is for another name, another time, another use. */
function isOfStranger(code: string): boolean {
  return /SELF_SIGNED|ISSUER|LEAF_SIGNATURE/u.test(code);
}

/**
 * The error for somebody who is not reached.
 * @param who as messages name it: an origin, or what comes between as well
 * @param hint what to do, where the certificate is not to blame
 */
export function notReached(who: string, error: unknown, hint: string): AppError {
  const code = systemErrorCode(error) ?? "";
  const message = `Cannot reach ${who}: ${reasonOf(code)}`;
  if (code === otherCertificate) return new UntrustedCertificate(message, hint, error);
  if (isAboutCertificate(code)) {
    const more = isOfStranger(code)
      ? "--cacert <file> (or NODE_EXTRA_CA_CERTS=<file>) adds a certificate authority"
      : "Is the address right, and this machine's clock? If they are, its operator can put it right";
    return new UntrustedCertificate(message, more, error);
  }
  return new AppError("unreachable", message, { hint, cause: error });
}

/** The error for a server that is asked without anybody in between. */
export function unreachable(url: string, error: unknown): AppError {
  // What cannot be reached is the server; which of its paths we asked for is nobody's concern.
  const { origin, hostname, protocol } = new URL(url);
  const variable = protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  if (isUnknownName(systemErrorCode(error) ?? "")) {
    return notReached(origin, error, `Is the address right? Behind a proxy set ${variable}`);
  }
  const hint = isLoopbackHost(hostname)
    ? "Is it running, and is the address right? agent serve --status shows your own gateway"
    : `Are the address and this machine's network right? Where a proxy leads out: ${variable}=http://<host>:<port>`;
  return notReached(origin, error, hint);
}
