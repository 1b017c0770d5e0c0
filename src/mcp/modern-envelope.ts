import { rpcCodes } from "../core/json-rpc.ts";
import type { RpcError } from "../core/json-rpc.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { isLogLevel, metaKeys, metaOf, modernVersions } from "../core/mcp.ts";
import { isOversized } from "./declared-capabilities.ts";

/** Whether a message claims the modern era: by the protocol version in its `_meta` (2026-07-28). */
export function claimsModernEra(params: JsonObject | undefined): boolean {
  return Object.hasOwn(metaOf(params), metaKeys.protocolVersion);
}

/** The revision that the envelope names; undefined where it names none. */
export function claimedVersion(params: JsonObject | undefined): string | undefined {
  const version = metaOf(params)[metaKeys.protocolVersion];
  return typeof version === "string" ? version : undefined;
}

/** How the client calls itself in the envelope. */
export function envelopeClientName(params: JsonObject | undefined): string | undefined {
  const info = metaOf(params)[metaKeys.clientInfo];
  const name = isJsonObject(info) ? info["name"] : undefined;
  return typeof name === "string" ? name : undefined;
}

/** What is wrong with a request's envelope, or that its revision is not spoken here; undefined when it is good. */
export function envelopeFault(params: JsonObject | undefined): RpcError | undefined {
  const meta = metaOf(params);
  const issue = envelopeIssue(meta);
  if (issue !== undefined) {
    return {
      code: rpcCodes.invalidParams,
      message: `The request's _meta is no envelope of 2026-07-28: ${issue.key} ${issue.problem}`,
      data: { envelope: issue },
    };
  }
  const requested = claimedVersion(params);
  if (requested !== undefined && modernVersions.includes(requested)) return undefined;
  return {
    code: rpcCodes.unsupportedProtocolVersion,
    message: "This protocol version is not spoken here",
    data: { supported: [...modernVersions], requested: requested ?? "unknown" },
  };
}

interface EnvelopeIssue extends JsonObject {
  key: string;
  problem: string;
}

const members: readonly [key: string, required: boolean, isGood: (value: Json) => boolean][] = [
  [metaKeys.protocolVersion, true, (value) => typeof value === "string"],
  [metaKeys.clientCapabilities, true, isJsonObject],
  [metaKeys.clientInfo, false, isImplementation],
  [metaKeys.logLevel, false, isLogLevel],
];

function envelopeIssue(meta: JsonObject): EnvelopeIssue | undefined {
  for (const [key, required, isGood] of members) {
    const value = meta[key];
    if (value === undefined) {
      if (required) return { key, problem: "is missing" };
    } else if (!isGood(value)) return { key, problem: "is not of its type" };
  }
  const key = metaKeys.clientCapabilities;
  if (isOversized(meta[key])) return { key, problem: "is too long" };
  return undefined;
}

function isImplementation(value: Json): boolean {
  return (
    isJsonObject(value) && typeof value["name"] === "string" && typeof value["version"] === "string"
  );
}
