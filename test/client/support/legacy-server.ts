import type { ServerResponse } from "node:http";
import { sendJson, startFakeServer } from "./fake-server.ts";
import type { FakeServer, SeenRequest } from "./fake-server.ts";

export interface LegacyServerOptions {
  /** Which methods need the bearer `good`; none when not given. */
  needsBearer?: (method: string) => boolean;
  /** Answers `tools/call`; with an empty result when not given. */
  onCall?: (request: SeenRequest, response: ServerResponse) => void;
}

/** Speaks just enough of MCP's legacy era to be connected to, listed and called; `breaks` is a bearer that makes it fail. */
export function startLegacyServer(options: LegacyServerOptions = {}): Promise<FakeServer> {
  const { needsBearer = () => false, onCall } = options;
  return startFakeServer((request, response) => {
    if (request.method !== "POST") {
      response.writeHead(405).end();
      return;
    }
    const { id, method = "" }: { id?: number; method?: string } = JSON.parse(request.body || "{}");
    const { authorization } = request.headers;
    const answer = (result: object): void => {
      sendJson(response, 200, { jsonrpc: "2.0", id, result });
    };
    if (authorization === "Bearer breaks") response.writeHead(500).end();
    else if (needsBearer(method) && authorization !== "Bearer good") {
      response.writeHead(401, { "www-authenticate": "Bearer" }).end();
    } else if (id === undefined) response.writeHead(202).end();
    else if (method === "initialize") {
      const serverInfo = { name: "legacy", version: "1" };
      answer({ protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo });
    } else if (method === "tools/list") {
      answer({ tools: [{ name: "work", inputSchema: { type: "object" } }] });
    } else if (method === "tools/call") {
      if (onCall === undefined) answer({ content: [] });
      else onCall(request, response);
    } else {
      const error = { code: -32601, message: "Method not found" };
      sendJson(response, 400, { jsonrpc: "2.0", id, error });
    }
  });
}
