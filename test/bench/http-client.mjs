import { Agent, request as sendRequest } from "node:http";

/** @typedef {{status: number, headers: import("node:http").IncomingHttpHeaders, text: string}} Answer */
/** @typedef {ReturnType<typeof createHttpClient>} HttpClient */

/** Longer than any answer takes; a silent server must not hold the benchmark for ever. */
const timeoutMs = 30_000;

/**
 * One light HTTP client for every side of a comparison, so that none gets a better one: connections are kept and
 * used again, a body is sent as a whole, an answer is read as text and not looked into. An event stream is an
 * answer that ends.
 * @param {number} port of loopback
 */
export function createHttpClient(port) {
  const agent = new Agent({ keepAlive: true });
  return {
    /**
     * @param {string} method
     * @param {string} path
     * @param {import("node:http").OutgoingHttpHeaders} headers
     * @param {string} [body]
     * @returns {Promise<Answer>} whatever the status; rejects when the connection fails or is silent
     */
    send: (method, path, headers, body) =>
      new Promise((resolve, reject) => {
        const request = sendRequest({
          agent,
          host: "127.0.0.1",
          port,
          path,
          method,
          headers:
            body === undefined
              ? headers
              : { ...headers, "content-length": Buffer.byteLength(body) },
          timeout: timeoutMs,
        });
        request.once("timeout", () => request.destroy(new Error(`${method} ${path}: silent`)));
        request.once("error", reject);
        request.once("response", (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (/** @type {string} */ chunk) => {
            text += chunk;
          });
          response.once("error", reject);
          response.once("end", () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
          );
        });
        request.end(body);
      }),
    /**
     * Opens an event stream and reads it for as long as it stays open.
     * @param {string} path
     * @param {import("node:http").OutgoingHttpHeaders} headers
     * @param {(text: string) => void} [onText] is handed what comes; else it is thrown away
     * @returns {Promise<void>} when its head is there; rejects with any status but 200
     */
    listen: (path, headers, onText = () => undefined) =>
      new Promise((resolve, reject) => {
        const request = sendRequest({ agent, host: "127.0.0.1", port, path, headers });
        request.on("error", reject);
        request.once("response", (response) => {
          response
            .setEncoding("utf8")
            .on("error", () => undefined)
            .on("data", onText);
          if (response.statusCode === 200) resolve();
          else reject(new Error(`GET ${path} was answered ${response.statusCode}`));
        });
        request.end();
      }),
    /** Closes every connection, streams too. */
    stop() {
      agent.destroy();
    },
  };
}
