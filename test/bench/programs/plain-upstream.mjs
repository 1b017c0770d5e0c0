// MCP servers of the legacy era over Streamable HTTP that cost next to nothing themselves, many in one process:
// `/<any name>/<count>` is a server with so many tools, each the size of a common one. A tool says back the text
// it is told. Prints its port.
import { createServer } from "node:http";

/** @param {number} number */
function toolOf(number) {
  return {
    name: `look_up_${String(number).padStart(4, "0")}`,
    title: `Look up number ${number}`,
    description: `Looks up what is known under number ${number} and says back the text it was told, so that whoever asks can see that it was heard.`,
    inputSchema: {
      type: "object",
      properties: {
        text: { type: "string", description: "What to say back." },
        limit: { type: "integer", minimum: 1, maximum: 100, description: "How much of it." },
        order: { type: "string", enum: ["newest", "oldest", "best"], default: "best" },
      },
      required: ["text"],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
  };
}

/** @type {Record<string, (params: any, count: number) => object>} */
const methods = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "plain", version: "1.0.0" },
  }),
  ping: () => ({}),
  "tools/list": (_params, count) => ({
    tools: Array.from({ length: count }, (_none, index) => toolOf(index)),
  }),
  "tools/call": ({ arguments: { text } }) => ({ content: [{ type: "text", text }] }),
};

const server = createServer((request, response) => {
  /** @param {number} status @param {string} [body] */
  const answer = (status, body = "") => {
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    });
    response.end(body);
  };
  if (request.method !== "POST") {
    answer(405);
    return;
  }
  let text = "";
  request.setEncoding("utf8").on("data", (/** @type {string} */ chunk) => {
    text += chunk;
  });
  request.once("end", () => {
    const count = Number(/\d+$/u.exec(request.url ?? "")?.[0] ?? 0);
    const { id, method, params } = JSON.parse(text);
    if (id === undefined) {
      answer(202);
      return;
    }
    const said = methods[method]?.(params ?? {}, count);
    const error = { code: -32601, message: "Method not found" };
    answer(200, JSON.stringify({ jsonrpc: "2.0", id, ...(said ? { result: said } : { error }) }));
  });
});
server.keepAliveTimeout = 120_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  console.log(`port ${typeof address === "object" ? address?.port : 0}`);
});
