import { Agent, request as sendRequest } from "node:http";

/** @typedef {{[key: string]: any}} Message a JSON-RPC message, or what claims to be one */
/**
 * @typedef {object} Sending
 * @property {string} [method] default POST
 * @property {import("node:http").OutgoingHttpHeaders} [headers]
 * @property {string | Buffer} [body]
 * @property {number} [timeoutMs] from the first byte sent to the last received; longer is a hang
 * @property {AbortSignal} [signal] closes the connection; what was received until then is the answer
 * @property {() => void} [onHead] status and headers of the answer are there
 * @property {(message: Message) => void} [onMessage] each message of an event stream, as it comes
 * @property {(event: {name: string, data: string}) => void} [onEvent] each event of an event stream
 */
/** @typedef {{status: number, headers: import("node:http").IncomingHttpHeaders, text: string, messages: Message[]}} Answer */

export class Hang extends Error {}

const connections = new Agent({
  keepAlive: true,
  maxSockets: 64,
  maxFreeSockets: 64,
  scheduling: "fifo",
});
/** Streams that stay open must not take the place of requests. */
const streams = new Agent({ keepAlive: false });

export function closeIdleConnections() {
  connections.destroy();
}

/**
 * One HTTP exchange within a time limit. An event stream is read to its end.
 * @param {string} url
 * @param {Sending} sending
 * @returns {Promise<Answer>}
 */
export function exchange(url, sending) {
  const {
    method = "POST",
    headers = {},
    body,
    timeoutMs = 30_000,
    signal,
    onHead,
    onMessage,
    onEvent,
  } = sending;
  return new Promise((resolve, reject) => {
    let status = 0;
    /** @type {import("node:http").IncomingHttpHeaders} */
    let received = {};
    let text = "";
    /** @type {Message[]} */
    const messages = [];
    const agent = Number.isFinite(timeoutMs) && signal === undefined ? connections : streams;
    const request = sendRequest(url, { method, headers, agent });
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cut);
      resolve({ status, headers: received, text, messages });
    };
    const cut = () => {
      request.destroy();
      finish();
    };
    /** @param {Error} error */
    const fail = (error) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cut);
      request.destroy();
      reject(error);
    };
    if (Number.isFinite(timeoutMs)) {
      timer = setTimeout(() => {
        const state = status === 0 ? "no answer" : `status ${status} and ${text.length} characters`;
        fail(new Hang(`${method} ${url}: ${state} within ${timeoutMs} ms`));
      }, timeoutMs);
    }
    signal?.addEventListener("abort", cut, { once: true });
    request.once("error", fail);
    request.once("response", (response) => {
      status = response.statusCode ?? 0;
      received = response.headers;
      onHead?.();
      const isStream = /^text\/event-stream\b/u.test(received["content-type"] ?? "");
      const read = isStream
        ? createEventReader((event) => {
            onEvent?.(event);
            const message = event.name === "message" ? parse(event.data) : undefined;
            if (message === undefined) return;
            messages.push(message);
            onMessage?.(message);
          })
        : undefined;
      response.setEncoding("utf8");
      response.on("data", (/** @type {string} */ chunk) => {
        if (read === undefined || text.length < 10_000) text += chunk;
        read?.(chunk);
      });
      response.once("end", () => {
        if (!isStream) {
          const message = parse(text);
          if (message !== undefined) messages.push(message);
        }
        finish();
      });
      response.once("error", fail);
      response.once("close", () => {
        if (!response.complete) fail(new Error("The answer was cut off"));
      });
    });
    request.end(body);
  });
}

/** @param {string} text @returns {Message | undefined} */
function parse(text) {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Reads an event stream (WHATWG "Server-sent events"), as far as MCP uses it.
 * @param {(event: {name: string, data: string}) => void} onEvent
 * @returns {(chunk: string) => void}
 */
function createEventReader(onEvent) {
  let rest = "";
  let name = "message";
  /** @type {string[]} */
  let data = [];
  return (chunk) => {
    const lines = (rest + chunk).split(/\r?\n/u);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) onEvent({ name, data: data.join("\n") });
        name = "message";
        data = [];
      } else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /u, ""));
      else if (line.startsWith("event:")) name = line.slice(6).trim();
    }
  };
}
