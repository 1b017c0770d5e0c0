import { createGatewayToolServer } from "../../../client/gateway-tool-server.ts";
import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import type { ServerRow } from "../../../client/tool-server.ts";
import type { Check, Finding } from "../check.ts";
import { gatewayBearer } from "../gateway-bearer.ts";
import type { Ground } from "../ground.ts";

const name = "upstream";

/** Each upstream server, as the running gateway of this user tells it; without a sign-in only how many. */
export const upstreamsCheck: Check = {
  name,
  async look(ground, signal) {
    const state = await ground.gateway();
    if (state.kind !== "running") return unknown(ground);
    const { record } = state;
    const server = createGatewayToolServer({
      endpoint: record.url,
      bearer: await gatewayBearer(record, ground),
      clientName: "onedoor-doctor",
      ownGateway: true,
      signal,
    });
    try {
      const { servers } = await server.inventory();
      return servers.map(findingOf);
    } catch (error) {
      if (!(error instanceof AppError) || !/^auth_|^forbidden$/u.test(error.code)) throw error;
      const { total = 0, unavailable = 0 } = state.upstreams;
      if (unavailable === 0) {
        const message = `None of ${total} is unavailable; each is told after a sign-in`;
        return { name, state: "ok", message };
      }
      const message = `${unavailable} of ${total} are unavailable; which they are is told after a sign-in`;
      return { name, state: "fail", message, mend: "agent auth login" };
    } finally {
      await server.close();
    }
  },
};

function findingOf({
  name: shown,
  state,
  reason = "",
  toolCount,
  withheld = 0,
}: ServerRow): Finding {
  const of = quoteForShell(shown);
  if (state === "starting") {
    return { name, state: "warn", message: `${of} is starting`, mend: `agent wait ${of}` };
  }
  if (state === "unavailable") {
    const isMissing = /^the command .* was not found$/u.test(reason);
    const todo = isMissing ? "install it, or correct the entry" : "the gateway goes on trying";
    const message = `${of} is unavailable: ${reason}; ${todo}`;
    // Its last words tell more than the reason; to switch it off would only hide that.
    return { name, state: "fail", message, mend: `agent inspect ${of}` };
  }
  const count = `${toolCount} ${toolCount === 1 ? "tool" : "tools"}`;
  if (withheld === 0) return { name, state: "ok", message: `${of}: ${count}` };
  const message = `${of}: ${count}, ${withheld} withheld until approved`;
  return toolCount === 0
    ? { name, state: "warn", message, mend: `agent mcp approve ${of}` }
    : { name, state: "ok", message };
}

async function unknown(ground: Ground): Promise<Finding> {
  const configuration = await ground.configuration().catch(() => undefined);
  const count = configuration?.servers.size ?? 0;
  return count === 0
    ? { name, state: "ok", message: "None is configured" }
    : {
        name,
        state: "warn",
        message: `${count} configured; how they are is known while a gateway runs`,
        mend: "agent serve --background",
      };
}
