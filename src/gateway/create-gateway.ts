import type { Door } from "../auth/door.ts";
import type { AuditSink, AuditStatus } from "../core/audit.ts";
import type { AuthConfiguration, ServerConfiguration } from "../core/configuration.ts";
import { configuredSecrets } from "../core/configured-secrets.ts";
import { AppError, type ErrorCode } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import type { Logger } from "../core/logger.ts";
import type { CallToolResult } from "../core/mcp.ts";
import { prepareArguments } from "../core/prepare-arguments.ts";
import { redactParams } from "../core/redact.ts";
import { renderInstructions } from "../core/render-instructions.ts";
import { oneLine } from "../core/terminal-text.ts";
import { exposedToolName } from "../core/tool-name.ts";
import type { UpstreamPool } from "../upstream/upstream.ts";
import type { CallerContext, Gateway, GatewayCall } from "./gateway.ts";
import { createLiveCatalog } from "./live-catalog.ts";
import { createRefusalRecord } from "./refusal-record.ts";
import { findServer, routeCall, type Route } from "./route-call.ts";
import { availabilityOf, detailOf, summaryOf } from "./server-view.ts";

export interface GatewayOptions {
  door: Door;
  pool: UpstreamPool;
  /** The configured servers as they are now; asked for at each use, so a reload needs no telling. */
  servers: () => ReadonlyMap<string, ServerConfiguration>;
  /** The configured ways to sign in: their static tokens must not stand in the audit. */
  auth: readonly AuthConfiguration[];
  audit: AuditSink;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
  logger: Logger;
  /** How long `started` waits for servers that are neither ready nor failed; milliseconds. */
  startWindowMs?: number | undefined;
}

/** However much progress a call reports, it ends after this: one hour. */
const longestCallMs = 60 * 60 * 1000;
const defaultStartWindowMs = 5_000;

export function createGateway(options: GatewayOptions): Gateway {
  const { door, pool, servers, auth, audit, now, newId, logger } = options;
  const catalog = createLiveCatalog(pool, servers);
  const listeners = new Set<() => void>();
  const secrets = new WeakMap<ReadonlyMap<string, ServerConfiguration>, string[]>();

  const refusals = createRefusalRecord({ audit, now, newId });

  const isSettled = (): boolean =>
    catalog.servers().every(({ upstream }) => availabilityOf(upstream).state !== "starting");

  const start = createStart(options.startWindowMs ?? defaultStartWindowMs);

  let announced = catalog.current();
  for (const collision of announced.collisions) logger.warn("A tool name is taken", { collision });
  pool.onChange(() => {
    if (isSettled()) start.mark();
    const current = catalog.current();
    if (current === announced) return;
    const known = new Set(announced.collisions);
    announced = current;
    for (const collision of current.collisions) {
      if (!known.has(collision)) logger.warn("A tool name is taken", { collision });
    }
    for (const listener of listeners) listener();
  });
  if (isSettled()) start.mark();

  const secretsNow = (): string[] => {
    const configured = servers();
    const known = secrets.get(configured) ?? configuredSecrets(configured.values(), auth);
    secrets.set(configured, known);
    return known;
  };

  const record = (
    caller: CallerContext,
    call: { toolName: string; startedMs: number; status: AuditStatus; args: JsonObject },
  ): void => {
    const { principal, clientName, sessionId, projectId } = caller;
    audit.append({
      id: newId(),
      timeMs: call.startedMs,
      toolName: call.toolName,
      params: redactParams(call.args, { secrets: secretsNow() }),
      status: call.status,
      durationMs: Math.max(0, now() - call.startedMs),
      userId: principal.userId,
      organizationId: principal.organizationId,
      projectId,
      sessionId,
      clientName,
    });
  };

  return {
    signInWays: door.ways,
    authenticate: (credentials) => door.authenticate(credentials),

    listTools: () => catalog.current().tools,
    listServers: () => catalog.servers().map(summaryOf),
    inspectServer: (_caller, server) => detailOf(findServer(catalog, server)),
    inspectTool: (_caller, server, tool) => routeCall(catalog, { server, tool }).tool,

    async callTool(caller, call) {
      const startedMs = now();
      let toolName = namedTool(call);
      let args = givenArguments(call);
      let status: AuditStatus = "error";
      try {
        const route = routeCall(catalog, call.address);
        toolName = exposedToolName(route.configuration.prefix, route.tool.name);
        const prepared = prepareArguments(
          `${route.configuration.name}/${route.tool.name}`,
          route.tool,
          {
            ...call,
            arguments: call.params["arguments"],
          },
        );
        args = prepared ?? {};
        const result = await callUpstream(route, call, prepared);
        status = result["isError"] === true ? "error" : "success";
        return result;
      } catch (error) {
        status = statusOf(error);
        throw error;
      } finally {
        record(caller, { toolName, startedMs, status, args });
      }
    },

    recordRefusal: (toolName, caller) => refusals.add(toolName, caller),
    flushRefusals: () => refusals.flush(),

    instructions: (_caller, audience) =>
      renderInstructions(catalog.servers().map(detailOf), audience),

    get collisions() {
      return catalog.current().collisions;
    },
    get settled() {
      return isSettled();
    },
    started: start.done,
    onToolsChanged(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The result is the object that the upstream's answer was parsed to; nothing here looks into it. */
function callUpstream(
  { configuration, upstream, tool }: Route,
  call: GatewayCall,
  args: JsonObject | undefined,
): Promise<CallToolResult> {
  const timeoutMs = Math.min(configuration.timeoutMs, call.timeoutMs ?? Number.POSITIVE_INFINITY);
  const params: JsonObject = { ...call.params, name: tool.name };
  if (args !== undefined) params["arguments"] = args;
  return upstream.callTool(params, {
    signal: call.signal,
    timeoutMs,
    maxTotalMs: Math.max(timeoutMs, longestCallMs),
    onProgress: call.onProgress,
  });
}

/** Refused before the tool could run, as opposed to failed. */
const refusalCodes: ReadonlySet<ErrorCode> = new Set([
  "forbidden",
  "auth_required",
  "auth_rejected",
  "rate_limited",
]);

function statusOf(error: unknown): AuditStatus {
  return error instanceof AppError && refusalCodes.has(error.code) ? "denied" : "error";
}

/** A promise that is kept when marked, or when the window is over. Holds no process open. */
function createStart(windowMs: number): { done: Promise<void>; mark(): void } {
  let keep: (() => void) | undefined;
  const done = new Promise<void>((resolve) => {
    keep = resolve;
  });
  const window = setTimeout(() => keep?.(), windowMs);
  window.unref();
  return {
    done,
    mark() {
      clearTimeout(window);
      keep?.();
    },
  };
}

/** What the audit row says of a tool that was asked for and not found. */
function namedTool({ address }: GatewayCall): string {
  const name =
    "exposedName" in address ? address.exposedName : `${address.server}__${address.tool}`;
  return oneLine(name, 200);
}

/** What the audit row says of arguments that were not even typed. */
function givenArguments({ params, untyped }: GatewayCall): JsonObject {
  const given = params["arguments"];
  return { ...(isJsonObject(given) ? given : {}), ...untyped };
}
