import type { SendHttp } from "../mcp-client/transport.ts";
import { openAnswer } from "./http-json.ts";
import type { SharedConnections } from "./http-question.ts";

/**
 * HTTP for an MCP connection, by the same rules as every other question of ours: no redirect,
 * `localhost` is this machine. What it throws are errors of ours (AppError `unreachable`, `timeout`).
 */
export function createSendHttp(connections: SharedConnections): SendHttp {
  return async ({ method, url, headers, body, signal }) => {
    const answer = await openAnswer({ url: url.href, method, headers, body, signal, connections });
    const single: Record<string, string | undefined> = {};
    for (const [name, value] of Object.entries(answer.headers)) {
      single[name] = Array.isArray(value) ? value.join(", ") : value;
    }
    return { status: answer.status, headers: single, body: answer.body };
  };
}
