// The floor under a gateway: takes a request, sends it on over a kept connection, hands the answer back. Reads
// nothing of either, and checks nothing. `pass-through.mjs PORT` of the server behind it; prints its own port.
import { Agent, createServer, request as sendRequest } from "node:http";

const [, , port = ""] = process.argv;
const agent = new Agent({ keepAlive: true });

const server = createServer((request, response) => {
  /** @type {Buffer[]} */
  const chunks = [];
  request.on("data", (/** @type {Buffer} */ chunk) => chunks.push(chunk));
  request.once("end", () => {
    const { method, url, headers } = request;
    const onward = sendRequest(
      {
        agent,
        host: "127.0.0.1",
        port,
        path: url,
        method,
        headers: { ...headers, host: `127.0.0.1:${port}` },
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.once("error", () => response.destroy());
    onward.end(Buffer.concat(chunks));
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  console.log(`port ${typeof address === "object" ? address?.port : 0}`);
});
