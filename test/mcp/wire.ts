import { afterEach } from "vitest";
import { isJsonObject, parseJson, type Json, type JsonObject } from "../../src/core/json.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { fakeUpstream, gatewayOf } from "../gateway/fakes.ts";
import { ask, good, startTestServer, type Answer } from "../http/support.ts";

// Speaks over the wire at /mcp, by hand in both eras, with a server that is closed after each test.

export type Era = "legacy" | "modern";
export const eras: Era[] = ["legacy", "modern"];
export const accept = "application/json, text/event-stream";
export const envelope = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "modern-client", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

export let server: HttpServer;
afterEach(() => server.close(0));

export async function start(one = fakeUpstream("one"), startWindowMs?: number) {
  const fixture = gatewayOf([one], startWindowMs === undefined ? {} : { startWindowMs });
  server = await startTestServer({ gateway: fixture.gateway });
  return { ...fixture, one };
}

export function send(
  era: Era,
  message: JsonObject,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const params = isJsonObject(message["params"]) ? message["params"] : {};
  const meta = isJsonObject(params["_meta"]) ? params["_meta"] : {};
  const name = params["name"];
  const modern = {
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": typeof message["method"] === "string" ? message["method"] : "",
    ...(typeof name === "string" ? { "mcp-name": name } : {}),
  };
  const body =
    era === "legacy"
      ? message
      : { ...message, params: { ...params, _meta: { ...envelope, ...meta } } };
  return ask(server.port, "/mcp", {
    body: { jsonrpc: "2.0", ...body },
    headers: { ...good, accept, ...(era === "modern" ? modern : {}), ...headers },
  });
}

/** The messages of an answer, whether it came as JSON or as a stream. */
export function messagesOf({ text, headers }: Answer): Json[] {
  if (headers["content-type"]?.startsWith("text/event-stream") !== true) {
    return [parseJson(text)].flat();
  }
  return text
    .split("\n")
    .flatMap((line) => (line.startsWith("data: ") ? [parseJson(line.slice(6))] : []));
}

export const lastOf = (answer: Answer): JsonObject => {
  const last = messagesOf(answer).at(-1);
  return isJsonObject(last) ? last : {};
};

export const call = (params: JsonObject = {}): JsonObject => ({
  id: 7,
  method: "tools/call",
  params: { name: "one__echo", arguments: { message: "hi" }, ...params },
});

export const initialize = {
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "legacy-client", version: "1" },
  },
};

export const openSession = async (): Promise<string> => {
  const { headers } = await send("legacy", initialize);
  return String(headers["mcp-session-id"]);
};

export const post = (body: string, type = "application/json") =>
  ask(server.port, "/mcp", { body, headers: { ...good, accept, "content-type": type } });
