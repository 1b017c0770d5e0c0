// MCP clients of both eras, written without an SDK: two hundred of them must cost little, and what is not
// exactly as it should be must show instead of being dropped.

/** @typedef {import("./wire.mjs").Message} Message */
/**
 * @typedef {object} ClientOptions
 * @property {string} url of the gateway, without a path
 * @property {string} token
 * @property {string} name what its request ids begin with
 * @property {object} [capabilities]
 * @property {(method: string, params: Message) => object} [answer] answers what the server asks
 * @property {(method: string, params: Message) => void} [onNotification] on any stream; progress apart
 * @property {(text: string) => void} onStray told of every message that should not have come
 */
/**
 * @typedef {object} Client
 * @property {string} era
 * @property {(method: string, params?: Message, options?: {onProgress?: (params: Message) => void, timeoutMs?: number}) => Promise<Message>} request
 *   the result; rejects with a Refused for an error
 * @property {(method: string, params?: Message) => Promise<void>} notify
 * @property {string} [sessionId]
 * @property {() => Promise<void>} close
 */

export class Refused extends Error {
  /** @param {number} status @param {Message | undefined} error @param {string} text */
  constructor(status, error, text) {
    super(`HTTP ${status}: ${error === undefined ? text.slice(0, 300) : JSON.stringify(error)}`);
    this.status = status;
    this.error = error;
  }
}

const accept = "application/json, text/event-stream";

/** @param {string} token */
export function postHeaders(token) {
  return { "content-type": "application/json", accept, authorization: `Bearer ${token}` };
}

/**
 * What clients with a session have in common: ids, answers, progress, questions of the server.
 * @param {ClientOptions} options
 * @param {(message: Message) => Promise<void>} send
 */
export function createSession({ name, answer, onNotification, onStray }, send) {
  /** @type {Map<string, {resolve: (result: Message) => void, reject: (error: Error) => void, onProgress: ((params: Message) => void) | undefined}>} */
  const pending = new Map();
  let last = 0;
  /** @param {Message} message */
  const answerServer = async ({ id, method, params }) => {
    let reply;
    if (method === "ping") reply = { result: {} };
    else if (answer === undefined) {
      onStray(`asked for ${method} without having declared it`);
      reply = { error: { code: -32601, message: "Method not found" } };
    } else reply = { result: answer(method, params ?? {}) };
    await send({ jsonrpc: "2.0", id, ...reply });
  };
  return {
    pending,
    /**
     * @param {Message} message
     * @param {string | undefined} on the request on whose stream it came; undefined where streams are shared
     */
    receive(message, on) {
      const { id, method, params } = message;
      if (method === undefined) {
        const waiting = pending.get(id);
        if (waiting === undefined || (on !== undefined && on !== id)) {
          onStray(`an answer nobody waits for: ${JSON.stringify(message).slice(0, 300)}`);
          return;
        }
        pending.delete(id);
        if (message["result"] === undefined) {
          waiting.reject(new Refused(200, message["error"], JSON.stringify(message)));
        } else waiting.resolve(message["result"]);
      } else if (id !== undefined) {
        answerServer(message).catch((/** @type {unknown} */ error) =>
          onStray(`answering ${method}: ${String(error)}`),
        );
      } else if (method === "notifications/progress") {
        const waiting = pending.get(params.progressToken);
        if (waiting?.onProgress === undefined)
          onStray(`progress of nothing: ${JSON.stringify(params)}`);
        else waiting.onProgress(params);
      } else onNotification?.(method, params ?? {});
    },
    /**
     * @param {string} method @param {Message} [params]
     * @param {{onProgress?: (params: Message) => void}} [options]
     */
    register(method, params, { onProgress } = {}) {
      const id = `${name}-${++last}`;
      const meta =
        onProgress === undefined ? {} : { _meta: { ...params?.["_meta"], progressToken: id } };
      /** @type {Promise<Message>} */
      const answered = new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject, onProgress });
      });
      answered.catch(() => undefined);
      return {
        id,
        message: { jsonrpc: "2.0", id, method, params: { ...params, ...meta } },
        answered,
      };
    },
  };
}

/**
 * Says how a stream ended that was to stay open.
 * @param {Promise<import("./wire.mjs").Answer>} stream @param {(reason: string) => void} onEnd
 */
export async function tellEnd(stream, onEnd) {
  try {
    const { status, text } = await stream;
    onEnd(`${status} ${text.slice(0, 200)}`);
  } catch (error) {
    onEnd(String(error));
  }
}
