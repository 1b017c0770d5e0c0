import { abortSignalOf } from "../core/stop-signal.ts";
import type { SendHttp } from "../mcp-client/transport.ts";
import { openAnswer } from "./http-json.ts";
import type { SharedConnections } from "./http-question.ts";

/**
 * HTTP for an MCP connection, by the same rules as every other question of ours: no redirect,
 * `localhost` is this machine. What it throws are errors of ours (AppError `unreachable`, `timeout`).
 */
export function createSendHttp(connections: SharedConnections): SendHttp {
  return ({ url, signal, ...request }) =>
    openAnswer({ ...request, url: url.href, signal: abortSignalOf(signal), connections });
}
