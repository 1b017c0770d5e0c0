import { fuzz } from "./right-messages.mjs";
import { anything, strangeNames } from "./strange-values.mjs";

// What is wrong is that it claims what is not its own, or answers what nobody asked.

/**
 * @param {import("./random.mjs").Random} random
 * @param {import("./right-messages.mjs").Ground} ground
 * @param {import("./right-messages.mjs").RightMessages} right
 * @returns {Record<string, () => import("./right-messages.mjs").Fuzz>}
 */
export function trustMutations(random, ground, { id, onSession, modern, either }) {
  return {
    "unknown methods"() {
      const method = random.pick([
        "tools/cal",
        "tools/call/x",
        "x".repeat(5000),
        "tasks/list",
        "roots/list",
        "sampling/createMessage",
        ...strangeNames,
      ]);
      const params = random.chance(0.5) ? {} : { [random.text(5)]: anything(random) };
      // oxlint-disable-next-line no-control-regex -- a header cannot hold them, so the two would differ
      if (random.chance(0.5) || /[\u0000-\u001f]|^\s|\s$/u.test(method) || method === "") {
        return fuzz("unknown methods", onSession({ jsonrpc: "2.0", id: id(), method, params }), {
          codes: [-32_601, -32_600],
          refused: true,
        });
      }
      return fuzz("unknown methods", modern({ method, params }), {
        statuses: [404],
        codes: [-32_601],
        refused: true,
      });
    },
    "forged sessions"() {
      const { message, headers } = onSession();
      const foreign = random.pick(ground.foreign);
      const ended = random.pick(ground.ended);
      const forged = random.pick([
        { "mcp-session-id": foreign.id, authorization: `Bearer ${foreign.token}` },
        { "mcp-session-id": ended },
        { "mcp-session-id": `${foreign.id}x` },
        {
          "mcp-session-id": random.pick([
            "0",
            "null",
            "../x",
            "x".repeat(4000),
            "__proto__",
            "constructor",
          ]),
        },
      ]);
      const method = random.pick(["POST", "POST", "GET", "DELETE"]);
      /** @type {import("./right-messages.mjs").Fuzz} */
      const wrong = {
        kind: "forged sessions",
        method,
        headers: { ...headers, ...forged },
        statuses: [404],
        refused: true,
      };
      if (method === "POST") return { ...wrong, body: JSON.stringify(message) };
      delete wrong.headers["content-type"];
      return wrong;
    },
    "forged requestStates"() {
      const { state: real } = random.pick(ground.states);
      const tampered = Buffer.from(real);
      if (tampered.length > 0) tampered[random.below(tampered.length)] = 65 + random.below(26);
      const state = random.pick([
        () => random.text(200),
        () => real.slice(0, -1 - random.below(10)),
        () => (tampered.toString() === real ? `${real}A` : tampered.toString()),
        () => `${real}${random.text(3)}x`,
        () => "",
        () => "x".repeat(50_000),
        () => "upstream fuzz",
      ])();
      const { message, headers } = modern({
        method: "tools/call",
        params: {
          name: random.pick(["modern__ask", "legacy__ask"]),
          arguments: { text: "fuzz" },
          requestState: state,
          inputResponses: random.pick([
            { question: { action: "accept", content: { answer: "x" } } },
            {},
            { "": null },
          ]),
        },
      });
      return fuzz(
        "forged requestStates",
        { message, headers },
        { codes: [-32_602, -32_600], refused: true },
      );
    },
    "foreign and used requestStates"() {
      const { state, token } = random.pick(ground.states);
      const { message, headers } = modern({
        method: "tools/call",
        params: {
          name: random.pick(["modern__ask", "legacy__ask", "old__ask"]),
          arguments: { text: "fuzz" },
          requestState: state,
          inputResponses: { question: { action: "accept", content: { answer: "stolen" } } },
        },
      });
      return fuzz(
        "foreign and used requestStates",
        { message, headers: { ...headers, authorization: `Bearer ${token}` } },
        {
          codes: [-32_602, -32_600],
          refused: true,
        },
      );
    },
    "answers nobody asked for"() {
      const to = random.pick([-1, 0.5, "x", "s-1", id(), 2 ** 53, null, "__proto__"]);
      const message = random.pick([
        { jsonrpc: "2.0", id: to, result: anything(random) },
        { jsonrpc: "2.0", id: to, result: { action: "accept", content: {} } },
        { jsonrpc: "2.0", id: to, error: { code: -1, message: "no" } },
        { jsonrpc: "2.0", id: to, error: anything(random) },
        { jsonrpc: "2.0", id: to, result: {}, error: {} },
      ]);
      const { headers } = either();
      return fuzz("answers nobody asked for", { message, headers }, { refused: true });
    },
  };
}
