import { isJsonObject } from "../core/json.ts";
import { askJson, UnusableAnswer } from "./http-json.ts";
import { baseOf } from "./server-address.ts";

/** Which protocol a server is spoken to in. */
export type ServerKind = "onedoor" | "mcp";

/** A gateway's `/status` is some hundred bytes. */
const maxStatusBytes = 256 * 1024;

/**
 * Finds out what answers at an address, without showing a credential: a OneDoor gateway says so at
 * `GET /status`; anything else that answers in HTTP is taken for an MCP server.
 * @throws AppError `unreachable` when nothing answers, `timeout`
 */
export async function identify(endpoint: string, signal: AbortSignal): Promise<ServerKind> {
  const url = `${baseOf(endpoint)}/status`;
  try {
    const { status, json } = await askJson({ url, signal }, { maxBytes: maxStatusBytes });
    return status === 200 && isJsonObject(json) && json["name"] === "onedoor" ? "onedoor" : "mcp";
  } catch (error) {
    // Something is there (it redirects, or sends more than a status could be), only no gateway.
    if (error instanceof UnusableAnswer) return "mcp";
    throw error;
  }
}
