import { createGatewayToolServer } from "./gateway-tool-server.ts";
import type { GatewayOptions } from "./gateway-tool-server.ts";
import { identify } from "./identify.ts";
import type { ServerKind } from "./identify.ts";
import type { ToolServer } from "./tool-server.ts";

export interface ConnectOptions extends GatewayOptions {
  /** What a profile or the runtime file already knows; `unknown`: it is asked, without the bearer. */
  kind: ServerKind | "unknown";
}

/**
 * A server to find out about and call tools on: REST where it is a OneDoor gateway (nothing but
 * `node:http` is loaded, and nothing sent yet), MCP where it is not.
 * @throws AppError `unreachable`, `timeout`; over MCP also `auth_required`, `auth_rejected`, `forbidden`
 */
export async function connectToolServer(options: ConnectOptions): Promise<ToolServer> {
  const kind =
    options.kind === "unknown" ? await identify(options.endpoint, options.signal) : options.kind;
  if (kind === "onedoor") return createGatewayToolServer(options);
  const { connectMcpToolServer } = await import("./mcp-tool-server.ts");
  return connectMcpToolServer(options);
}
