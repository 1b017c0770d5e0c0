import type { IncomingHttpHeaders } from "node:http";
import { isRequest, rpcCodes } from "../core/json-rpc.ts";
import type { RpcMessage, RpcRequest } from "../core/json-rpc.ts";
import { legacyVersions, modernVersions } from "../core/mcp.ts";
import type { ProtocolEra } from "../core/mcp.ts";
import { contradiction, headerOf, versionHeader } from "./check-headers.ts";
import { claimedVersion, claimsModernEra, envelopeFault } from "./modern-envelope.ts";
import { headerMismatch, Refused } from "./refused.ts";

/**
 * The era of one posted message: as its body says it; the header only decides for a notification, which
 * need not say it (2026-07-28, "Versioning").
 * @throws Refused where the body contradicts itself or the headers
 */
export function eraOf(message: RpcMessage, headers: IncomingHttpHeaders): ProtocolEra {
  const version = headerOf(headers, versionHeader);
  const isModernHeader = version !== undefined && modernVersions.includes(version);
  if (!("method" in message)) return "legacy";
  const { method, params } = message;
  const id = isRequest(message) ? message.id : null;
  const claims = claimsModernEra(params);
  if (method === "initialize" && !isSoundClaim(message)) {
    if (isModernHeader) {
      throw headerMismatch(id, version, "initialize belongs to no revision that the header names");
    }
    return "legacy";
  }
  if (!claims && !isModernHeader) return "legacy";
  if (isRequest(message)) {
    // A revision that is not spoken here is told later: what contradicts itself is not believed in anything.
    const fault = envelopeFault(params);
    if (fault?.code === rpcCodes.invalidParams) throw new Refused(400, fault, id);
  }
  const fault = contradiction(message, headers);
  if (fault !== undefined) throw fault;
  return "modern";
}

function isSoundClaim({ params }: { params?: RpcRequest["params"] }): boolean {
  const version = claimedVersion(params);
  return version !== undefined && envelopeFault(params) === undefined;
}

/**
 * Refuses a version in the header of a legacy request that no legacy revision has (2025-11-25, "Protocol
 * Version Header"). Without one it is whatever the session settled.
 */
export function checkLegacyVersion(headers: IncomingHttpHeaders): void {
  const version = headerOf(headers, versionHeader);
  if (version === undefined || legacyVersions.includes(version)) return;
  throw new Refused(400, {
    code: rpcCodes.invalidRequest,
    message: `MCP-Protocol-Version names a version that is not spoken here (${legacyVersions.join(", ")} are)`,
  });
}
