import { fuzz } from "./right-messages.mjs";
import { anything, changeOne, deep, legacyVersions } from "./strange-values.mjs";

// What is wrong stands in the body.

/**
 * @param {import("./random.mjs").Random} random
 * @param {import("./right-messages.mjs").Ground} ground
 * @param {import("./right-messages.mjs").RightMessages} right
 * @returns {Record<string, () => import("./right-messages.mjs").Fuzz>}
 */
export function bodyMutations(random, ground, { id, onSession, modern, either }) {
  return {
    "wrong types"() {
      const { message, headers } = either();
      // The header that repeats the method goes along: what is wrong is then found later.
      const changed = changeOne(random, message);
      return fuzz("wrong types", { message: changed, headers }, { stream: true });
    },
    "strange ids"() {
      const { message, headers } = either();
      const strange = random.pick([
        2 ** 53,
        -1,
        1.5,
        1e308,
        "",
        "x".repeat(10_000),
        "\u0000",
        null,
        {},
        [],
        true,
        "__proto__",
      ]);
      return fuzz("strange ids", { message: { ...message, id: strange }, headers });
    },
    "deep nesting"() {
      const { message, headers } = either();
      const depth = random.pick([50, 200, 1000, 20_000, 100_000]);
      const body = JSON.stringify({ ...message, params: { ...message.params, deep: "@" } }).replace(
        '"@"',
        () => deep(random, depth),
      );
      return {
        kind: "deep nesting",
        headers,
        body: random.chance(0.2) ? deep(random, depth) : body,
      };
    },
    batches() {
      const { headers } = either();
      const entries = Array.from({ length: random.below(30) }, () =>
        random.pick([
          () => either().message,
          () => anything(random),
          () => ({ jsonrpc: "2.0", method: "notifications/x" }),
        ])(),
      );
      return { kind: "batches", headers, body: JSON.stringify(entries) };
    },
    "half JSON"() {
      const { message, headers } = either();
      const whole = Buffer.from(JSON.stringify(message));
      const body = random.pick([
        () => whole.subarray(0, random.below(whole.length)),
        () => Buffer.concat([whole, Buffer.from(random.pick(["}", "x", "\u0000", "{}", ","]))]),
        () => Buffer.concat([Buffer.from([0xff, 0xfe]), whole]),
        () => Buffer.from(whole.toString().replace('"', "'")),
      ])();
      return {
        kind: "half JSON",
        headers,
        body,
        statuses: [400],
        codes: [-32_700, -32_600],
        refused: true,
      };
    },
    "flipped bytes"() {
      const { message, headers } = either();
      const body = Buffer.from(JSON.stringify(message));
      for (let left = 1 + random.below(4); left > 0; left--)
        body[random.below(body.length)] = random.below(256);
      return { kind: "flipped bytes", headers, body, stream: true };
    },
    "too large"() {
      const { message, headers } = either();
      const body = JSON.stringify({ ...message, more: "x".repeat(ground.maxBodyBytes) });
      return { kind: "too large", headers, body, statuses: [413], refused: true };
    },
    "initialize again and again"() {
      const params = {
        protocolVersion: random.pick(legacyVersions),
        capabilities: {},
        clientInfo: { name: "fuzz", version: "1" },
      };
      const message = { jsonrpc: "2.0", id: id(), method: "initialize", params };
      const on = random.chance(0.5) ? onSession().headers : modern().headers;
      return fuzz("initialize again and again", {
        message: changeOne(random, message),
        headers: on,
      });
    },
    "strange notifications"() {
      const message = {
        jsonrpc: "2.0",
        method: random.pick([
          "notifications/cancelled",
          "notifications/progress",
          "notifications/initialized",
          "notifications/roots/list_changed",
          "notifications/x",
          "x",
        ]),
        params: random.pick([
          { requestId: id() },
          { requestId: anything(random) },
          { progressToken: 1, progress: "x" },
          anything(random),
        ]),
      };
      const { headers } = either();
      return fuzz("strange notifications", { message, headers }, { refused: true });
    },
    "strange subscriptions"() {
      const filter = random.pick([
        {},
        { resourceSubscriptions: [random.text(20)] },
        { toolsListChanged: "x" },
        anything(random),
        { resourceSubscriptions: anything(random) },
      ]);
      return fuzz(
        "strange subscriptions",
        modern({ method: "subscriptions/listen", params: { notifications: filter } }),
        { stream: true },
      );
    },
    "strange cursors and arguments"() {
      const [method, params] = random.pick([
        ["tools/list", { cursor: anything(random) }],
        ["resources/list", { cursor: random.text(50) }],
        ["tools/call", { name: "everything__echo", arguments: anything(random) }],
        [
          "tools/call",
          {
            name: random.pick(["nothing__at_all", "everything__", "__echo", random.text(90)]),
            arguments: {},
          },
        ],
        [
          "resources/read",
          {
            uri: random.pick([
              "",
              "onedoor:",
              "onedoor:old:",
              "onedoor:%:x",
              "file:///etc/passwd",
              random.text(90),
            ]),
          },
        ],
        ["resources/subscribe", { uri: random.text(30) }],
        ["prompts/get", { name: random.text(30), arguments: anything(random) }],
        ["completion/complete", { ref: anything(random), argument: anything(random) }],
        ["logging/setLevel", { level: anything(random) }],
      ]);
      const message = { jsonrpc: "2.0", id: id(), method, params };
      const name = Object(params)["name"] ?? Object(params)["uri"];
      // oxlint-disable-next-line no-control-regex -- what a header cannot hold
      const inHeader = name === undefined || /^[\u0021-\u007e]+$/u.test(name);
      return fuzz(
        "strange cursors and arguments",
        random.chance(0.5) && inHeader ? modern({ method, params }) : onSession(message),
      );
    },
  };
}
