// An upstream server of the modern era only (2026-07-28), over HTTP: it asks by `input_required`, reports
// progress, and tells who listens. Prints its port as JSON, and ends with its standard input.
import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, Server } from "@modelcontextprotocol/server";

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
  tool("touch", "uri"),
  { name: "steps", inputSchema: { type: "object", properties: { count: { type: "integer" } } } },
];
const resources = [1, 2].map((number) => ({
  uri: `soak://modern/${number}`,
  name: `modern ${number}`,
}));

/** @type {Record<string, (params: any, context: any) => object | Promise<object>>} */
const calls = {
  echo: ({ arguments: args }) => ({
    ...said(`modern ${shown(args?.text)}`),
    structuredContent: [args?.text],
    "x-kept": {},
  }),
  ask({ arguments: args }, { mcpReq }) {
    const { text } = args ?? {};
    const state = mcpReq.requestState();
    if (state === undefined) {
      const requestedSchema = { type: "object", properties: { answer: { type: "string" } } };
      const params = { mode: "form", message: text, requestedSchema };
      return {
        resultType: "input_required",
        inputRequests: { question: { method: "elicitation/create", params } },
        requestState: `upstream ${shown(text)}`,
      };
    }
    if (state !== `upstream ${shown(text)}`)
      return { ...said(`foreign state ${state}`), isError: true };
    return said(`${shown(text)}: ${mcpReq.inputResponses?.question?.content?.answer}`);
  },
  async steps({ arguments: args, _meta }, { mcpReq }) {
    const { count } = args ?? {};
    for (let progress = 1; progress <= count; progress++) {
      const params = { progressToken: _meta?.progressToken, progress, total: count };
      if (_meta?.progressToken !== undefined)
        await mcpReq.notify({ method: "notifications/progress", params });
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    return said(`${count} steps`);
  },
  touch: ({ arguments: args }) => {
    handler.notify.resourceUpdated(args?.uri);
    return said(`touched ${shown(args?.uri)}`);
  },
};

/** @type {Record<string, (params: any, context: any) => any>} */
const methods = {
  "tools/list": () => ({ tools }),
  "tools/call": (params, context) => {
    const call = calls[params.name];
    if (call === undefined) throw Object.assign(new Error("No such tool"), { code: -32602 });
    return call(params, context);
  },
  "resources/list": () => ({ resources }),
  "resources/templates/list": () => ({
    resourceTemplates: [{ uriTemplate: "soak://modern/item/{id}", name: "item" }],
  }),
  "resources/read": ({ uri }) => {
    if (!shown(uri).startsWith("soak://modern/")) {
      throw Object.assign(new Error("Resource not found"), { code: -32602, data: { uri } });
    }
    return { contents: [{ uri, mimeType: "text/plain", text: `content of ${shown(uri)}` }] };
  },
  "prompts/list": () => ({
    prompts: [{ name: "greet", arguments: [{ name: "who", required: true }] }],
  }),
  "prompts/get": ({ arguments: args }) => ({
    messages: [{ role: "user", content: { type: "text", text: `Greet ${shown(args?.who)}` } }],
  }),
};

const handler = createMcpHandler(
  () => {
    const server = new Server(
      { name: "soak-modern", version: "1.0.0" },
      {
        capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, prompts: {} },
        instructions: "Modern.",
      },
    );
    server.fallbackRequestHandler = async ({ method, params }, context) => {
      const answer = methods[method];
      if (answer === undefined)
        throw Object.assign(new Error("Method not found"), { code: -32601 });
      return answer(params ?? {}, context);
    };
    return server;
  },
  { legacy: "reject", maxSubscriptions: 1024 },
);
const handle = toNodeHandler(handler);
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
