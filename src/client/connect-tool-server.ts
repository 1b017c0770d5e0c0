import { AppError } from "../core/errors.ts";
import type { SelectionRequest } from "../core/selection.ts";
import { createGatewayToolServer } from "./gateway-tool-server.ts";
import type { GatewayOptions } from "./gateway-tool-server.ts";
import { shownAddress } from "./http-json.ts";
import { identify } from "./identify.ts";
import type { ServerKind } from "./identify.ts";
import type { ToolServer } from "./tool-server.ts";

export interface ConnectOptions extends Omit<GatewayOptions, "query"> {
  /** Only these servers of a gateway are there. */
  selection?: SelectionRequest | undefined;
  /** What a profile or the runtime file already knows; `unknown`: it is asked, without the bearer. */
  kind: ServerKind | "unknown";
  /** `selection` was asked for in so many words: what cannot do it is refused, and not asked for everything. */
  mustSelect?: boolean | undefined;
}

/**
 * A server to find out about and call tools on: REST where it is a OneDoor gateway (nothing but
 * `node:http` is loaded, and nothing sent yet), MCP where it is not.
 * @throws AppError `unreachable`, `timeout`, `usage` for `mustSelect`; over MCP also `auth_required`, `auth_rejected`, `forbidden`
 */
export async function connectToolServer(options: ConnectOptions): Promise<ToolServer> {
  const kind =
    options.kind === "unknown" ? await identify(options.endpoint, options.signal) : options.kind;
  if (kind === "onedoor") {
    if (options.selection === undefined) return createGatewayToolServer(options);
    const { selectionQuery } = await import("./selection-query.ts");
    return createGatewayToolServer({ ...options, query: selectionQuery(options.selection) });
  }
  if (options.mustSelect === true) throw cannotSelect(options.endpoint);
  const { connectMcpToolServer } = await import("./mcp-tool-server.ts");
  return connectMcpToolServer(options);
}

/** For a server that has no servers behind it. */
export function cannotSelect(endpoint: string): AppError {
  return new AppError("usage", `${shownAddress(endpoint)} is no OneDoor gateway`, {
    hint: "Leave out --preset, --tags, --filter: they choose among the servers of a gateway",
  });
}
