import type { ServerConfiguration } from "../../src/core/configuration.ts";
import type { ChangeRow } from "../../src/core/change.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Logger } from "../../src/core/logger.ts";
import { emptyListing } from "../../src/core/mcp.ts";
import type { Listing, Tool } from "../../src/core/mcp.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { Storage } from "../../src/core/storage.ts";
import { openToolPins } from "../../src/gateway/create-tool-pins.ts";
import type { KeptToolPins } from "../../src/gateway/create-tool-pins.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { createListeners } from "../../src/upstream/listeners.ts";
import { ada, fakeUpstream, serverConfiguration } from "./fakes.ts";
import type { FakeUpstream } from "./fakes.ts";

export const readTool: Tool = {
  name: "look",
  description: "Looks",
  inputSchema: { type: "object" },
  annotations: { readOnlyHint: true },
};
export const otherRead: Tool = { ...readTool, description: "Looks, and tells others" };
export const writeTool: Tool = { ...readTool, annotations: {} };

export function listingOf(...tools: Tool[]): Listing {
  return { ...emptyListing, tools };
}

export interface LogLine {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

/** Pins of one server `fs`, whose every listing a test decides. */
export interface PinnedWorld {
  pins: KeptToolPins;
  upstream: FakeUpstream;
  lines: LogLine[];
  clock: { ms: number };
  server(): ServerConfiguration;
  configure(more: Parameters<typeof serverConfiguration>[1], written?: JsonObject): void;
  /** The server lists these from now on, to all. */
  list(...tools: Tool[]): void;
  /** What of the common listing is withheld. */
  withheld(): string[];
  /** Names what waits, as `+name` for what is new and `!name` for what became a write tool. */
  waiting(): string[];
  approve(tool?: string | null): Promise<unknown>;
  rows(): Promise<ChangeRow[]>;
  /** Another gateway with the same storage. */
  restart(): Promise<PinnedWorld>;
}

export async function pinnedWorld(
  more: Parameters<typeof serverConfiguration>[1] = {},
  storage: Storage = createMemoryStorage(),
): Promise<PinnedWorld> {
  const lines: LogLine[] = [];
  const note =
    (level: string): Logger["warn"] =>
    (message, fields = {}) =>
      void lines.push({ level, message, fields });
  const logger = {
    debug: note("debug"),
    info: note("info"),
    warn: note("warn"),
    error: note("error"),
  };
  const clock = { ms: 1_000 };
  let settings = more;
  let server = serverConfiguration("fs", more);
  let written: JsonObject = { command: "fs-server", args: ["."] };
  let ids = 0;
  const upstream = fakeUpstream("fs", emptyListing);
  upstream.state = { kind: "starting", attempt: 1 };
  const changes = createListeners<[]>();
  const pins = await openToolPins({
    storage,
    servers: () => new Map([["fs", server]]),
    writtenServers: () => new Map([["fs", written]]),
    now: () => clock.ms,
    newId: () => `${Math.random()}-${++ids}`,
    logger,
  });
  pins.watch({
    upstreams: new Map([["fs", upstream]]),
    onChange: (listener) => changes.add(listener),
  });
  return {
    pins,
    upstream,
    lines,
    clock,
    server: () => server,
    configure(changed, nowWritten = written) {
      settings = { ...settings, ...changed };
      server = serverConfiguration("fs", settings);
      written = nowWritten;
      changes.tell();
    },
    list(...tools) {
      upstream.state = { kind: "ready", era: "legacy" };
      upstream.listing = listingOf(...tools.map((tool) => structuredClone(tool)));
      changes.tell();
    },
    withheld: () => [...pins.withheld(server, upstream.listing)],
    waiting: () =>
      pins
        .changesOf(server)
        .map(
          ({ tool, kind, becameWrite }) =>
            `${kind === "new" ? "+" : ""}${becameWrite ? "!" : ""}${tool ?? "(instructions)"}`,
        ),
    async approve(tool) {
      const change = pins.changesOf(server).find((one) => one.tool === tool);
      return pins.approve(server, { tool: tool ?? null, hash: change?.hash ?? "" }, () => ada);
    },
    async rows() {
      await pins.close();
      const page = await storage.changePage(systemPrincipal, { entity: "tool", limit: 10_000 });
      return page.rows.toReversed();
    },
    async restart() {
      await pins.close();
      return pinnedWorld(settings, storage);
    },
  };
}
