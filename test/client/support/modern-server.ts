import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, Server } from "@modelcontextprotocol/server";

export interface ModernServer {
  url: string;
  /** The headers of each `tools/call` so far. */
  callHeaders: readonly NodeJS.Dict<string | string[]>[];
  close(): Promise<void>;
}

const tools = [
  {
    name: "strange",
    description: "Answers with a kind of content that nobody knows",
    inputSchema: {
      type: "object",
      properties: { region: { type: "string", "x-mcp-header": "Region" } },
    },
    "x-vendor": { kept: true },
  },
  { name: "ask", inputSchema: { type: "object" } },
  { name: "vanish", inputSchema: { type: "object" } },
  {
    name: "wrong",
    inputSchema: { type: "object", properties: { a: { type: "object", "x-mcp-header": "A" } } },
  },
];

/** A server of the modern era (2026-07-28) over HTTP, which refuses the legacy one. */
export async function startModernServer(): Promise<ModernServer> {
  const callHeaders: NodeJS.Dict<string | string[]>[] = [];
  const handler = toNodeHandler(
    createMcpHandler(
      () => {
        const server = new Server(
          { name: "modern", version: "3.0.0" },
          { capabilities: { tools: {} }, instructions: "Modern." },
        );
        server.fallbackRequestHandler = (request, context) => {
          if (request.method === "tools/list") return Promise.resolve({ tools });
          if (request.params?.["name"] === "ask") {
            if (context.mcpReq.requestState() === "opaque") {
              return Promise.resolve({ content: [], answered: context.mcpReq.inputResponses });
            }
            const params = {
              message: "Name?",
              requestedSchema: { type: "object", properties: {} },
            };
            return Promise.resolve({
              resultType: "input_required",
              inputRequests: { q: { method: "elicitation/create", params } },
              requestState: "opaque",
            });
          }
          return Promise.resolve({
            content: [{ type: "hologram", frames: [1] }],
            got: request.params?.["arguments"],
            "x-unknown": [true],
          });
        };
        return server;
      },
      { legacy: "reject" },
    ),
  );
  const server = createServer((request, response) => {
    if (request.url !== "/mcp") {
      response.writeHead(404).end();
      return;
    }
    if (request.headers["mcp-name"] === "vanish") {
      // Promises a stream, and ends it without the result.
      response.writeHead(200, { "content-type": "text/event-stream" }).end(": sorry\n\n");
      return;
    }
    if (request.headers["mcp-method"] === "tools/call") callHeaders.push(request.headers);
    void handler(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    callHeaders,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
