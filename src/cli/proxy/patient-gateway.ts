import { AppError } from "../../core/errors.ts";
import type { ListKind } from "../../core/mcp.ts";
import type { StopSignal } from "../../core/stop-signal.ts";
import type { CallerContext, Gateway } from "../../gateway/gateway.ts";
import type { Upstream, UpstreamPool } from "../../upstream/upstream.ts";

export interface PatientGatewayOptions {
  gateway: Gateway;
  pool: Pick<UpstreamPool, "onChange">;
  /** The one server behind the gateway. */
  upstream: Upstream;
  /** How it is called in messages, at the moment. */
  address: () => string;
  /** How long a request waits for the connection, in milliseconds. */
  waitMs: number;
  /** Why the server refuses us at the moment; then waiting is in vain. */
  refusal: () => AppError | undefined;
  /** Told whose tool call goes on to the server, before it does. */
  onCall?: ((caller: CallerContext) => void) | undefined;
}

export interface PatientGateway extends Gateway {
  /** Resolves when the server is connected. @throws AppError after `waitMs`, or when the server refuses us */
  connected(): Promise<void>;
}

const allKinds: ReadonlySet<ListKind> = new Set([
  "tools",
  "prompts",
  "resources",
  "resourceTemplates",
]);

/**
 * A gateway before one server whose requests wait for the connection, for a bounded time, and say clearly
 * why when it does not come: an empty list would pass for a server without tools. After the connection came
 * back, clients are told that lists changed, for what they asked meanwhile was answered with errors.
 */
export function createPatientGateway(options: PatientGatewayOptions): PatientGateway {
  const { gateway, pool, upstream, address, waitMs, refusal } = options;

  const isConnected = (): boolean => {
    const { kind } = upstream.state;
    return kind === "ready" || kind === "idle";
  };
  const absence = (): AppError => {
    const refused = refusal();
    if (refused !== undefined) return refused;
    const { state } = upstream;
    const reason = "reason" in state && state.reason !== undefined ? `: ${state.reason}` : "";
    return new AppError("upstream_unavailable", `${address()} is not connected${reason}`, {
      hint: "It is tried again by itself",
    });
  };
  const connected = (signal?: StopSignal): Promise<void> => {
    if (isConnected()) return Promise.resolve();
    if (refusal() !== undefined) return Promise.reject(absence());
    return new Promise((resolve, reject) => {
      const over = (settle: () => void): void => {
        clearTimeout(timer);
        stop();
        signal?.removeEventListener("abort", onAbort);
        settle();
      };
      const onAbort = (): void => {
        over(() => reject(absence()));
      };
      const timer = setTimeout(onAbort, waitMs);
      const stop = pool.onChange(() => {
        if (isConnected()) over(resolve);
        else if (refusal() !== undefined) onAbort();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  };

  const whenConnected = async <T>(work: () => Promise<T>, signal?: StopSignal): Promise<T> => {
    await connected(signal);
    try {
      return await work();
    } catch (error) {
      // What the connection made of a 401 says less than we know.
      throw refusal() ?? error;
    }
  };

  return {
    ...gateway,
    get settled() {
      return gateway.settled;
    },
    connected,
    list: (caller, kind) => whenConnected(() => gateway.list(caller, kind)),
    callTool(caller, call) {
      options.onCall?.(caller);
      return whenConnected(() => gateway.callTool(caller, call), call.signal);
    },
    getPrompt: (caller, request) =>
      whenConnected(() => gateway.getPrompt(caller, request), request.signal),
    readResource: (caller, request) =>
      whenConnected(() => gateway.readResource(caller, request), request.signal),
    complete: (caller, request) =>
      whenConnected(() => gateway.complete(caller, request), request.signal),
    subscribeResource: (caller, uri, onUpdated) =>
      whenConnected(() => gateway.subscribeResource(caller, uri, onUpdated)),
    onListsChanged(caller, listener) {
      let wasConnected = isConnected();
      const stopWatching = pool.onChange(() => {
        const is = isConnected();
        if (is && !wasConnected) listener(allKinds, undefined);
        wasConnected = is;
      });
      const stopListening = gateway.onListsChanged(caller, listener);
      return () => {
        stopWatching();
        stopListening();
      };
    },
  };
}
