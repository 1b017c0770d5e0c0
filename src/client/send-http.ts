import type { Agent as HttpAgent } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import type { SendHttp } from "../mcp-client/transport.ts";
import { openAnswer } from "./http-json.ts";

/**
 * HTTP for an MCP connection on `node:http`, by the same rules as every other question of ours: no redirect,
 * `localhost` is this machine. What it throws are errors of ours (AppError `unreachable`, `timeout`).
 */
export function createSendHttp(agent: HttpAgent | HttpsAgent): SendHttp {
  return async ({ method, url, headers, body, signal }) => {
    const answer = await openAnswer({ url: url.href, method, headers, body, signal, agent });
    const single: Record<string, string | undefined> = {};
    for (const [name, value] of Object.entries(answer.headers)) {
      single[name] = Array.isArray(value) ? value.join(", ") : value;
    }
    return { status: answer.statusCode ?? 0, headers: single, body: answer };
  };
}
