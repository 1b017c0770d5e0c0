import type { JsonObject } from "../core/json.ts";
import { reachesLevel } from "../core/mcp.ts";
import type { LogLevel, ProtocolEra } from "../core/mcp.ts";

/**
 * Whether a client wants to hear this. Log messages from the level it named on; where it named none, a legacy
 * client hears what the server decides (2025-11-25, logging), a modern one nothing.
 */
export function wantsNotification(
  method: string,
  params: JsonObject,
  client: { era: ProtocolEra; logLevel: LogLevel | undefined },
): boolean {
  if (method !== "notifications/message") return true;
  if (client.logLevel === undefined) return client.era === "legacy";
  return reachesLevel(params["level"], client.logLevel);
}
