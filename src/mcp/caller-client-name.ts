import { holdsCredential } from "../core/shown-credential.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { UnportedCaller } from "./mcp-identity.ts";

/** As who is called that says no name. */
const nameless = "unknown";

/**
 * The client's name for the audit. What the transport was told (`X-OneDoor-Client`) goes before what MCP's client
 * info says: behind `agent proxy` that is the client itself, while the info is of the proxy's own connection.
 * @param told by the client info; undefined where that names nobody
 */
export function callerClientName(
  { clientName, credential }: Pick<UnportedCaller, "clientName" | "credential">,
  told: string | undefined,
): string {
  if (told === undefined || clientName !== nameless) return clientName;
  return holdsCredential(told, credential) ? nameless : oneLine(told, 200);
}
