import type { JsonObject } from "../../src/core/json.ts";
import { emptyListing } from "../../src/core/mcp.ts";
import type { Listing, ListKind } from "../../src/core/mcp.ts";
import type { Principal } from "../../src/core/principal.ts";
import { AppError } from "../../src/core/errors.ts";
import type { ClientSession } from "../../src/core/client-port.ts";
import type {
  CallerContext,
  Gateway,
  GatewayCall,
  ListsChanged,
  RoutedRequest,
} from "../../src/gateway/gateway.ts";

export const people: Readonly<Record<string, Principal>> = Object.fromEntries(
  ["ada", "bob"].map((userId) => [
    `${userId}-token`,
    {
      userId,
      displayName: userId,
      organizationId: null,
      role: "admin" as const,
      scopes: [],
      method: "token" as const,
      isLocalOwner: false,
    },
  ]),
);

export type FakeWork = (
  request: RoutedRequest,
  caller: CallerContext,
) => JsonObject | Promise<JsonObject>;

/** A gateway whose every answer a test decides; it remembers what it was asked. */
export interface FakeGateway extends Gateway {
  listing: Listing;
  call: FakeWork;
  prompt: FakeWork;
  read: FakeWork;
  completion: FakeWork;
  calls: { caller: CallerContext; call: GatewayCall }[];
  /** `set-level`, `roots-changed`, `subscribe`, `unsubscribe`, with what they were about. */
  told: string[];
  /** URIs that somebody is subscribed to, and how they are told. */
  subscribed: Map<string, Set<(params: JsonObject) => void>>;
  knownUris: (uri: string) => boolean;
  changed(kinds: readonly ListKind[], session?: ClientSession): void;
  updated(uri: string, params?: JsonObject): void;
  /** How many listen for changes of the lists. */
  readonly listeners: number;
}

function nothing(): never {
  throw new Error("not in this test");
}

export function fakeGateway(): FakeGateway {
  const listeners = new Set<ListsChanged>();
  const gateway: FakeGateway = {
    listing: {
      ...emptyListing,
      tools: [{ name: "one__echo", inputSchema: { type: "object" } }],
    },
    call: ({ params }) => ({
      content: [{ type: "text", text: JSON.stringify(params["arguments"] ?? null) }],
    }),
    prompt: () => ({ messages: [] }),
    read: ({ params }) => ({ contents: [{ uri: params["uri"] ?? null, text: "read" }] }),
    completion: () => ({ completion: { values: ["a"] } }),
    calls: [],
    told: [],
    subscribed: new Map(),
    knownUris: () => true,
    changed(kinds, session) {
      for (const listener of listeners) listener(new Set(kinds), session);
    },
    updated(uri, params = { uri }) {
      for (const tell of gateway.subscribed.get(uri) ?? []) tell(params);
    },
    get listeners() {
      return listeners.size;
    },
    signInWays: [{ type: "token", description: "With a token" }],
    selectionOf: () => undefined,
    presets: () => [],
    authenticate({ bearer }) {
      const principal = bearer === undefined ? undefined : people[bearer];
      if (principal !== undefined) return Promise.resolve({ kind: "accepted", principal });
      return Promise.resolve(
        bearer === undefined ? { kind: "absent" } : { kind: "rejected", reason: "Not known" },
      );
    },
    list: (_caller, kind) => Promise.resolve(gateway.listing[kind]),
    listTools: () =>
      Promise.resolve(gateway.listing.tools.map((tool) => ({ server: "one", tool }))),
    exposedTool: (_caller, name) => gateway.listing.tools.find((tool) => tool.name === name),
    listServers: () => [],
    serverStatus: () => [],
    restartServer: nothing,
    inspectServer: nothing,
    inspectTool: nothing,
    async callTool(caller, call) {
      gateway.calls.push({ caller, call });
      return gateway.call(call, caller);
    },
    getPrompt: async (caller, request) => gateway.prompt(request, caller),
    readResource: async (caller, request) => gateway.read(request, caller),
    complete: async (caller, request) => gateway.completion(request, caller),
    async subscribeResource(caller, uri, onUpdated) {
      if (!gateway.knownUris(uri)) throw new AppError("not_found", `No resource ${uri}`);
      gateway.told.push(`subscribe ${uri} ${caller.principal.userId}`);
      const tell = (params: JsonObject): void => onUpdated(params);
      gateway.subscribed.set(uri, (gateway.subscribed.get(uri) ?? new Set()).add(tell));
      return () => {
        gateway.told.push(`unsubscribe ${uri} ${caller.principal.userId}`);
        gateway.subscribed.get(uri)?.delete(tell);
      };
    },
    setLogLevel({ client }, level) {
      gateway.told.push(`set-level ${level} ${client.session?.id ?? "none"}`);
    },
    rootsChanged({ client }) {
      gateway.told.push(`roots-changed ${client.session?.id ?? "none"}`);
    },
    recordRefusal: (toolName) => gateway.told.push(`refused ${toolName}`),
    flushRefusals: () => undefined,
    instructions: (caller, audience) => `for ${caller.principal.userId} over ${audience}`,
    collisions: () => [],
    settled: true,
    started: Promise.resolve(),
    onListsChanged(_caller, listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => undefined,
  };
  return gateway;
}
