import type { Door } from "../auth/door.ts";
import type { AuditSink, AuditStatus } from "../core/audit.ts";
import type { Catalog, NameRule } from "../core/catalog.ts";
import type { AuthConfiguration, ServerConfiguration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import type { Logger } from "../core/logger.ts";
import { prepareArguments } from "../core/prepare-arguments.ts";
import { renderInstructions } from "../core/render-instructions.ts";
import { oneLine } from "../core/terminal-text.ts";
import { exposedToolName } from "../core/tool-name.ts";
import type { UpstreamPool } from "../upstream/upstream.ts";
import { createCallRecord } from "./call-record.ts";
import { createExchange } from "./exchange.ts";
import type { Gateway, GatewayCall } from "./gateway.ts";
import { createListChanges } from "./list-changes.ts";
import { createLiveCatalog } from "./live-catalog.ts";
import { createRefusalRecord } from "./refusal-record.ts";
import { RequestFault } from "./request-fault.ts";
import { createResourceRequests } from "./resource-requests.ts";
import { createRoutes, findServer, listedTool } from "./routes.ts";
import { availabilityOf, detailOf, statusOf, summaryOf } from "./server-view.ts";
import { createSubscriptions } from "./subscriptions.ts";

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
  /** Unguessable. */
  randomBytes: (count: number) => Uint8Array;
  logger: Logger;
  /** How long `started` waits for servers that are neither ready nor failed; milliseconds. */
  startWindowMs?: number | undefined;
  /** `own`: names and URIs of its one server go through as they are; "prefixed" unless given. */
  names?: NameRule | undefined;
}

const defaultStartWindowMs = 5_000;

export function createGateway(options: GatewayOptions): Gateway {
  const { door, pool, servers, auth, audit, now, newId, logger, names = "prefixed" } = options;
  const catalog = createLiveCatalog({ pool, configured: servers, names });
  const routes = createRoutes(catalog, names);
  const exchange = createExchange(options);
  const resources = createResourceRequests(routes, exchange, createSubscriptions(pool, logger));
  const refusals = createRefusalRecord({ audit, now, newId });
  const record = createCallRecord({ audit, now, newId, servers, auth });

  const isSettled = (): boolean =>
    catalog.servers().every(({ upstream }) => availabilityOf(upstream).state !== "starting");

  const warnOf = createCollisionWarning(logger);
  warnOf(catalog.common());
  const changes = createListChanges(pool, catalog, warnOf);
  const start = createStart(options.startWindowMs ?? defaultStartWindowMs);
  const stopWatching = pool.onChange(() => {
    if (isSettled()) start.mark();
  });
  if (isSettled()) start.mark();

  const toolNameOf = (prefix: string, own: string): string =>
    names === "own" ? own : exposedToolName(prefix, own);

  return {
    signInWays: door.ways,
    authenticate: (credentials) => door.authenticate(credentials),

    async list({ client }, kind) {
      const view = await catalog.view(client);
      changes.listed(client, view);
      return view.listings[client.era][kind];
    },
    exposedTool: ({ client }, exposedName) =>
      (catalog.known(client) ?? catalog.common()).tools.get(exposedName)?.entry,
    listServers: () => catalog.servers().map(summaryOf),
    serverStatus: () => catalog.servers().map((server) => statusOf(server, catalog.common())),
    restartServer: (_caller, server) => findServer(catalog, server).upstream?.restart(),
    inspectServer: (_caller, server) => detailOf(findServer(catalog, server), catalog.common()),
    inspectTool: (_caller, server, tool) => listedTool(catalog, server, tool),

    async callTool(caller, call) {
      const startedMs = now();
      let toolName = namedTool(call);
      let args = givenArguments(call);
      let status: AuditStatus = "error";
      try {
        const { entry, name, ...target } = await routes.tool(caller.client, call.address);
        const { configuration } = target;
        toolName = toolNameOf(configuration.prefix, name);
        const params: JsonObject = { ...call.params, name };
        if (entry !== undefined) {
          const given = { ...call, arguments: call.params["arguments"] };
          const prepared = prepareArguments(`${configuration.name}/${name}`, entry, given);
          args = prepared ?? {};
          if (prepared !== undefined) params["arguments"] = prepared;
        }
        const { signal, onProgress, timeoutMs } = call;
        const result = await exchange.send(caller, {
          target,
          method: "tools/call",
          name,
          params,
          signal,
          onProgress,
          timeoutMs,
        });
        status = result["isError"] === true ? "error" : "success";
        return result;
      } catch (error) {
        status = statusOfFailure(error);
        throw error;
      } finally {
        record(caller, { toolName, startedMs, status, args });
      }
    },

    async getPrompt(caller, { params, ...request }) {
      const { name: exposedName } = params;
      if (typeof exposedName !== "string") throw new RequestFault("params.name must be a string");
      const { name, entry: _entry, ...target } = await routes.prompt(caller.client, exposedName);
      const sent = { ...params, name };
      return exchange.send(caller, {
        ...request,
        target,
        method: "prompts/get",
        name,
        params: sent,
      });
    },
    readResource: (caller, request) => resources.read(caller, request),
    complete: (caller, request) => resources.complete(caller, request),
    subscribeResource: (caller, uri, onUpdated) => resources.subscribe(caller, uri, onUpdated),

    setLogLevel(session, level) {
      for (const { upstream } of catalog.servers()) {
        upstream?.setLogLevel(level, session).catch((error: unknown) => {
          logger.debug("A server was not told the log level", { server: upstream.name, error });
        });
      }
    },
    rootsChanged(session) {
      for (const { upstream } of catalog.servers()) upstream?.rootsChanged(session);
    },

    recordRefusal: (toolName, caller) => refusals.add(toolName, caller),
    flushRefusals: () => refusals.flush(),

    instructions: (_caller, audience) =>
      renderInstructions(
        catalog.servers().map((server) => detailOf(server, catalog.common())),
        audience,
      ),

    get collisions() {
      return catalog.common().collisions;
    },
    get settled() {
      return isSettled();
    },
    started: start.done,
    onListsChanged: (listener) => changes.onChanged(listener),
    close() {
      stopWatching();
      changes.close();
      exchange.close();
    },
  };
}

/** Refused before the tool could run, as opposed to failed. */
const refusalCodes: ReadonlySet<ErrorCode> = new Set([
  "forbidden",
  "auth_required",
  "auth_rejected",
  "rate_limited",
]);

function statusOfFailure(error: unknown): AuditStatus {
  return error instanceof AppError && refusalCodes.has(error.code) ? "denied" : "error";
}

/** Logs each collision once for as long as it lasts. */
function createCollisionWarning(logger: Logger): (catalog: Catalog) => void {
  let known: ReadonlySet<string> = new Set();
  return ({ collisions }) => {
    for (const collision of collisions) {
      if (!known.has(collision)) logger.warn("A name is taken", { collision });
    }
    known = new Set(collisions);
  };
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

/** What the audit row says of arguments that were not even typed; a copy only where there is something to add. */
function givenArguments({ params, untyped = {} }: GatewayCall): JsonObject {
  const given = isJsonObject(params["arguments"]) ? params["arguments"] : {};
  return Object.keys(untyped).length === 0 ? given : { ...given, ...untyped };
}
