import { setTimeout as pause } from "node:timers/promises";
import { Client } from "@modelcontextprotocol/client";
import type { ServerConfiguration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import type { CallToolResult, ProtocolEra, Tool } from "../core/mcp.ts";
import { startCallDeadline } from "./call-deadline.ts";
import { createDeferred } from "./deferred.ts";
import { describeFailure } from "./failure-reason.ts";
import type { LineTail } from "./line-tail.ts";
import { openLink } from "./link.ts";
import { rpcErrorOf, saysSessionForgotten, watchLiveness } from "./liveness.ts";
import type { Loss } from "./liveness.ts";
import { createLosslessRequests, nestedTooDeeply } from "../mcp-client/lossless-requests.ts";
import { OpeningError } from "./opening-error.ts";
import { parameterHeaders } from "../core/parameter-headers.ts";
import type { UpstreamTimings } from "./timings.ts";
import { watchToolList } from "./tool-list-watch.ts";
import { listAllTools } from "./tool-listing.ts";
import { unavailableError } from "./unavailable-error.ts";
import { UpstreamRpcError } from "./upstream.ts";
import type { CallOptions } from "./upstream.ts";

/** Longer than any limit of ours: the SDK's own timer must never be the one that fires. */
const neverMs = 2 ** 31 - 1;
const methodNotFound = -32_601;
const notAResult = "it answered with something that is not a result";

export interface ConnectionOptions {
  configuration: ServerConfiguration;
  version: string;
  /** Begin with the legacy `initialize`, without asking for the modern era first. */
  skipProbe: boolean;
  timings: UpstreamTimings;
  tail: LineTail;
  /** Takes this server's secrets out of a text. */
  scrub: (text: string) => string;
  /** Aborts the opening. */
  signal: AbortSignal;
  onToolsChanged: () => void;
  /** Something worth a line in the log. */
  onProblem: (problem: string) => void;
}

/** One live connection to an upstream server; it is opened once, and lost or closed once. */
export interface Connection {
  readonly era: ProtocolEra;
  readonly serverInfo: { name: string; version: string } | undefined;
  readonly instructions: string | undefined;
  readonly tools: readonly Tool[];
  /** Resolves when the connection ends by itself; never when `close` ends it. */
  readonly lost: Promise<Loss>;
  /** @throws as `Upstream.callTool`, and SessionForgottenError when the tool surely did not run */
  callTool(params: JsonObject, options: CallOptions): Promise<CallToolResult>;
  close(): Promise<void>;
}

/** The server no longer knows our session and refused the call: it may be made again on a new one. */
export class SessionForgottenError extends Error {
  override readonly name = "SessionForgottenError";
}

/**
 * Opens the connection, settles the protocol era and lists the tools. Declares no client capabilities:
 * the connection is shared by all clients, and nothing says whose a request of the server would be.
 * @throws OpeningError
 */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const { configuration, timings, scrub } = options;
  const link = openLink(configuration, options.tail, timings);
  const client = new Client(
    { name: "onedoor", version: options.version },
    {
      capabilities: {},
      versionNegotiation: options.skipProbe
        ? { mode: "legacy" }
        : { mode: "auto", probe: { timeoutMs: timings.probeMs } },
    },
  );
  const request = createLosslessRequests(client, link.transport);
  const lost = createDeferred<Loss>();
  const lose = (loss: Loss): void => lost.resolve({ ...loss, reason: scrub(loss.reason) });
  void link.lost.then((reason) => lose({ reason, sessionForgotten: false }));
  const liveness =
    configuration.type === "http"
      ? watchLiveness({
          client,
          transport: link.transport,
          limitMs: timings.livenessMs,
          hasSession: () => link.hasSession,
          onLoss: lose,
        })
      : undefined;

  let tools: readonly Tool[] = [];
  const listTools = async (): Promise<readonly Tool[]> => {
    if (client.getServerCapabilities()?.tools === undefined) return [];
    const listing = await listAllTools(async (params) => {
      const answer = await request({ method: "tools/list", params }, { timeout: timings.startMs });
      if (answer.kind === "result") return answer.result;
      if (answer.kind === "too-deep") throw new Error(nestedTooDeeply);
      if (answer.kind !== "error") throw new Error(notAResult);
      if (answer.error.code === methodNotFound) return {};
      throw new Error(`it refused to list its tools: ${answer.error.message}`);
    });
    for (const problem of listing.problems) options.onProblem(`tools/list: ${problem}`);
    return listing.tools;
  };
  const toolList = watchToolList({
    client,
    timings,
    async relist() {
      tools = await listTools();
      options.onToolsChanged();
    },
    onError: (error) => options.onProblem(`tools/list: ${scrub(describeFailure(error))}`),
  });

  await within(
    options.signal,
    timings.startMs,
    () => link.close(),
    async (state) => {
      try {
        await client.connect(link.transport, { timeout: neverMs });
        toolList.subscribe();
        tools = await listTools();
      } catch (error) {
        const inProbe = !options.skipProbe && !link.sentInitialize;
        const reason = state.timedOut
          ? `it did not finish starting within ${timings.startMs / 1000} s`
          : (link.lossReason ?? describeFailure(error));
        const endedInProbe = inProbe && link.established && link.lossReason !== undefined;
        toolList.stop();
        await link.close();
        throw new OpeningError(scrub(reason), { inProbe, endedInProbe, cause: error });
      }
    },
  );
  liveness?.start();
  toolList.start();
  const info = client.getServerVersion();
  const era = client.getProtocolEra() ?? "legacy";

  return {
    era,
    serverInfo: info === undefined ? undefined : { name: info.name, version: info.version },
    instructions: client.getInstructions(),
    get tools() {
      return tools;
    },
    lost: lost.promise,
    callTool,
    async close() {
      liveness?.stop();
      toolList.stop();
      await link.close();
      await client.close().catch(() => undefined);
    },
  };

  async function callTool(params: JsonObject, call: CallOptions): Promise<CallToolResult> {
    call.signal.throwIfAborted();
    const deadline = startCallDeadline(call);
    try {
      const answer = await request(
        { method: "tools/call", params: withoutProgressToken(params) },
        {
          timeout: neverMs,
          signal: deadline.signal,
          headers: headersFor(params),
          onProgress(progress) {
            deadline.progressed();
            call.onProgress?.(progress);
          },
        },
      );
      if (answer.kind === "result") return answer.result;
      if (answer.kind === "error") {
        throw new UpstreamRpcError(answer.error.code, answer.error.message, answer.error.data);
      }
      if (answer.kind === "too-deep") throw unavailableError(configuration.name, nestedTooDeeply);
      if (answer.kind === "not-an-answer") throw unavailableError(configuration.name, notAResult);
      throw new Error("the connection was closed during the call");
    } catch (error) {
      if (error instanceof UpstreamRpcError || error instanceof AppError) throw error;
      const { expiredMs } = deadline;
      if (expiredMs !== undefined) {
        const name = JSON.stringify(configuration.name);
        throw new AppError(
          "timeout",
          `Server ${name} did not answer within ${expiredMs / 1000} s`,
          {
            cause: error,
          },
        );
      }
      call.signal.throwIfAborted();
      throw await explain(error);
    } finally {
      deadline.stop();
    }
  }

  function headersFor(params: JsonObject): Record<string, string> {
    if (era !== "modern" || configuration.type !== "http") return {};
    const tool = tools.find(({ name }) => name === params["name"]);
    return tool === undefined ? {} : parameterHeaders(tool.inputSchema, params["arguments"] ?? {});
  }

  /** What the caller is told of a failure below the call, once it is known whether the server is gone. */
  async function explain(failure: unknown): Promise<Error> {
    if (link.hasSession && saysSessionForgotten(failure)) {
      lose({ reason: "it forgot our session", sessionForgotten: true });
      return new SessionForgottenError(scrub(describeFailure(failure)), { cause: failure });
    }
    const rpc = rpcErrorOf(failure);
    if (rpc !== undefined) return rpc;
    // A pipe breaks a moment before the exit that explains it is seen.
    const loss =
      liveness === undefined
        ? await Promise.race([link.lost, pause(timings.exitGraceMs * 2, undefined, { ref: false })])
        : (await liveness.check())?.reason;
    return unavailableError(configuration.name, scrub(loss ?? describeFailure(failure)), failure);
  }
}

/** Runs `work` under a limit in milliseconds and a signal; either of them stops it by calling `stop`. */
async function within(
  signal: AbortSignal,
  limitMs: number,
  stop: () => Promise<void>,
  work: (state: { readonly timedOut: boolean }) => Promise<void>,
): Promise<void> {
  const state = { timedOut: false };
  const onAbort = (): void => void stop();
  const timer = setTimeout(() => {
    state.timedOut = true;
    void stop();
  }, limitMs);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await work(state);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** The token belongs to the hop before this one; the SDK sets its own. */
function withoutProgressToken(params: JsonObject): JsonObject {
  const meta = params["_meta"];
  if (!isJsonObject(meta) || !("progressToken" in meta)) return params;
  const { progressToken: _, ...rest } = meta;
  return { ...params, _meta: rest };
}
