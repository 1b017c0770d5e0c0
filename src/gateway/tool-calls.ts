import type { NameRule } from "../core/catalog.ts";
import { AppError } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import type { CallToolResult } from "../core/mcp.ts";
import { prepareArguments } from "../core/prepare-arguments.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import { oneLine } from "../core/terminal-text.ts";
import { exposedToolName } from "../core/tool-name.ts";
import { toolNamed } from "./beyond-scopes.ts";
import type { BeyondScopes } from "./beyond-scopes.ts";
import type { CallDecisions } from "./call-decisions.ts";
import type { CallEnd } from "./call-record.ts";
import type { Exchange } from "./exchange.ts";
import type { CallerContext, GatewayCall } from "./gateway.ts";
import type { SeenCatalog } from "./live-catalog.ts";
import { asRestFault } from "./rest-fault.ts";
import type { Routes } from "./routes.ts";

/**
 * The way of a tool call: admit → route → permit → check the arguments → exchange → record. As
 * `Gateway.callTool`.
 */
export function createToolCalls(options: {
  seenBy: (caller: CallerContext) => SeenCatalog;
  routesIn: (seen: SeenCatalog) => Routes;
  decisions: CallDecisions;
  beyond: BeyondScopes;
  exchange: Exchange;
  record: (caller: CallerContext, end: CallEnd) => void;
  names: NameRule;
  /** Milliseconds since the epoch. */
  now: () => number;
}): (caller: CallerContext, call: GatewayCall) => Promise<CallToolResult> {
  const { seenBy, routesIn, decisions, beyond, exchange, record, names, now } = options;

  const toolNameOf = (prefix: string, own: string): string =>
    names === "own" ? own : exposedToolName(prefix, own);

  const run = async (
    caller: CallerContext,
    call: GatewayCall,
    end: CallEnd,
  ): Promise<CallToolResult> => {
    const { principal, client } = caller;
    const { address, signal, onProgress, timeoutMs } = call;
    const { entry, name, configuration, upstream } = await beyond.explain(
      caller,
      toolNamed(address, { calls: true }),
      () => {
        decisions.admit(principal);
        const seen = seenBy(caller);
        if ("server" in address) end.server = seen.server(address.server)?.configuration.name;
        return routesIn(seen).tool(client, address);
      },
    );
    end.toolName = toolNameOf(configuration.prefix, name);
    end.server = configuration.name;
    end.tool = entry?.name;
    decisions.permit(principal, { exposedName: end.toolName, server: configuration, entry });
    end.isLimited = false;
    const params: JsonObject = { ...call.params, name };
    if (entry !== undefined) {
      const { untyped, text } = call;
      const given = { arguments: call.params["arguments"], untyped, text };
      const prepared = prepareArguments(`${configuration.name}/${name}`, entry, given);
      end.args = prepared ?? {};
      if (prepared !== undefined) params["arguments"] = prepared;
    }
    return await exchange.send(caller, {
      target: { configuration, upstream },
      method: "tools/call",
      name,
      params,
      signal,
      onProgress,
      timeoutMs,
    });
  };

  return async (caller, call) => {
    const end: CallEnd = {
      toolName: namedTool(call),
      server: undefined,
      tool: undefined,
      startedMs: now(),
      status: "error",
      errorCode: undefined,
      // Until it is permitted: what is refused for other reasons later is not the limits' doing.
      isLimited: true,
      args: givenArguments(call),
    };
    try {
      const result = await run(caller, call, end);
      end.status = result["isError"] === true ? "error" : "success";
      return result;
    } catch (error) {
      end.errorCode = codeOf(error, call.signal);
      end.status = refusalCodes.has(end.errorCode) ? "denied" : "error";
      throw error;
    } finally {
      end.isLimited &&= end.errorCode === "rate_limited";
      record(caller, end);
    }
  };
}

/** Refused before the tool could run, as opposed to failed. */
const refusalCodes: ReadonlySet<ErrorCode> = new Set([
  "forbidden",
  "auth_required",
  "auth_rejected",
  "rate_limited",
]);

/** In our words; a call that its client gave up failed because that could no longer be reached. */
function codeOf(thrown: unknown, { aborted }: StopSignal): ErrorCode {
  const fault = asRestFault(thrown);
  if (fault instanceof AppError) return fault.code;
  return aborted ? "unreachable" : "internal";
}

/** What the audit row says of a tool that was asked for and not found. */
function namedTool({ address }: GatewayCall): string {
  const name =
    "exposedName" in address ? address.exposedName : `${address.server}__${address.tool}`;
  return oneLine(name.slice(0, 1_000), 200);
}

/** What the audit row says of arguments that were not even typed; a copy only where there is something to add. */
function givenArguments({ params, untyped = {} }: GatewayCall): JsonObject {
  const given = isJsonObject(params["arguments"]) ? params["arguments"] : {};
  return Object.keys(untyped).length === 0 ? given : { ...given, ...untyped };
}
