import { postHeaders } from "./client.mjs";
import { envelope, modernHeaders } from "./modern-client.mjs";

// Right messages of both eras, from which the wrong ones are made, so that these come far before they fail.

/** @typedef {import("./random.mjs").Random} Random */
/** @typedef {{[key: string]: any}} Message */
/**
 * @typedef {object} Fuzz
 * @property {string} kind
 * @property {string} [path] default /mcp
 * @property {string} [method] default POST
 * @property {import("node:http").OutgoingHttpHeaders} headers
 * @property {string | Buffer} [body]
 * @property {readonly number[]} [statuses] what HTTP must answer; default: anything from 200 to 499
 * @property {readonly number[]} [codes] what JSON-RPC must answer; default: anything
 * @property {boolean} [refused] whether a result would be wrong
 * @property {number} [cutAfter] closes the connection after so many bytes of the request
 * @property {boolean} [stream] may be answered by a stream without end: read a little, then closed
 */
/**
 * What a mutation can build on.
 * @typedef {object} Ground
 * @property {{id: string, version: string, token: string}[]} sessions live ones, which go on being used
 * @property {{id: string, token: string}[]} foreign a session, and the token of somebody else
 * @property {string[]} ended ids of sessions that have ended
 * @property {{state: string, token: string}[]} states `requestState`s the gateway gave, used up or waiting, each
 *   with a token for which it is worth nothing
 * @property {{id: string, version: string, token: string}[]} spare live sessions without a right request
 * @property {{ann: string, bob: string}} tokens
 * @property {number} maxBodyBytes
 */

const methods = [
  "ping",
  "tools/list",
  "tools/call",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "prompts/list",
  "prompts/get",
  "completion/complete",
  "logging/setLevel",
];

/**
 * Right params of a right method.
 * @param {Random} random
 * @param {readonly string[]} more tools to call beside the usual
 * @returns {{method: string, params: Message}}
 */
export function rightRequest(random, more = []) {
  const method = random.pick(methods);
  /** @type {Record<string, () => Message>} */
  const params = {
    "tools/call": () => ({
      name: random.pick([
        "everything__echo",
        "legacy__echo",
        "modern__echo",
        "memory__read_graph",
        ...more,
      ]),
      arguments: { message: "fuzz", text: "fuzz" },
    }),
    "resources/read": () => ({
      uri: random.pick([
        "soak://legacy/1",
        "soak://modern/item/9",
        "demo://resource/dynamic/text/1",
      ]),
    }),
    "prompts/get": () => ({
      name: random.pick(["legacy__greet", "modern__greet"]),
      arguments: { who: "fuzz" },
    }),
    "completion/complete": () => ({
      ref: { type: "ref/prompt", name: "legacy__greet" },
      argument: { name: "who", value: "f" },
    }),
    "logging/setLevel": () => ({ level: "error" }),
  };
  return { method, params: params[method]?.() ?? {} };
}

/** @typedef {ReturnType<typeof createRightMessages>} RightMessages */

/** @param {Random} random @param {Ground} ground */
export function createRightMessages(random, ground) {
  let last = 0;
  const id = () => `fuzz-${++last}`;

  /** A legacy request on a live session. @param {Message} [message] */
  const onSession = (message) => {
    const session = random.pick(ground.sessions);
    return {
      message: message ?? { jsonrpc: "2.0", id: id(), ...rightRequest(random) },
      headers: {
        ...postHeaders(session.token),
        "mcp-session-id": session.id,
        "mcp-protocol-version": session.version,
      },
    };
  };
  // In the modern era a question is an answer; in the legacy one it would wait for ours, for as long as it takes.
  /** A modern request. @param {{method: string, params: Message}} [request] */
  const modern = (request = rightRequest(random, ["modern__ask"])) => {
    const { method, params } = request;
    return {
      message: {
        jsonrpc: "2.0",
        id: id(),
        method,
        params: {
          ...params,
          _meta: envelope("fuzz", random.chance(0.5) ? { elicitation: {} } : {}),
        },
      },
      headers: {
        ...postHeaders(random.pick(Object.values(ground.tokens))),
        ...modernHeaders(method, params),
      },
    };
  };
  const either = () => (random.chance(0.5) ? onSession() : modern());
  return { id, onSession, modern, either };
}

/**
 * @param {string} kind
 * @param {{message: Message, headers: object}} what
 * @param {Partial<Fuzz>} [more]
 * @returns {Fuzz}
 */
export const fuzz = (kind, { message, headers }, more) => ({
  kind,
  headers: { ...headers },
  body: JSON.stringify(message),
  ...more,
});
