import { randomBytes, randomUUID } from "node:crypto";
import { createAnonymousAuthenticator } from "../../auth/anonymous-authenticator.ts";
import { createDoor } from "../../auth/door.ts";
import { createConnections } from "../../client/direct-http.ts";
import { shownAddress } from "../../client/http-json.ts";
import { createSendHttp } from "../../client/send-http.ts";
import { baseOf, mcpEndpointsOf } from "../../client/server-address.ts";
import type { AuditSink } from "../../core/audit.ts";
import type { ServerConfiguration } from "../../core/configuration.ts";
import { AppError } from "../../core/errors.ts";
import type { Principal } from "../../core/principal.ts";
import { version } from "../../core/version.ts";
import { createGateway } from "../../gateway/create-gateway.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { gatewayIdentity } from "../../mcp/mcp-identity.ts";
import type { SendHttp } from "../../mcp-client/transport.ts";
import { serveStdio } from "../../mcp/stdio-server.ts";
import { createUpstreamPool } from "../../upstream/upstream-pool.ts";
import type { Upstream, UpstreamPool } from "../../upstream/upstream.ts";
import type { GlobalOptions, ServerOptions } from "../command.ts";
import { realSource } from "../calling/open-server.ts";
import type { Context, Io } from "../context.ts";
import { chosenServers } from "../selection/chosen-servers.ts";
import { chooseServer } from "../server-choice.ts";
import type { ServerChoice } from "../server-choice.ts";
import { authDependencies } from "../sign-in/dependencies.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";
import {
  atFirstThatAnswers,
  createAuthorizedHttp,
  createFollowingHttp,
} from "./authorized-http.ts";
import { followGateway } from "./follow-gateway.ts";
import type { FollowedServer } from "./follow-gateway.ts";
import { createDescribedHttp } from "./described-http.ts";
import type { ProxiedClient } from "./described-http.ts";
import { gatewayQuery } from "./gateway-query.ts";
import type { GatewayQueryOptions } from "./gateway-query.ts";
import { createPatientGateway } from "./patient-gateway.ts";
import type { PatientGateway } from "./patient-gateway.ts";
import { createProxyLogger } from "./proxy-logger.ts";
import { upstreamIdentity } from "./upstream-identity.ts";

/** The server limits its calls, and the client its patience; between the two nothing should end a call. */
const callMs = 24 * 60 * 60 * 1000;
/** What the query of a gateway's address may say, which `gatewayQuery` has read. */
const gatewayKeys = ["preset", "tags", "filter", "mode"];
/** How long a request waits for a server that is away. */
const waitMs = 5_000;
/** How long requests go on when stdin is closed. */
const graceMs = 5_000;
const maxLineBytes = 64 * 1024 * 1024;
/** Somebody waits for the server to come back: look often. */
const timings = { firstPauseMs: 250, longestPauseMs: 3_000 };

/** Whoever started the program; who that is for the server, the bearer says. */
const user: Principal = {
  userId: "user",
  displayName: "user",
  organizationId: null,
  role: "admin",
  scopes: [],
  method: "none",
  isLocalOwner: false,
};

/** The server writes the audit of its calls. */
const noAudit: AuditSink = {
  append: () => undefined,
  flush: () => Promise.resolve(),
  queued: 0,
  dropped: 0,
};
/** As the client is called that says no name. */
const nameless = "unknown";

/**
 * `agent proxy`: an MCP server on stdin and stdout that is the one at a URL, reached with its saved profile.
 * Ends when stdin does, or with a signal.
 * @throws AppError `auth_required`, `auth_rejected` when the server refuses us at the start; what choosing a
 *   server and reading its profile throws
 */
export async function runProxy(
  options: GlobalOptions & ServerOptions & GatewayQueryOptions,
  context: Context,
  dependencies: AuthDependencies = authDependencies,
): Promise<void> {
  // What is wrong with the command line is said before anything else is.
  await chosenServers(options, {});
  const choice = await chooseServer(options, context, dependencies);
  const project = await realSource.project(context);
  const query = await gatewayQuery(options, choice, project, context);
  if (context.io.stdinIsTerminal) {
    context.io.note(
      "This speaks MCP on stdin and stdout, for a client that starts it; Ctrl-D or Ctrl-C ends it",
    );
  }
  const followed = await followGateway(choice, options, context, dependencies, (moved) => {
    // What the old address refused says nothing of the new one.
    refusals.onTaken();
    context.io.note(`Your gateway is at ${shownAddress(moved.endpoint)} now`);
  });
  const refusals = createRefusals(followed, context.io);
  const http = createEitherHttp();
  const addresses = addressesOf(choice, query);
  const server = serverOf(choice, addresses, options.timeoutMs ?? callMs);
  const servers = new Map([[server.name, server]]);
  const logger = createProxyLogger(context.io, options.debug);
  const said = { ...saidOf(context), projectId: project.project };
  const isGateway = (): boolean =>
    followed.current.choice.server === "onedoor" ||
    pool.upstreams.get(server.name)?.serverInfo?.["name"] === "onedoor";
  const send = createDescribedHttp(http.send, () => (isGateway() ? said : undefined));
  const authorized = createFollowingHttp(followed, ({ credentials }) =>
    createAuthorizedHttp(send, credentials, refusals),
  );
  const pool = createUpstreamPool({
    servers,
    logger,
    now: Date.now,
    version,
    sendHttp: atFirstThatAnswers(authorized, addresses),
    timings,
  });
  try {
    const gateway = createGateway({
      door: createDoor([createAnonymousAuthenticator()], Date.now),
      pool,
      servers: () => servers,
      auth: () => [],
      audit: noAudit,
      now: Date.now,
      newId: randomUUID,
      randomBytes,
      logger,
      startWindowMs: 0,
      names: "own",
    });
    try {
      await serve({ gateway, pool, server, followed, refusals, context, said });
    } finally {
      gateway.close();
    }
  } finally {
    await pool.close();
    http.close();
  }
}

