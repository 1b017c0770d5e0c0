import type { JsonObject } from "../core/json.ts";
import type { CallerContext, Gateway } from "../gateway/gateway.ts";

/** A caller before it has a way back: the port to its client is made with the request's stream. */
export type UnportedCaller = Omit<CallerContext, "client">;

/** As whom MCP clients meet us: in the answer to `initialize` and to `server/discover`. */
export interface McpIdentity {
  readonly serverInfo: JsonObject;
  /** The same in both eras; `logging` means `logging/setLevel` in the one, the request's log level in the other. */
  readonly capabilities: JsonObject;
  instructions(caller: CallerContext): string | undefined;
}

/** The gateway's own: always the same capabilities, whatever its servers have at the moment. */
export function gatewayIdentity(gateway: Gateway, version: string): McpIdentity {
  return {
    serverInfo: { name: "onedoor", title: "OneDoor", version },
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      completions: {},
      logging: {},
    },
    instructions: (caller) => gateway.instructions(caller, caller.mode ?? "mcp"),
  };
}

/** As whom one caller meets us: in `mode=discover` the list of tools never changes, and no news of it is promised. */
export function identityFor(
  identity: McpIdentity,
  { mode }: Pick<UnportedCaller, "mode">,
): McpIdentity {
  if (mode !== "discover") return identity;
  const { serverInfo, capabilities } = identity;
  return {
    serverInfo,
    capabilities: { ...capabilities, tools: {} },
    instructions: (caller) => identity.instructions(caller),
  };
}
