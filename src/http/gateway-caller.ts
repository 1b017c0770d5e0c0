import { silentClient } from "../core/client-port.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { CallerContext } from "../gateway/gateway.ts";

/** Asks on the gateway's own account, for counts that strangers get and for what watches the gateway. */
export const gatewayCaller: CallerContext = {
  principal: systemPrincipal,
  clientName: "gateway",
  sessionId: null,
  projectId: null,
  client: silentClient,
};
