import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import { legacyVersions, metaKeys, metaOf, modernVersions } from "../core/mcp.ts";
import type { ProtocolEra } from "../core/mcp.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { OpenOptions } from "./mcp-connection.ts";
import type { RpcPeer } from "./rpc-peer.ts";
import { HttpStatusError } from "./transport.ts";

/** What was settled with a server at the beginning. */
export interface Settlement {
  era: ProtocolEra;
  protocolVersion: string;
  serverInfo: JsonObject;
  capabilities: JsonObject;
  instructions: string | undefined;
}

/** The `_meta` keys that a modern request carries about who asks (2026-07-28, "Per-request metadata"). */
export function envelope(
  protocolVersion: string,
  clientInfo: OpenOptions["clientInfo"],
  capabilities: JsonObject,
): JsonObject {
  return {
    [metaKeys.protocolVersion]: protocolVersion,
    [metaKeys.clientInfo]: { ...clientInfo },
    [metaKeys.clientCapabilities]: capabilities,
  };
}

/**
 * Asks for the modern era (`server/discover`).
 * @returns undefined when the server is of the legacy era: it does not know the question, names legacy
 *   versions only, or, on a pipe, is silent
 * @throws when it cannot be said: nobody answers, the server breaks down (5xx), does not let us in
 *   (401, 403, 429), or answers with something else than MCP
 */
export async function discover(
  peer: RpcPeer,
  options: OpenOptions,
): Promise<Settlement | undefined> {
  let [asked = ""] = modernVersions;
  for (let corrected = false; ; corrected = true) {
    const outcome = await askOnce(peer, asked, options);
    if (outcome.kind === "legacy") return undefined;
    if (outcome.kind === "settled") return outcome.settlement;
    if (corrected || outcome.version === undefined) throw outcome.error;
    asked = outcome.version;
  }
}

type Outcome =
  | { kind: "legacy" }
  | { kind: "settled"; settlement: Settlement }
  /** It is of the modern era, in another version: this one, or none of ours. */
  | { kind: "other"; version: string | undefined; error: Error };

async function askOnce(peer: RpcPeer, version: string, options: OpenOptions): Promise<Outcome> {
  const { transport, clientInfo, capabilities, probeMs, signal } = options;
  const limit = new AbortController();
  const silence = new Error(`it did not answer within ${probeMs / 1000} s`);
  const timer = setTimeout(() => limit.abort(silence), probeMs);
  const stop = (): void => limit.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    const params = { _meta: envelope(version, clientInfo, capabilities) };
    const result = await peer.request("server/discover", params, {
      signal: limit.signal,
      cancelBy: "stream",
    });
    return settledBy(result);
  } catch (error) {
    if (error === silence && transport.kind === "pipe") return { kind: "legacy" };
    if (error instanceof RpcFault && !brokeDown(error.cause)) return meaningOf(error);
    if (error instanceof HttpStatusError && saysUnknown(error)) return { kind: "legacy" };
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

function brokeDown(error: unknown): boolean {
  return error instanceof HttpStatusError && error.status >= 500;
}

/** A refusal that a server of the legacy era gives to what it does not know. */
function saysUnknown({ status }: HttpStatusError): boolean {
  return status >= 400 && status < 500 && status !== 401 && status !== 403 && status !== 429;
}

function settledBy(result: JsonObject): Outcome {
  const { supportedVersions, capabilities, instructions } = result;
  if (!isTexts(supportedVersions) || !isJsonObject(capabilities)) return { kind: "legacy" };
  const version = modernVersions.find((ours) => supportedVersions.includes(ours));
  if (version === undefined) return { kind: "legacy" };
  // Drafts of the revision had it in the result itself.
  const serverInfo = metaOf(result)[metaKeys.serverInfo] ?? result["serverInfo"];
  return {
    kind: "settled",
    settlement: {
      era: "modern",
      protocolVersion: version,
      serverInfo: isJsonObject(serverInfo) ? serverInfo : {},
      capabilities,
      instructions: typeof instructions === "string" ? instructions : undefined,
    },
  };
}

function meaningOf(error: RpcFault): Outcome {
  const supported = isJsonObject(error.data) ? error.data["supported"] : undefined;
  if (error.code !== rpcCodes.unsupportedProtocolVersion || !isTexts(supported)) {
    return { kind: "legacy" };
  }
  // Versions are dates, so that text order is their order.
  const modern = supported.filter((version) => version > (legacyVersions[0] ?? ""));
  if (modern.length === 0) return { kind: "legacy" };
  const version = modernVersions.find((ours) => modern.includes(ours));
  return { kind: "other", version, error };
}

function isTexts(value: Json | undefined): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/**
 * The handshake of the legacy era.
 * @throws as `RpcPeer.request`; Error when the server's version is none of ours
 */
export async function initialize(peer: RpcPeer, options: OpenOptions): Promise<Settlement> {
  const { transport, signal } = options;
  const result = await peer.request(
    "initialize",
    {
      protocolVersion: legacyVersions[0] ?? "",
      capabilities: options.capabilities,
      clientInfo: { ...options.clientInfo },
    },
    // MCP, cancellation: `initialize` is not to be cancelled.
    { signal, cancelBy: "stream" },
  );
  const { protocolVersion, capabilities, serverInfo, instructions } = result;
  if (typeof protocolVersion !== "string" || !legacyVersions.includes(protocolVersion)) {
    const named = typeof protocolVersion === "string" ? oneLine(protocolVersion, 40) : "none";
    throw new Error(`it speaks a version of MCP that is unknown here: ${named}`);
  }
  transport.settled?.(protocolVersion);
  await peer.notify("notifications/initialized", {});
  transport.listen?.();
  return {
    era: "legacy",
    protocolVersion,
    serverInfo: isJsonObject(serverInfo) ? serverInfo : {},
    capabilities: isJsonObject(capabilities) ? capabilities : {},
    instructions: typeof instructions === "string" ? instructions : undefined,
  };
}
