import { createSession, postHeaders, tellEnd } from "./client.mjs";
import { exchange } from "./wire.mjs";

/** @typedef {import("./wire.mjs").Message} Message */

/**
 * A client of the HTTP+SSE transport (2024-11-05): one stream for everything that comes.
 * @param {import("./client.mjs").ClientOptions} options
 * @returns {Promise<import("./client.mjs").Client>}
 */
export async function openSseClient(options) {
  const { url, token, name, capabilities = {}, onStray } = options;
  const headers = postHeaders(token);
  const stream = new AbortController();
  let closed = false;
  /** @param {Message} message */
  const send = async (message) => {
    const body = JSON.stringify(message);
    const { status, text } = await exchange(endpoint, { headers, body });
    if (status !== 202)
      onStray(`${body.slice(0, 200)} was answered ${status} ${text.slice(0, 300)}`);
  };
  const session = createSession(options, send);
  /** @type {Promise<string>} */
  const said = new Promise((resolve, reject) => {
    const listening = exchange(`${url}/sse`, {
      method: "GET",
      headers: { accept: "text/event-stream", authorization: headers.authorization },
      timeoutMs: Number.POSITIVE_INFINITY,
      signal: stream.signal,
      onEvent: ({ name: event, data }) => {
        if (event === "endpoint") resolve(data);
      },
      onMessage: (message) => session.receive(message, undefined),
    });
    void tellEnd(listening, (reason) => {
      reject(new Error(`/sse: ${reason}`));
      if (!closed) onStray(`the stream ended: ${reason}`);
    });
  });
  const endpoint = new URL(await said, url).href;
  /** @type {import("./client.mjs").Client["request"]} */
  const request = async (method, params, requestOptions = {}) => {
    const { id, message, answered } = session.register(method, params, requestOptions);
    const { timeoutMs = 30_000 } = requestOptions;
    const timer = setTimeout(
      () =>
        session.pending.get(id)?.reject(new Error(`${method}: no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      await send(message);
      return await answered;
    } finally {
      clearTimeout(timer);
      session.pending.delete(id);
    }
  };
  await request("initialize", {
    protocolVersion: "2024-11-05",
    capabilities,
    clientInfo: { name, version: "1.0.0" },
  });
  await send({ jsonrpc: "2.0", method: "notifications/initialized" });
  return {
    era: "legacy",
    request,
    notify: (method, params) => send({ jsonrpc: "2.0", method, ...(params && { params }) }),
    async close() {
      closed = true;
      stream.abort();
    },
  };
}
