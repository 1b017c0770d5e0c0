import type { JsonObject } from "../../../core/json.ts";
import { isLoopbackHost } from "../../../core/url.ts";
import { startsOurProxy } from "../../../hosts/setup-entry.ts";

/** Whether an entry leads to a gateway of ours, which would then stand before itself. */
export function isOwnGateway(entry: JsonObject, gatewayUrl: string | undefined): boolean {
  const { command, args, url } = entry;
  if (startsOurProxy(entry)) return true;
  const words = [command, ...(Array.isArray(args) ? args : [])];
  if (words.some((word) => typeof word === "string" && /^@onedoor\/agent(?:@|$)/u.test(word))) {
    return true;
  }
  // mcp-remote and its like have the address among their arguments.
  return [url, ...words].some((word) => typeof word === "string" && isAt(word, gatewayUrl));
}

function isAt(word: string, gatewayUrl: string | undefined): boolean {
  if (gatewayUrl === undefined || !URL.canParse(word) || !URL.canParse(gatewayUrl)) return false;
  const one = new URL(word);
  const other = new URL(gatewayUrl);
  const isSameHost =
    one.hostname === other.hostname ||
    (isLoopbackHost(one.hostname) && isLoopbackHost(other.hostname));
  return isSameHost && one.port === other.port;
}
