import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { AppError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { RpcFault } from "../core/json-rpc.ts";
import type { Listing, LogLevel, ProtocolEra } from "../core/mcp.ts";
import { AnswerFault } from "../mcp-client/mcp-connection.ts";
import type { McpConnection } from "../mcp-client/mcp-connection.ts";
import { startCallDeadline } from "./call-deadline.ts";
import type { CallDeadline } from "./call-deadline.ts";
import type { ConnectionListing } from "./connection-listing.ts";
import { createDeferred } from "./deferred.ts";
import { describeFailure } from "./failure-reason.ts";
import type { Link } from "./link.ts";
import { createLivenessCheck, forgotten, isForgotten } from "./liveness.ts";
import type { Loss } from "./liveness.ts";
import type { Questions } from "./questions.ts";
import { sleepUntil } from "./sleep.ts";
import { toolHeaders } from "./tool-headers.ts";
import type { UpstreamTimings } from "./timings.ts";
import { unavailableError } from "./unavailable-error.ts";
import type { UpstreamRequest } from "./upstream.ts";
import { wantsNotification } from "./wanted-notification.ts";

/** One live connection to an upstream server; it is opened once, and lost or closed once. */
export interface ServerConnection extends Pick<
  ConnectionListing,
  "listing" | "problems" | "list" | "listAs"
> {
  readonly era: ProtocolEra;
  readonly serverInfo: JsonObject;
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
  /** Requests under way. */
  readonly inFlight: number;
  /** Questions of the server that wait for an answer. */
  readonly openQuestions: number;
  /** Resolves when the connection ends by itself; never when `close` ends it. */
  readonly lost: Promise<Loss>;
  /** @throws as `Upstream.request`, and SessionForgottenError when the request was surely not looked at */
  request(request: UpstreamRequest, as?: RequestAs): Promise<JsonObject>;
  /** A request of our own, with a limit of its own. @throws as `request` */
  ask(method: string, params: JsonObject): Promise<JsonObject>;
  notify(method: string, params: JsonObject): void;
  /** Modern era: resolves when announced changes of lists are heard, or the server will not announce them now. */
  readonly listening: Promise<void>;
  /** Modern era: hears of these resources, and of no other, once it resolves. */
  watchResources(uris: readonly string[]): Promise<void>;
  /** Legacy era: wants log messages from this level on; a server without logging is not told. */
  setLogLevel(level: LogLevel): Promise<void>;
  close(): Promise<void>;
  /** Closes it once no request is under way, after `drainMs` at the latest. */
  retire(): Promise<void>;
}

/** On whose behalf a request is made (2026-07-28: it stands in each of them). */
export interface RequestAs {
  /** What its client is said to be capable of. */
  capabilities: JsonObject;
  /** What such a client is listed. */
  tools: Listing["tools"];
}

/** The server no longer knows our session and refused the request: it may be made again on a new one. */
export class SessionForgottenError extends Error {
  override readonly name = "SessionForgottenError";
}

export interface ServerConnectionParts {
  name: string;
  connection: McpConnection;
  link: Link;
  listing: ConnectionListing;
  questions: Questions;
  timings: UpstreamTimings;
  scrub: (text: string) => string;
  /** What came on a request's own stream but is meant for the whole connection. @returns whether it was that */
  hearForAll: (method: string, params: JsonObject) => boolean;
  onProblem: (problem: string) => void;
}

export function createServerConnection(parts: ServerConnectionParts): ServerConnection {
  const { name, connection, link, listing, questions, timings, scrub } = parts;
  const { era, capabilities } = connection;
  const isPipe = link.transport.kind === "pipe";
  const needsHeaders = era === "modern" && !isPipe;
  const lost = createDeferred<Loss>();
  const lose = (loss: Loss): void => lost.resolve({ ...loss, reason: scrub(loss.reason) });
  void connection.lost.then((reason) =>
    lose({ reason: link.lossReason ?? reason, sessionForgotten: reason === forgotten }),
  );
  /** Replaced when somebody waits for it. */
  let unused = createDeferred<undefined>();
  const checkLiveness = createLivenessCheck(connection, timings.livenessMs);
  const checkHung = createLivenessCheck(connection, timings.hungMs);

  const request = async (call: UpstreamRequest, as?: RequestAs): Promise<JsonObject> => {
    call.signal.throwIfAborted();
    const deadline = startCallDeadline(call);
    questions.deadlines.add(deadline);
    const { method, params, client } = call;
    try {
      return await connection.request(method, params, {
        signal: deadline.signal,
        capabilities: as?.capabilities,
        logLevel: client.logLevel,
        authorize: client.caller && link.authorizeFor?.(() => client.caller),
        headers:
          needsHeaders && method === "tools/call"
            ? toolHeaders(as?.tools ?? listing.listing.tools, params)
            : undefined,
        onProgress(progress) {
          deadline.progressed();
          call.onProgress?.(progress);
        },
        onNotification(heard, said) {
          if (parts.hearForAll(heard, said)) return;
          if (wantsNotification(heard, said, client)) client.notify(heard, said);
        },
        // The signal is aborted too when this request is over.
        onRequest: (asked, question, signal) =>
          questions.put(deadline, () => client.request(asked, question, signal)),
      });
    } catch (error) {
      throw await explain(error, call, deadline);
    } finally {
      deadline.stop();
      questions.deadlines.delete(deadline);
      if (questions.deadlines.size === 0) unused.resolve(undefined);
    }
  };

  /** What the caller is told of a failure below the request, once it is known whether the server is gone. */
  const explain = async (
    failure: unknown,
    { signal }: Pick<UpstreamRequest, "signal">,
    { expiredMs }: Pick<CallDeadline, "expiredMs">,
  ): Promise<unknown> => {
    if (failure instanceof RpcFault || failure instanceof AppError) return failure;
    if (expiredMs !== undefined) {
      // Slow at this, or dead to everything? The caller is not kept for the answer.
      void checkHung().then((loss) => loss !== undefined && lose(loss));
      const text = `Server ${JSON.stringify(name)} did not answer within ${expiredMs / 1000} s`;
      return new AppError("timeout", text, { cause: failure });
    }
    if (signal.aborted) return signal.reason;
    if (isForgotten(connection, failure)) {
      lose({ reason: forgotten, sessionForgotten: true });
      return new SessionForgottenError(scrub(describeFailure(failure)), { cause: failure });
    }
    if (failure instanceof AnswerFault && failure.kind === "unusable") {
      return unavailableError(name, scrub(failure.message), failure);
    }
    // A pipe breaks a moment before the exit that explains it is seen.
    const loss = isPipe
      ? await Promise.race([
          lost.promise,
          pause(timings.exitGraceMs * 2, undefined, { ref: false }),
        ])
      : await checkLiveness();
    if (loss !== undefined) lose(loss);
    return unavailableError(name, scrub(loss?.reason ?? describeFailure(failure)), failure);
  };

  const ask = async (method: string, params: JsonObject): Promise<JsonObject> => {
    const signal = AbortSignal.timeout(timings.listMs);
    try {
      return await connection.request(method, params, { signal });
    } catch (error) {
      const expiredMs = signal.aborted ? timings.listMs : undefined;
      throw await explain(error, { signal }, { expiredMs });
    }
  };

  const close = async (): Promise<void> => {
    listing.stop();
    await connection.close();
  };
  let watched: readonly string[] = [];
  let renewal: Promise<void> | undefined;
  const listen = async (): Promise<void> => {
    if (era === "legacy") return;
    const { tools, prompts, resources } = capabilities;
    const filter: JsonObject = {
      ...(announcesChanges(tools) && { toolsListChanged: true }),
      ...(announcesChanges(prompts) && { promptsListChanged: true }),
      ...(announcesChanges(resources) && { resourcesListChanged: true }),
      ...(watched.length > 0 && { resourceSubscriptions: [...watched] }),
    };
    if (Object.keys(filter).length > 0) await connection.listen(filter);
  };
  /** Of many changes at once the server hears as one. */
  const listenAgain = async (): Promise<void> => {
    await nextTurn();
    renewal = undefined;
    await listen();
  };

  return {
    era,
    serverInfo: connection.serverInfo,
    capabilities,
    instructions: connection.instructions,
    get listing() {
      return listing.listing;
    },
    get problems() {
      return listing.problems;
    },
    list: (again) => listing.list(again),
    listAs: (declared) => listing.listAs(declared),
    get inFlight() {
      return questions.deadlines.size;
    },
    get openQuestions() {
      return questions.open;
    },
    lost: lost.promise,
    listening: listen(),
    request,
    ask,
    notify(method, params) {
      connection.notify(method, params).catch((error: unknown) => {
        parts.onProblem(`${method}: ${scrub(describeFailure(error))}`);
      });
    },
    watchResources(uris) {
      watched = uris;
      renewal ??= listenAgain();
      return renewal;
    },
    async setLogLevel(level) {
      if (era === "modern" || capabilities["logging"] === undefined) return;
      await ask("logging/setLevel", { level });
    },
    close,
    async retire() {
      if (questions.deadlines.size > 0) {
        unused = createDeferred();
        const limit = AbortSignal.timeout(timings.drainMs);
        await Promise.race([unused.promise, sleepUntil(limit)]);
      }
      await close();
    },
  };
}

function announcesChanges(capability: Json | undefined): boolean {
  return isJsonObject(capability) && capability["listChanged"] === true;
}
