import { callerKey } from "../core/client-port.ts";
import type { ClientPort } from "../core/client-port.ts";
import type { ServerConfiguration } from "../core/configuration.ts";

/** Which caller's own the view of a client is; the configuration is looked through once for each. */
export function createWhose(
  configured: () => ReadonlyMap<string, ServerConfiguration>,
): ({ caller }: ClientPort) => string {
  const known = new WeakMap<object, boolean>();
  return ({ caller }) => {
    const servers = configured();
    let tellsCallers = known.get(servers);
    if (tellsCallers === undefined) {
      tellsCallers = [...servers.values()].some(
        (server) => server.type !== "stdio" && server.forwardIdentity,
      );
      known.set(servers, tellsCallers);
    }
    return tellsCallers && caller !== undefined ? callerKey(caller) : "";
  };
}
