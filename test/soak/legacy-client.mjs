import { createSession, postHeaders, Refused, tellEnd } from "./client.mjs";
import { exchange } from "./wire.mjs";

/** @typedef {import("./wire.mjs").Message} Message */

/**
 * A client of the legacy era over Streamable HTTP, initialized, with its common stream open.
 * @param {import("./client.mjs").ClientOptions & {version?: string, listen?: boolean}} options
 * @returns {Promise<import("./client.mjs").Client & {sessionId: string}>}
 */
export async function openLegacyClient(options) {
  const { url, token, name, version = "2025-11-25", capabilities = {}, onStray } = options;
  const endpoint = `${url}/mcp`;
  /** @type {Record<string, string>} */
  const headers = postHeaders(token);
  /** @param {Message} message */
  const send = async (message) => {
    const body = JSON.stringify(message);
    const { status, text } = await exchange(endpoint, { headers, body });
    if (status !== 202)
      onStray(`${body.slice(0, 200)} was answered ${status} ${text.slice(0, 300)}`);
  };
  const session = createSession(options, send);
  /** @type {import("./client.mjs").Client["request"]} */
  const request = async (method, params, requestOptions = {}) => {
    const { id, message, answered } = session.register(method, params, requestOptions);
    const {
      status,
      headers: received,
      text,
      messages,
    } = await exchange(endpoint, {
      headers,
      body: JSON.stringify(message),
      timeoutMs: requestOptions.timeoutMs ?? 30_000,
      onMessage: (incoming) => session.receive(incoming, id),
    });
    if (method === "initialize") headers["mcp-session-id"] = String(received["mcp-session-id"]);
    if (!/^text\/event-stream\b/u.test(received["content-type"] ?? "")) {
      const [only] = messages;
      if (status === 200 && only !== undefined) session.receive(only, id);
      else {
        session.pending.delete(id);
        throw new Refused(status, only?.["error"], text);
      }
    }
    if (session.pending.delete(id))
      throw new Error(`${method}: the stream ended without an answer`);
    return answered;
  };
  const result = await request("initialize", {
    protocolVersion: version,
    capabilities,
    clientInfo: { name, version: "1.0.0" },
  });
  if (result["protocolVersion"] !== version)
    onStray(`asked for ${version}, got ${result["protocolVersion"]}`);
  headers["mcp-protocol-version"] = version;
  await send({ jsonrpc: "2.0", method: "notifications/initialized" });
  const stream = new AbortController();
  let closed = false;
  if (options.listen !== false) {
    const { "content-type": _none, ...getHeaders } = headers;
    /** @type {Promise<void>} */
    const opened = new Promise((resolve) => {
      const listening = exchange(endpoint, {
        method: "GET",
        headers: { ...getHeaders, accept: "text/event-stream" },
        timeoutMs: Number.POSITIVE_INFINITY,
        signal: stream.signal,
        onHead: resolve,
        onMessage: (message) => session.receive(message, undefined),
      });
      void tellEnd(listening, (reason) => {
        if (!closed) onStray(`the common stream ended: ${reason}`);
        resolve();
      });
    });
    await opened;
  }
  return {
    era: "legacy",
    sessionId: String(headers["mcp-session-id"]),
    request,
    notify: (method, params) => send({ jsonrpc: "2.0", method, ...(params && { params }) }),
    async close() {
      closed = true;
      const { "content-type": _none, ...deleteHeaders } = headers;
      const { status } = await exchange(endpoint, { method: "DELETE", headers: deleteHeaders });
      if (status !== 200 && status !== 204) onStray(`DELETE was answered ${status}`);
      stream.abort();
    },
  };
}
