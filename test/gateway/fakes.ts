import type { SignInWay } from "../../src/auth/authenticator.ts";
import type { Door } from "../../src/auth/door.ts";
import type { AuditEvent, AuditSink } from "../../src/core/audit.ts";
import type { AuthConfiguration, ServerConfiguration } from "../../src/core/configuration.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Logger } from "../../src/core/logger.ts";
import type { CallToolResult, Tool } from "../../src/core/mcp.ts";
import type { Principal } from "../../src/core/principal.ts";
import { createGateway } from "../../src/gateway/create-gateway.ts";
import type { CallerContext, Gateway } from "../../src/gateway/gateway.ts";
import type {
  CallOptions,
  Upstream,
  UpstreamPool,
  UpstreamState,
} from "../../src/upstream/upstream.ts";

export const ready: UpstreamState = { kind: "ready", era: "legacy" };
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
  tools: readonly Tool[];
  instructions: string | undefined;
  stderrTail: readonly string[];
  calls: { params: JsonObject; options: CallOptions }[];
  answer: (params: JsonObject, options: CallOptions) => CallToolResult | Promise<CallToolResult>;
}

export function fakeUpstream(name: string, tools: readonly Tool[] = [echoTool]): FakeUpstream {
  const upstream: FakeUpstream = {
    name,
    state: ready,
    tools,
    serverInfo: { name: `${name}-server`, version: "1" },
    instructions: undefined,
    stderrTail: [],
    calls: [],
    answer: ({ arguments: args }) => ({ content: [{ type: "text", text: JSON.stringify(args) }] }),
    async callTool(params, options) {
      upstream.calls.push({ params, options });
      return upstream.answer(params, options);
    },
    close: () => Promise.resolve(),
  };
  return upstream;
}

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
    command: "true",
    args: [],
    env: {},
    ...more,
  };
}

export interface FakePool extends UpstreamPool {
  upstreams: Map<string, Upstream>;
  changed(): void;
}

function fakePool(upstreams: readonly Upstream[]): FakePool {
  const listeners = new Set<() => void>();
  return {
    upstreams: new Map(upstreams.map((upstream) => [upstream.name, upstream])),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    changed: () => {
      for (const listener of listeners) listener();
    },
    close: () => Promise.resolve(),
  };
}

const ada: Principal = {
  userId: "ada",
  displayName: "Ada",
  organizationId: "acme",
  role: "admin",
  scopes: [],
  method: "token",
  expiresAtMs: Date.UTC(2030, 0, 1),
};

export const goodToken = "good-token";

/** Lets `good-token` in as Ada; `down-token` cannot be judged; everything else is rejected. */
export function fakeDoor(type: SignInWay["type"] = "token"): Door {
  return {
    ways: [{ type, description: "With a token" }],
    authenticate({ bearer }) {
      if (type === "none" || bearer === goodToken) {
        return Promise.resolve({ kind: "accepted", principal: ada });
      }
      if (bearer === undefined) return Promise.resolve({ kind: "absent" });
      return Promise.resolve(
        bearer === "down-token"
          ? { kind: "unavailable", reason: "The auth server does not answer" }
          : { kind: "rejected", reason: "The token is not known here" },
      );
    },
  };
}

export function fakeAudit(): AuditSink & { events: AuditEvent[] } {
  const events: AuditEvent[] = [];
  return { events, append: (event) => void events.push(event), flush: () => Promise.resolve() };
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
};

export interface GatewayFixture {
  gateway: Gateway;
  pool: FakePool;
  audit: ReturnType<typeof fakeAudit>;
  servers: Map<string, ServerConfiguration>;
}

/** A gateway of fake upstreams; each is configured under its own name unless told otherwise. */
export function gatewayOf(
  upstreams: readonly Upstream[],
  options: {
    servers?: readonly ServerConfiguration[];
    logger?: Logger;
    startWindowMs?: number;
    door?: Door;
    auth?: readonly AuthConfiguration[];
  } = {},
): GatewayFixture {
  const pool = fakePool(upstreams);
  const audit = fakeAudit();
  const configured = options.servers ?? upstreams.map(({ name }) => serverConfiguration(name));
  const servers = new Map(configured.map((server) => [server.name, server]));
  let clock = 1_000;
  let ids = 0;
  const gateway = createGateway({
    door: options.door ?? fakeDoor(),
    pool,
    servers: () => servers,
    auth: options.auth ?? [],
    audit,
    now: () => (clock += 5),
    newId: () => `id-${++ids}`,
    logger: options.logger ?? silentLogger,
    startWindowMs: options.startWindowMs,
  });
  return { gateway, pool, audit, servers };
}
