import type { JsonObject } from "../core/json.ts";
import type { CallToolResult, Progress, ProtocolEra, Tool } from "../core/mcp.ts";

/**
 * Where an upstream server stands. `waiting` is the pause of the back-off between two starts.
 * An upstream is *settled* when it is ready, or has failed at least once and so has a reason to show.
 */
export type UpstreamState =
  /** `reason`: why the start or connection before this one failed; absent at the first start. */
  | { kind: "starting"; attempt: number; reason?: string | undefined }
  | { kind: "ready"; era: ProtocolEra }
  | { kind: "waiting"; reason: string; retryAtMs: number; attempt: number }
  | { kind: "stopped" };

export interface CallOptions {
  signal: AbortSignal;
  /** Idle limit in milliseconds; each progress notification starts it again, under `maxTotalMs`. */
  timeoutMs: number;
  maxTotalMs: number;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** One connection to one upstream server, kept alive under supervision. */
export interface Upstream {
  readonly name: string;
  readonly state: UpstreamState;
  /**
   * The tools as the server last listed them, every field kept; empty until it was ready once. They stay
   * while it is started again: a call then fails with the reason, not as unknown.
   */
  readonly tools: readonly Tool[];
  readonly serverInfo: { name: string; version: string } | undefined;
  readonly instructions: string | undefined;
  /** The last lines of its standard error (stdio only), oldest first, at most 50 lines of 500 characters. */
  readonly stderrTail: readonly string[];
  /**
   * Calls a tool and returns the result exactly as the server sent it. `params` is the whole
   * `tools/call` params object with the server's own tool name.
   * @throws AppError `upstream_unavailable` (not connected, or died in the call), `timeout`
   * @throws UpstreamRpcError when the server answers with a JSON-RPC error
   */
  callTool(params: JsonObject, options: CallOptions): Promise<CallToolResult>;
  /** Ends it and every process it started; resolves when they are gone. */
  close(): Promise<void>;
}

/** A JSON-RPC error of the upstream, to be handed on unchanged. */
export class UpstreamRpcError extends Error {
  override readonly name = "UpstreamRpcError";
  readonly code: number;
  readonly data: unknown;
  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** All configured upstream servers. */
export interface UpstreamPool {
  readonly upstreams: ReadonlyMap<string, Upstream>;
  /** Called after any state or tool list changed. Returns the way to stop listening. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}
