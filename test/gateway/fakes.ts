import { randomBytes } from "node:crypto";
import type { SignInWay } from "../../src/auth/authenticator.ts";
import type { Door } from "../../src/auth/door.ts";
import type { AuditEvent, AuditSink } from "../../src/core/audit.ts";
import { silentClient } from "../../src/core/client-port.ts";
import type { ClientPort, ClientSession } from "../../src/core/client-port.ts";
import type { CallLimits } from "../../src/core/call-limits.ts";
import type { CallMetrics } from "../../src/core/call-metrics.ts";
import type {
  AuthConfiguration,
  Preset,
  Presets,
  ServerAccess,
  ServerConfiguration,
} from "../../src/core/configuration.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { rpcCodes, RpcFault } from "../../src/core/json-rpc.ts";
import type { Logger } from "../../src/core/logger.ts";
import { emptyListing } from "../../src/core/mcp.ts";
import type { Listing, Tool } from "../../src/core/mcp.ts";
import type { Principal } from "../../src/core/principal.ts";
import { createGateway } from "../../src/gateway/create-gateway.ts";
import type { CallerContext, Gateway } from "../../src/gateway/gateway.ts";
import type { ToolPins } from "../../src/gateway/tool-pins.ts";
import { createListeners } from "../../src/upstream/listeners.ts";
import type {
  Upstream,
  UpstreamPool,
  UpstreamRequest,
  UpstreamState,
} from "../../src/upstream/upstream.ts";

export const ready: UpstreamState = { kind: "ready", era: "legacy" };
export const readyModern: UpstreamState = { kind: "ready", era: "modern" };
export const starting: UpstreamState = { kind: "starting", attempt: 1 };
export const failed = (reason: string): UpstreamState => ({
  kind: "waiting",
  reason,
  retryAtMs: 1,
  attempt: 1,
});

export const echoTool: Tool = {
  name: "echo",
  description: "Echoes",
  inputSchema: {
    type: "object",
    properties: { message: { type: "string" }, times: { type: "integer" } },
    required: ["message"],
    additionalProperties: false,
  },
};

/** An upstream whose every answer a test decides; it remembers what it was asked. */
export interface FakeUpstream extends Upstream {
  state: UpstreamState;
  /** Give it a new object to change it, then call the pool's `changed`. */
  listing: Listing;
  listingProblems: readonly string[];
  /** What it lists to this client, in place of `listing`. */
  listFor: ((client: ClientPort) => Listing | Promise<Listing>) | undefined;
  capabilities: JsonObject;
  instructions: string | undefined;
  stderrTail: readonly string[];
  connections: number;
  /** Every request it got, in order. */
  requests: UpstreamRequest[];
  /** Answers them; throws what a server or a connection would. */
  answer: (request: UpstreamRequest) => JsonObject | Promise<JsonObject>;
  /** `subscribe <uri> <session or common>` and the like, in order. */
  told: string[];
  /** Which connection it says will tell of what was subscribed to. */
  tellsOver: "own" | "common";
}

const everyCapability: JsonObject = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
};

function who({ session }: ClientPort): string {
  return session?.id ?? "common";
}

/** @param listing what it lists; one tool `echo` when left out */
export function fakeUpstream(
  name: string,
  listing: Partial<Listing> = { tools: [echoTool] },
): FakeUpstream {
  const upstream: FakeUpstream = {
    name,
    state: ready,
    listing: { ...emptyListing, ...listing },
    listingProblems: [],
    listFor: undefined,
    capabilities: everyCapability,
    serverInfo: { name: `${name}-server`, version: "1" },
    instructions: undefined,
    stderrTail: [],
    connections: 1,
    requests: [],
    told: [],
    tellsOver: "common",
    answer: ({ params }) => ({
      content: [{ type: "text", text: JSON.stringify(params["arguments"] ?? null) }],
    }),
    async listingFor(client) {
      return upstream.listFor === undefined ? upstream.listing : upstream.listFor(client);
    },
    async request(request) {
      upstream.requests.push(request);
      return upstream.answer(request);
    },
    async subscribe(uri, client) {
      upstream.told.push(`subscribe ${uri} ${who(client)}`);
      return upstream.tellsOver;
    },
    async unsubscribe(uri, client) {
      upstream.told.push(`unsubscribe ${uri} ${who(client)}`);
    },
    async setLogLevel(level, session) {
      upstream.told.push(`setLogLevel ${level} ${session.id}`);
    },
    rootsChanged(session) {
      upstream.told.push(`rootsChanged ${session.id}`);
    },
    restart() {
      upstream.told.push("restart");
    },
    close: () => Promise.resolve(),
  };
  return upstream;
}

