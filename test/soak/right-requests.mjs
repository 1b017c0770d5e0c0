import { isDeepStrictEqual } from "node:util";
import { within } from "./processes.mjs";

// Requests that are right, and what exactly must come back. Each carries a marker that nobody else may see.

/** @typedef {import("./client.mjs").Client} Client */
/** @typedef {import("./wire.mjs").Message} Message */
/** @typedef {import("./random.mjs").Random} Random */

/**
 * @typedef {object} Asker
 * @property {string} name
 * @property {Client} client
 * @property {boolean} asks whether it declared elicitation, sampling and roots
 * @property {Set<string>} updated URIs it was told of
 * @property {Random} random
 */

class WrongAnswer extends Error {}

/** What stands in every text that belongs to one client alone. */
export const markerPrefix = "private-";

/** Everything a client can be asked; answers show who gave them. @param {string} name */
export function answerAs(name) {
  /** @param {string} method @param {Message} params */
  return (method, params) => {
    if (method === "elicitation/create") {
      return { action: "accept", content: { answer: `${name}/${params["message"]}` } };
    }
    if (method === "sampling/createMessage") {
      const text = `${name}/${params["messages"][0].content.text}`;
      return { role: "assistant", content: { type: "text", text }, model: "soak" };
    }
    return { roots: [{ uri: `file:///${name}` }] };
  };
}

/**
 * @param {{readable: string}} upstreams
 * @param {(text: string) => void} onStray
 */
