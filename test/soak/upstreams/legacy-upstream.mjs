// An upstream server of the legacy era on the SDK of that time, over Streamable HTTP (/mcp) and HTTP+SSE
// (/sse): it asks its clients, reports progress, and tells subscribers. Prints its port as JSON, and ends with
// its standard input.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { ResultSchema } from "@modelcontextprotocol/sdk/types.js";

/** Whatever a client may have sent in place of a text. @param {unknown} value */
const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value ?? null));
/** @param {string} text */
const said = (text) => ({ content: [{ type: "text", text }] });
/** @param {string} name @param {string} argument */
const tool = (name, argument) => ({
  name,
  inputSchema: { type: "object", properties: { [argument]: { type: "string" } } },
});
const tools = [
  tool("echo", "text"),
  tool("ask", "text"),
  tool("sample", "text"),
  tool("roots", "text"),
  tool("touch", "uri"),
  { name: "steps", inputSchema: { type: "object", properties: { count: { type: "integer" } } } },
];
const resources = [1, 2, 3].map((number) => ({
  uri: `soak://legacy/${number}`,
  name: `legacy ${number}`,
}));

/** Of every live session, what it subscribed to. @type {Map<Server, Set<string>>} */
const subscriptions = new Map();

/** @type {Record<string, (server: Server, args: any, extra: any) => Promise<object>>} */
const calls = {
  echo: async (_server, { text }) => ({
    ...said(`legacy ${shown(text)}`),
    structuredContent: { text },
    "x-kept": [1],
  }),
  async ask(_server, { text }, { sendRequest }) {
    const requestedSchema = { type: "object", properties: { answer: { type: "string" } } };
    const params = { message: text, requestedSchema };
    const { content } = await sendRequest({ method: "elicitation/create", params }, ResultSchema);
    return said(`${shown(text)}: ${content?.answer}`);
  },
  async sample(_server, { text }, { sendRequest }) {
    const params = { messages: [{ role: "user", content: { type: "text", text } }], maxTokens: 5 };
    const { content } = await sendRequest(
      { method: "sampling/createMessage", params },
      ResultSchema,
    );
    return said(`${shown(text)}: ${content?.text}`);
  },
  async roots(_server, { text }, { sendRequest }) {
    const { roots } = await sendRequest({ method: "roots/list", params: {} }, ResultSchema);
    return said(`${shown(text)}: ${roots?.[0]?.uri}`);
  },
  async steps(_server, { count }, { sendNotification, _meta }) {
    for (let progress = 1; progress <= count; progress++) {
      const params = { progressToken: _meta?.progressToken, progress, total: count };
      if (_meta?.progressToken !== undefined) {
        await sendNotification({ method: "notifications/progress", params });
      }
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    return said(`${count} steps`);
  },
  async touch(_server, { uri }) {
    for (const [server, uris] of subscriptions) {
      if (uris.has(uri)) await server.sendResourceUpdated({ uri });
    }
    return said(`touched ${shown(uri)}`);
  },
};

function createMcpServer() {
  const server = new Server(
    { name: "soak-legacy", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true },
        prompts: {},
        completions: {},
        logging: {},
      },
      instructions: "Legacy.",
    },
  );
  /** @type {Set<string>} */
  const uris = new Set();
  subscriptions.set(server, uris);
  /** @type {Record<string, (params: any, extra: any) => object | Promise<object>>} */
  const methods = {
    "tools/list": () => ({ tools }),
    "tools/call": ({ name, arguments: args }, extra) => {
      const call = calls[name];
      if (call === undefined) throw Object.assign(new Error("No such tool"), { code: -32602 });
      return call(server, args ?? {}, extra);
    },
    "resources/list": () => ({ resources }),
    "resources/templates/list": () => ({
      resourceTemplates: [{ uriTemplate: "soak://legacy/item/{id}", name: "item" }],
    }),
    "resources/read": ({ uri }) => {
      if (!shown(uri).startsWith("soak://legacy/")) {
        throw Object.assign(new Error("Resource not found"), { code: -32002, data: { uri } });
      }
      return { contents: [{ uri, mimeType: "text/plain", text: `content of ${shown(uri)}` }] };
    },
    "resources/subscribe": ({ uri }) => {
      uris.add(uri);
      return {};
    },
    "resources/unsubscribe": ({ uri }) => {
      uris.delete(uri);
      return {};
    },
    "prompts/list": () => ({
      prompts: [{ name: "greet", arguments: [{ name: "who", required: true }] }],
    }),
    "prompts/get": ({ arguments: args }) => ({
      messages: [{ role: "user", content: { type: "text", text: `Greet ${shown(args?.who)}` } }],
    }),
    "completion/complete": ({ argument }) => ({
      completion: { values: [`${shown(argument?.value)}-legacy`] },
    }),
    "logging/setLevel": () => ({}),
  };
  server.fallbackRequestHandler = async ({ method, params }, extra) => {
    const answer = methods[method];
    if (answer === undefined) throw Object.assign(new Error("Method not found"), { code: -32601 });
    return answer(params ?? {}, extra);
  };
  // The SDK answers this one itself unless it is told to let it be.
  server.removeRequestHandler("logging/setLevel");
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's Server is no event target
  server.onclose = () => subscriptions.delete(server);
  return server;
}

/** @type {Map<string, StreamableHTTPServerTransport>} */
const sessions = new Map();
/** @type {Map<string, SSEServerTransport>} */
const oldSessions = new Map();

/** @param {import("node:http").IncomingMessage} request @param {import("node:http").ServerResponse} response */
async function handle(request, response) {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  if (pathname === "/sse") {
    const transport = new SSEServerTransport("/message", response);
    oldSessions.set(transport.sessionId, transport);
    response.once("close", () => oldSessions.delete(transport.sessionId));
    await createMcpServer().connect(transport);
    return;
  }
  if (pathname === "/message") {
    const transport = oldSessions.get(searchParams.get("sessionId") ?? "");
    if (transport === undefined) response.writeHead(404).end();
    else await transport.handlePostMessage(request, response);
    return;
  }
  const id = request.headers["mcp-session-id"];
  let transport = typeof id === "string" ? sessions.get(id) : undefined;
  if (transport === undefined && id !== undefined) {
    response.writeHead(404).end();
    return;
  }
  if (transport === undefined) {
    const opened = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (sessionId) => {
        sessions.set(sessionId, opened);
      },
      onsessionclosed: (sessionId) => {
        sessions.delete(sessionId);
      },
    });
    await createMcpServer().connect(opened);
    transport = opened;
  }
  await transport.handleRequest(request, response);
}

const server = createServer((request, response) => {
  handle(request, response).catch(() => response.destroy());
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(
    `${JSON.stringify({ port: typeof address === "object" ? address?.port : 0 })}\n`,
  );
});
process.stdin.resume().once("end", () => {
  server.close();
  server.closeAllConnections();
});