/** For all, and believed where it says that a tool only reads: as a server is that runs here. */
export const open: ServerAccess = { read: [], write: [], organizations: [], trustHints: true };

export function serverConfiguration(
  name: string,
  more: Partial<Extract<ServerConfiguration, { type: "stdio" }>> = {},
): ServerConfiguration {
  return {
    type: "stdio",
    name,
    prefix: name,
    tags: [],
    disabled: false,
    timeoutMs: 60_000,
    connection: "shared",
    connectionWritten: false,
    tools: { allow: [], deny: [], descriptions: {} },
    pin: "off",
    access: open,
    command: "true",
    args: [],
    env: {},
    ...more,
  };
}

export interface FakePool extends UpstreamPool {
  upstreams: Map<string, Upstream>;
  /** A state or a common listing changed. */
  changed(): void;
  sessionListingChanged(session: ClientSession): void;
  resourceUpdated(server: string, params: JsonObject, session?: ClientSession): void;
}

function fakePool(upstreams: readonly Upstream[]): FakePool {
  const onChange = createListeners<[]>();
  const onSession = createListeners<[ClientSession]>();
  const onUpdated = createListeners<[string, JsonObject, ClientSession | undefined]>();
  return {
    upstreams: new Map(upstreams.map((upstream) => [upstream.name, upstream])),
    onChange: (listener) => onChange.add(listener),
    onSessionListingChanged: (listener) => onSession.add(listener),
    onResourceUpdated: (listener) => onUpdated.add(listener),
    changed: () => onChange.tell(),
    sessionListingChanged: (session) => onSession.tell(session),
    resourceUpdated: (server, params, session) => {
      onUpdated.tell(server, params, session);
    },
    close: () => Promise.resolve(),
  };
}

/** What was said to a client, and what it answers when it is asked. */
export interface FakeClient extends ClientPort {
  capabilities: JsonObject;
  asked: { method: string; params: JsonObject }[];
  told: { method: string; params: JsonObject }[];
  answer: (method: string, params: JsonObject) => JsonObject | Promise<JsonObject>;
}

/** A modern client; asking it while its request runs is the gateway's business, so `request` refuses. */
export function modernClient(capabilities: JsonObject = {}, owner = "ada"): FakeClient {
  const client: FakeClient = {
    era: "modern",
    owner,
    capabilities,
    session: undefined,
    logLevel: undefined,
    asked: [],
    told: [],
    answer: () => {
      throw new RpcFault({ code: rpcCodes.methodNotFound, message: "It cannot be reached" });
    },
    async request(method, params) {
      client.asked.push({ method, params });
      return client.answer(method, params);
    },
    notify(method, params) {
      client.told.push({ method, params });
    },
  };
  return client;
}

/** A session of a legacy client, and the port of its requests. */
export function legacyClient(
  id: string,
  capabilities: JsonObject = {},
  owner = "ada",
): FakeClient & { session: ClientSession; end(): void } {
  const ended = new AbortController();
  const port = modernClient(capabilities, owner);
  const session: ClientSession = {
    id,
    capabilities,
    logLevel: undefined,
    ended: ended.signal,
    request: (method, params, signal) => port.request(method, params, signal),
    notify: (method, params) => {
      port.notify(method, params);
    },
  };
  return Object.assign(port, {
    era: "legacy" as const,
    session,
    end: () => {
      ended.abort();
    },
  });
}

/** Administers the gateway. */
export const ada: Principal = {
  userId: "ada",
  displayName: "Ada",
  organizationId: null,
  role: "admin",
  scopes: [],
  method: "token",
  isLocalOwner: false,
  expiresAtMs: Date.UTC(2030, 0, 1),
};
export const bob: Principal = { ...ada, userId: "bob", displayName: "Bob", role: "viewer" };

export const eve: Principal = { ...ada, userId: "eve", displayName: "Eve", role: "editor" };

