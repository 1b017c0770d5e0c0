import type { JsonObject } from "../../../src/core/json.ts";
import type { McpConnection, OpenOptions } from "../../../src/mcp-client/mcp-connection.ts";
import { openMcpConnection } from "../../../src/mcp-client/open-mcp-connection.ts";
import { createFakeTransport, discovered, initialized } from "./fake-transport.ts";
import type { FakeTransport } from "./fake-transport.ts";

export const signal = (): AbortSignal => AbortSignal.timeout(20_000);

/** Options for opening a connection, with a client that can be asked nothing. */
export function openOptions(
  transport: OpenOptions["transport"],
  more: Partial<OpenOptions> = {},
): OpenOptions {
  return {
    transport,
    clientInfo: { name: "test", version: "9" },
    capabilities: {},
    mode: "auto",
    probeMs: 20_000,
    signal: signal(),
    onNotification: () => undefined,
    ...more,
  };
}

export interface Opened {
  connection: McpConnection;
  transport: FakeTransport;
  /** What the connection's own listener heard. */
  heard: [method: string, params: JsonObject][];
}

async function open(
  transport: FakeTransport,
  more: Partial<OpenOptions>,
  respond: () => Promise<void>,
): Promise<Opened> {
  const heard: Opened["heard"] = [];
  const opening = openMcpConnection(
    openOptions(transport, {
      onNotification: (method, params) => heard.push([method, params]),
      ...more,
    }),
    { firstMs: 1, longestMs: 1, mostFailures: 3 },
  );
  await respond();
  return { connection: await opening, transport, heard };
}

export function openModern(
  kind: "pipe" | "http" = "http",
  more: Partial<OpenOptions> = {},
): Promise<Opened> {
  const transport = createFakeTransport(kind);
  return open(transport, more, async () => {
    transport.answer(await transport.next("server/discover"), discovered);
  });
}

export function openLegacy(
  kind: "pipe" | "http" = "http",
  more: Partial<OpenOptions> = {},
): Promise<Opened> {
  const transport = createFakeTransport(kind, { hasSession: kind === "http" });
  return open(transport, { mode: "legacy", ...more }, async () => {
    transport.answer(await transport.next("initialize"), initialized);
  });
}