async function serve(parts: {
  gateway: Gateway;
  pool: UpstreamPool;
  server: ServerConfiguration;
  followed: FollowedServer;
  refusals: Refusals;
  context: Context;
  /** What the server's audit is told, completed when the client has said who it is. */
  said: ProxiedClient;
}): Promise<void> {
  const { gateway, pool, server, refusals, context, said } = parts;
  const { io, signal } = context;
  const { clientName, sessionId } = saidOf(context);
  const upstream = pool.upstreams.get(server.name);
  if (upstream === undefined) throw new Error("The pool left out its only server");
  const address = (): string => shownAddress(parts.followed.current.choice.endpoint);
  const refusal = (): AppError | undefined => refusals.current;
  noteOutages(pool, upstream, address, parts);
  const patient = createPatientGateway({
    gateway,
    pool,
    upstream,
    address,
    waitMs,
    refusal,
    onCall(caller) {
      const own = caller.clientName === nameless ? undefined : caller.clientName;
      said.clientName = clientName ?? own;
      said.sessionId = sessionId ?? caller.sessionId ?? undefined;
    },
  });
  await serveStdio({
    gateway: patient,
    identity: upstreamIdentity(upstream, gatewayIdentity(gateway, version)),
    caller: { principal: user, clientName: nameless, sessionId: null, projectId: null },
    newId: randomUUID,
    input: io.stdin,
    write: (line) => io.out(line, { exact: true }),
    ready: firstConnection(patient, refusals),
    signal,
    graceMs,
    maxLineBytes,
  });
}

/** What the environment says of the calls, which wins over what the client says. */
function saidOf({ environment: { clientName, sessionId } }: Context): ProxiedClient {
  return { clientName, sessionId };
}

/**
 * The connection that tells as whom to answer. A server that is away for now is no reason to end.
 * @throws AppError the refusal of a server that is there
 */
async function firstConnection(patient: PatientGateway, refusals: Refusals): Promise<void> {
  try {
    await patient.connected();
  } catch (error) {
    if (!(error instanceof AppError) || refusals.current !== undefined) throw error;
  }
  refusals.sayLater();
}

/** Whether the server refuses us at the moment, and what of it is on stderr. */
interface Refusals {
  readonly current: AppError | undefined;
  onRefused(): void;
  onTaken(): void;
  /** From now on a refusal is not the end, and is said when it begins. */
  sayLater(): void;
}

function createRefusals(followed: FollowedServer, io: Io): Refusals {
  let current: AppError | undefined;
  let isSaid = false;
  return {
    get current() {
      return current;
    },
    onRefused() {
      const isNew = current === undefined;
      current = followed.current.credentials.refusal();
      const { message, hint = "" } = current;
      if (isSaid && isNew) io.note(`${message}\nhint: ${hint}`, { always: true });
    },
    onTaken() {
      current = undefined;
    },
    sayLater() {
      isSaid = true;
    },
  };
}

/** A refusal is said in its own words. */
function noteOutages(
  pool: UpstreamPool,
  upstream: Upstream,
  address: () => string,
  { refusals, context: { io } }: { refusals: Refusals; context: Context },
): void {
  let isAway = false;
  pool.onChange(() => {
    const { state } = upstream;
    if (state.kind === "waiting" && !isAway && refusals.current === undefined) {
      isAway = true;
      io.note(`${address()} is not connected: ${state.reason}`);
    } else if (state.kind === "ready" && isAway) {
      isAway = false;
      io.note(`${address()} is connected again`);
    }
  });
}

/**
 * HTTP with and without TLS: the gateway may come back with the other. Without a bound on connections: streams stay
 * open as long as they like.
 */
function createEitherHttp(): { send: SendHttp; close: () => void } {
  const connections = [
    createConnections("https://localhost", Infinity),
    createConnections("http://localhost", Infinity),
  ] as const;
  const [secure, plain] = connections;
  const [sendSecure, sendPlain] = [createSendHttp(secure), createSendHttp(plain)];
  return {
    send: (request) => (request.url.protocol === "https:" ? sendSecure : sendPlain)(request),
    close() {
      for (const kept of connections) kept.destroy();
    },
  };
}

/** Where the MCP endpoint may be; of a gateway it is known. */
function addressesOf({ endpoint, server }: ServerChoice, query: URLSearchParams): URL[] {
  const isStream = new URL(endpoint).pathname.endsWith("/sse");
  const found = isStream
    ? [endpoint]
    : server === "onedoor"
      ? [`${baseOf(endpoint)}/mcp`]
      : mcpEndpointsOf(endpoint);
  return found.map((address) => {
    const url = new URL(address);
    if (query.size > 0) for (const key of gatewayKeys) url.searchParams.delete(key);
    for (const [key, value] of query) url.searchParams.set(key, value);
    return url;
  });
}

function serverOf(
  choice: ServerChoice,
  [first]: readonly URL[],
  timeoutMs: number,
): ServerConfiguration {
  const url = first?.href ?? choice.endpoint;
  return {
    name: new URL(url).host,
    type: new URL(url).pathname.endsWith("/sse") ? "sse" : "http",
    url,
    headers: {},
    forwardIdentity: false,
    tags: [],
    disabled: false,
    prefix: "",
    timeoutMs,
    connection: "session",
    connectionWritten: true,
    // Who may do what, and what only reads, is the server's to say.
    access: { read: [], write: [], organizations: [], trustHints: true },
    tools: { allow: [], deny: [], descriptions: {} },
    pin: "off",
  };
}