export function createRightRequests({ readable }, onStray) {
  /** What each kind of client was listed first; every later list must be the same. @type {Map<string, Message>} */
  const lists = new Map();
  let marked = 0;

  const lossless = /** @type {const} */ (["legacy", "old", "modern"]);
  const asking = /** @type {const} */ (["legacy", "old"]);

  /** @param {Asker} asker */
  const marker = ({ name }) => `${markerPrefix}${name}-${++marked}`;

  /** @type {Record<string, (asker: Asker) => Promise<void>>} */
  const requests = {
    async "echo through a shared process"(asker) {
      const message = marker(asker);
      await call(asker, "everything__echo", { message }, said(`Echo: ${message}`));
    },
    async "echo with unknown fields"(asker) {
      const text = marker(asker);
      const server = asker.random.pick(lossless);
      // In the legacy era structured content is an object: anything else is wrapped for its clients.
      const list = asker.client.era === "legacy" ? { result: [text] } : [text];
      const expected =
        server === "modern"
          ? { ...said(`modern ${text}`), structuredContent: list, "x-kept": {} }
          : { ...said(`legacy ${text}`), structuredContent: { text }, "x-kept": [1] };
      await call(asker, `${server}__echo`, { text }, expected);
    },
    async sum(asker) {
      const [a, b] = [asker.random.below(1000), asker.random.below(1000)];
      await call(
        asker,
        "everything__get-sum",
        { a, b },
        said(`The sum of ${a} and ${b} is ${a + b}.`),
      );
    },
    async "read a file"(asker) {
      const text = "what stands in the file\n";
      await call(
        asker,
        "filesystem__read_text_file",
        { path: readable },
        {
          ...said(text),
          structuredContent: { content: text },
        },
      );
    },
    async "read a graph"(asker) {
      const graph = { entities: [], relations: [] };
      await call(
        asker,
        "memory__read_graph",
        {},
        {
          ...said(JSON.stringify(graph, null, 2)),
          structuredContent: graph,
        },
      );
    },
    async progress(asker) {
      const count = 1 + asker.random.below(4);
      /** @type {Message[]} */
      const heard = [];
      await call(
        asker,
        `${asker.random.pick(lossless)}__steps`,
        { count },
        said(`${count} steps`),
        {
          onProgress: ({ progressToken: _token, ...progress }) => heard.push(progress),
        },
      );
      const expected = Array.from({ length: count }, (_, index) => ({
        progress: index + 1,
        total: count,
      }));
      if (!isDeepStrictEqual(heard, expected)) {
        throw new WrongAnswer(`progress of ${count} steps: ${JSON.stringify(heard)}`);
      }
    },
    async "read a resource"(asker) {
      const uri = `soak://${asker.random.pick(["legacy", "modern"])}/item/${marker(asker)}`;
      const result = await asker.client.request("resources/read", { uri });
      compare(uri, result, {
        contents: [{ uri, mimeType: "text/plain", text: `content of ${uri}` }],
      });
    },
    async "get a prompt"(asker) {
      const who = marker(asker);
      const name = `${asker.random.pick(lossless)}__greet`;
      const result = await asker.client.request("prompts/get", { name, arguments: { who } });
      compare(name, result, {
        messages: [{ role: "user", content: { type: "text", text: `Greet ${who}` } }],
      });
    },
    async complete(asker) {
      const value = marker(asker);
      const result = await asker.client.request("completion/complete", {
        ref: { type: "ref/prompt", name: "legacy__greet" },
        argument: { name: "who", value },
      });
      compare("completion", result, { completion: { values: [`${value}-legacy`] } });
    },
    async list(asker) {
      const kind = asker.random.pick(["tools", "prompts", "resources", "resources/templates"]);
      const { _meta, ...result } = await asker.client.request(`${kind}/list`, {});
      const key = `${kind} ${asker.client.era} ${asker.asks}`;
      const known = lists.get(key);
      if (known === undefined) {
        const entries = Object.values(result).find((value) => Array.isArray(value));
        if (entries === undefined || entries.length === 0)
          throw new WrongAnswer(`${key}: ${JSON.stringify(result)}`);
        lists.set(key, result);
      } else if (!isDeepStrictEqual(result, known)) {
        throw new WrongAnswer(
          `${key}: ${JSON.stringify(result)}\nbefore: ${JSON.stringify(known)}`,
        );
      }
    },
    async "is asked by a server"(asker) {
      const text = marker(asker);
      const [tool, reply] = asker.random.pick([
        ["ask", `${asker.name}/${text}`],
        ["sample", `${asker.name}/${text}`],
        ["roots", `file:///${asker.name}`],
      ]);
      await call(
        asker,
        `${asker.random.pick(asking)}__${tool}`,
        { text },
        said(`${text}: ${reply}`),
      );
    },
    async "is asked by a modern server"(asker) {
      const text = marker(asker);
      await call(asker, "modern__ask", { text }, said(`${text}: ${asker.name}/${text}`));
    },
    async "is told of an update"(asker) {
      const server = asker.random.pick(["legacy", "modern"]);
      const uri = `soak://${server}/item/${marker(asker)}`;
      const end = await subscribe(asker.client, uri);
      await call(asker, `${server}__touch`, { uri }, said(`touched ${uri}`));
      const told = await within(10_000, () => asker.updated.has(uri));
      await end();
      if (!told) throw new WrongAnswer(`was not told of ${uri}`);
      asker.updated.delete(uri);
    },
  };

  const names = Object.keys(requests);
  const ofAskers = new Set(["is asked by a server", "is asked by a modern server"]);
  return {
    /** The kinds of requests there are. */
    names,
    /**
     * Sends one right request.
     * @param {Asker} asker @param {string} [kind] one of `names`; else by chance
     * @returns {Promise<string>} its kind
     * @throws Error saying what came and what was expected; Refused, Hang
     */
    async send(asker, kind = asker.random.pick(names)) {
      const chosen = ofAskers.has(kind) && !asker.asks ? "echo with unknown fields" : kind;
      await requests[chosen]?.(asker);
      return chosen;
    },
    /**
     * What a client is told outside of its requests: an update of its own resource is right, a change of
     * lists is not (nothing changes here), another's is a leak.
     * @param {Pick<Asker, "name" | "updated">} asker
     * @returns {(method: string, params: Message) => void}
     */
    hear:
      ({ name, updated }) =>
      (method, params) => {
        const uri = String(params["uri"]);
        if (
          method === "notifications/resources/updated" &&
          uri.includes(`/${markerPrefix}${name}-`)
        )
          updated.add(uri);
        else if (method !== "notifications/message")
          onStray(`${name} was told ${method} ${JSON.stringify(params)}`);
      },
  };
}

/** @param {Client & {listen?: (filter: object) => Promise<() => void>}} client @param {string} uri */
async function subscribe(client, uri) {
  if (client.listen !== undefined) {
    const end = await client.listen({ resourceSubscriptions: [uri] });
    return async () => end();
  }
  await client.request("resources/subscribe", { uri });
  return async () => {
    await client.request("resources/unsubscribe", { uri });
  };
}

/** What the modern era adds to a result on each hop. */
const added = new Set(["resultType", "_meta", "ttlMs", "cacheScope"]);

/** @param {string} what @param {Message} result @param {object} expected */
function compare(what, result, expected) {
  const kept = Object.fromEntries(Object.entries(result).filter(([key]) => !added.has(key)));
  if (isDeepStrictEqual(kept, expected)) return;
  throw new WrongAnswer(
    `${what}: ${JSON.stringify(result).slice(0, 600)}\nexpected: ${JSON.stringify(expected).slice(0, 600)}`,
  );
}

/**
 * @param {Asker} asker @param {string} name @param {object} args @param {object} expected
 * @param {{onProgress?: (params: Message) => void}} [options]
 */
async function call(asker, name, args, expected, options) {
  const result = await asker.client.request("tools/call", { name, arguments: args }, options);
  compare(name, result, expected);
}

/** @param {string} text */
function said(text) {
  return { content: [{ type: "text", text }] };
}