export const goodToken = "good-token";

/** Lets `good-token` in as Ada; `down-token` cannot be judged; everything else is rejected. */
export function fakeDoor(type: SignInWay["type"] = "token"): Door {
  return {
    ways: [{ type, description: "With a token" }],
    authenticate({ bearer }) {
      if (type === "none" || bearer === goodToken) {
        return Promise.resolve({ kind: "accepted", principal: ada });
      }
      if (bearer === "bob-token") return Promise.resolve({ kind: "accepted", principal: bob });
      if (bearer === "eve-token") return Promise.resolve({ kind: "accepted", principal: eve });
      if (bearer === undefined) return Promise.resolve({ kind: "absent" });
      return Promise.resolve(
        bearer === "down-token"
          ? { kind: "unavailable", reason: "The auth server does not answer" }
          : { kind: "rejected", reason: "The token is not known here" },
      );
    },
    renew: (principal) => principal,
    onChanged: () => undefined,
    revoke: () => Promise.resolve(false),
    replace: () => undefined,
  };
}

export function fakeAudit(): AuditSink & { events: AuditEvent[] } {
  const events: AuditEvent[] = [];
  return {
    events,
    append: (event) => void events.push(event),
    flush: () => Promise.resolve(),
    queued: 0,
    dropped: 0,
  };
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export const caller: CallerContext = {
  principal: ada,
  clientName: "test",
  sessionId: "s1",
  projectId: "p1",
  client: silentClient,
};

export function callerWith(client: ClientPort, principal: Principal = ada): CallerContext {
  return { ...caller, principal, client };
}

export interface GatewayFixture {
  gateway: Gateway;
  pool: FakePool;
  audit: ReturnType<typeof fakeAudit>;
  servers: Map<string, ServerConfiguration>;
  /** Loads the configuration anew, with these servers; presets stay unless given. */
  configure: (
    servers: readonly ServerConfiguration[],
    presets?: Readonly<Record<string, Preset>>,
  ) => void;
}

export interface FixtureOptions {
  servers?: readonly ServerConfiguration[];
  logger?: Logger;
  startWindowMs?: number;
  door?: Door;
  auth?: readonly AuthConfiguration[];
  now?: () => number;
  names?: "prefixed" | "own";
  limits?: CallLimits;
  metrics?: CallMetrics;
  presets?: Readonly<Record<string, Preset>>;
  pins?: ToolPins;
}

/** A gateway of fake upstreams; each is configured under its own name unless told otherwise. */
export function gatewayOf(
  upstreams: readonly Upstream[],
  options: FixtureOptions = {},
): GatewayFixture {
  const pool = fakePool(upstreams);
  const servers = options.servers ?? upstreams.map(({ name }) => serverConfiguration(name));
  const over = gatewayOver(pool, servers, options);
  return {
    ...over,
    pool,
    configure(changed, presets) {
      over.configure(changed, presets);
      pool.changed();
    },
  };
}

function mapOf(listed: readonly ServerConfiguration[]): Map<string, ServerConfiguration> {
  return new Map(listed.map((server) => [server.name, server]));
}

/** A gateway over any pool; everything beside it is fake. */
export function gatewayOver(
  pool: UpstreamPool,
  configured: readonly ServerConfiguration[],
  options: Omit<FixtureOptions, "servers"> = {},
): Omit<GatewayFixture, "pool"> {
  const audit = fakeAudit();
  const servers = mapOf(configured);
  let current = servers;
  let presets: Presets = new Map(Object.entries(options.presets ?? {}));
  let clock = 1_000;
  let ids = 0;
  const gateway = createGateway({
    door: options.door ?? fakeDoor(),
    pool,
    servers: () => current,
    presets: () => presets,
    pins: options.pins,
    auth: () => options.auth ?? [],
    audit,
    limits: options.limits,
    metrics: options.metrics,
    now: options.now ?? (() => (clock += 5)),
    newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
    randomBytes: (count) => randomBytes(count),
    logger: options.logger ?? silentLogger,
    startWindowMs: options.startWindowMs,
    names: options.names,
  });
  return {
    gateway,
    audit,
    servers,
    configure: (changed, named) => {
      current = mapOf(changed);
      presets = new Map(named === undefined ? presets : Object.entries(named));
    },
  };
}
