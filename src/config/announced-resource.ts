import type { Findings } from "./findings.ts";

/**
 * Doubts an `audience` of type `oauth` in which the announced resource is missing: a client asks for a token for what
 * `resource` in the gateway's metadata says (RFC 9728 §2, RFC 8707 §2), and would be refused with it.
 * @param externalUrl without one, and where it is no URL, nothing is known of the resource
 */
export function doubtAudience(
  audience: readonly string[],
  externalUrl: string | undefined,
  findings: Findings,
): void {
  if (externalUrl === undefined || !URL.canParse(externalUrl)) return;
  const { origin, pathname } = new URL(externalUrl);
  const resource = `${origin}${pathname.replace(/\/+$/u, "")}/mcp`;
  if (audience.includes(resource)) return;
  const reason = `clients are told to ask for tokens for ${resource}, which would be refused`;
  findings.doubt(["audience"], reason, "write it into audience, unless the issuer names another");
}
