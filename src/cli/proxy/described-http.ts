import { selfDescription } from "../../client/self-description.ts";
import type { SelfDescription } from "../../client/self-description.ts";
import type { SendHttp } from "../../mcp-client/transport.ts";

/** What a proxy says of the client behind it, as far as it is known by now. */
export type ProxiedClient = Partial<SelfDescription>;

/**
 * HTTP whose requests tell a gateway which client is behind the proxy: on the connection itself the proxy is the
 * client, and was so before that one had said its name.
 * @param describe what to say at the moment; undefined to a server that is no gateway, which has no use for it
 */
export function createDescribedHttp(
  send: SendHttp,
  describe: () => ProxiedClient | undefined,
): SendHttp {
  return (request) => {
    const said = describe();
    if (said === undefined) return send(request);
    return send({ ...request, headers: { ...request.headers, ...selfDescription(said) } });
  };
}
