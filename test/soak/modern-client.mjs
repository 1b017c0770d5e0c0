import { postHeaders, Refused } from "./client.mjs";
import { exchange } from "./wire.mjs";

/** @typedef {import("./wire.mjs").Message} Message */

export const modernVersion = "2026-07-28";

/** @param {object} capabilities @param {string} name */
export function envelope(name, capabilities = {}) {
  return {
    "io.modelcontextprotocol/protocolVersion": modernVersion,
    "io.modelcontextprotocol/clientInfo": { name, version: "1.0.0" },
    "io.modelcontextprotocol/clientCapabilities": capabilities,
  };
}

/** The headers a modern request must have beside those of any POST. @param {string} method @param {Message} [params] */
export function modernHeaders(method, params) {
  const name = method === "resources/read" ? params?.["uri"] : params?.["name"];
  const named =
    ["tools/call", "prompts/get", "resources/read"].includes(method) && typeof name === "string";
  return {
    "mcp-protocol-version": modernVersion,
    "mcp-method": method,
    ...(named && { "mcp-name": name }),
  };
}

/**
 * A client of the modern era (2026-07-28); it answers `input_required` results itself.
 * @param {import("./client.mjs").ClientOptions} options
 * @returns {import("./client.mjs").Client & {listen: (filter: object) => Promise<() => void>, once: (method: string, params: Message) => Promise<Message>}}
 */
export function createModernClient(options) {
  const { url, token, name, capabilities = {}, answer, onNotification, onStray } = options;
  const endpoint = `${url}/mcp`;
  let last = 0;
  /**
   * @param {string} method @param {Message} params
   * @param {{onProgress?: ((params: Message) => void) | undefined, timeoutMs?: number | undefined, signal?: AbortSignal, onMessage?: (message: Message) => void}} [more]
   */
  const once = async (
    method,
    params,
    { onProgress, timeoutMs = 30_000, signal, onMessage } = {},
  ) => {
    const id = `${name}-${++last}`;
    /** @type {Message | undefined} */
    let answered;
    /** @param {Message} message */
    const receive = (message) => {
      if (message["method"] === undefined) {
        if (message["id"] === id && answered === undefined) answered = message;
        else onStray(`an answer nobody waits for: ${JSON.stringify(message).slice(0, 300)}`);
      } else if (message["id"] !== undefined)
        onStray(`a request in the modern era: ${message["method"]}`);
      else if (onMessage !== undefined) onMessage(message);
      else if (message["method"] === "notifications/progress") {
        if (message["params"].progressToken === id && onProgress !== undefined)
          onProgress(message["params"]);
        else onStray(`progress of nothing: ${JSON.stringify(message["params"])}`);
      } else onNotification?.(message["method"], message["params"] ?? {});
    };
    const meta = {
      ...params["_meta"],
      ...envelope(name, capabilities),
      ...(onProgress && { progressToken: id }),
    };
    const { status, text, headers, messages } = await exchange(endpoint, {
      headers: { ...postHeaders(token), ...modernHeaders(method, params) },
      body: JSON.stringify({ jsonrpc: "2.0", id, method, params: { ...params, _meta: meta } }),
      timeoutMs,
      ...(signal && { signal }),
      onMessage: receive,
    });
    if (!/^text\/event-stream\b/u.test(headers["content-type"] ?? "") && messages[0] !== undefined)
      receive(messages[0]);
    if (answered?.["result"] !== undefined && status === 200) return answered["result"];
    throw new Refused(status, answered?.["error"], text);
  };
  return {
    era: "modern",
    once,
    async request(method, params = {}, more = {}) {
      /** @type {Message} */
      let retry = {};
      for (let round = 0; round < 10; round++) {
        const result = await once(method, { ...params, ...retry }, more);
        if (result["resultType"] !== "input_required") return result;
        /** @type {[string, Message][]} */
        const asked = Object.entries(result["inputRequests"] ?? {});
        const responses = asked.map(([key, { method: question, params: about }]) => {
          if (answer === undefined) onStray(`asked for ${question} without having declared it`);
          return [key, answer?.(question, about ?? {}) ?? {}];
        });
        retry = {
          inputResponses: Object.fromEntries(responses),
          requestState: result["requestState"],
        };
      }
      throw new Error(`${method}: asked for input without end`);
    },
    notify: () => Promise.resolve(),
    /** Resolves, once the server has acknowledged the subscription, with the way to end it. */
    listen(filter) {
      const stream = new AbortController();
      return new Promise((resolve, reject) => {
        const subscribed = once(
          "subscriptions/listen",
          { notifications: filter },
          {
            timeoutMs: Number.POSITIVE_INFINITY,
            signal: stream.signal,
            onMessage: ({ method, params }) => {
              if (method === "notifications/subscriptions/acknowledged")
                resolve(() => stream.abort());
              else onNotification?.(method, params ?? {});
            },
          },
        );
        // It never ends by itself: an answer is as wrong as a failure, unless it was ended here.
        subscribed
          .finally(() => {
            if (!stream.signal.aborted) onStray("the subscription ended");
          })
          .catch(reject);
      });
    },
    close: () => Promise.resolve(),
  };
}
