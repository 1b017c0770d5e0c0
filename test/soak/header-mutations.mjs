import { modernVersion } from "./modern-client.mjs";
import { fuzz, rightRequest } from "./right-messages.mjs";
import { legacyVersions } from "./strange-values.mjs";

// What is wrong stands in the headers, the method, or the way the request is sent.

/**
 * @param {import("./random.mjs").Random} random
 * @param {import("./right-messages.mjs").Ground} ground
 * @param {import("./right-messages.mjs").RightMessages} right
 * @returns {Record<string, () => import("./right-messages.mjs").Fuzz>}
 */
export function headerMutations(random, ground, { onSession, modern, either }) {
  return {
    "wrong versions"() {
      const version = random.pick([
        "1999-01-01",
        "2026-07-29",
        "",
        "2025-11-25 ",
        "v1",
        "x".repeat(2000),
        "2024-10-07",
      ]);
      if (random.chance(0.4)) {
        const { message, headers } = onSession();
        return fuzz(
          "wrong versions",
          { message, headers: { ...headers, "mcp-protocol-version": version } },
          {
            ...(version.trim() !== "" &&
              version !== "2025-11-25 " && { statuses: [400], refused: true }),
          },
        );
      }
      const { message, headers } = modern();
      message.params._meta["io.modelcontextprotocol/protocolVersion"] = version;
      return fuzz(
        "wrong versions",
        { message, headers: { ...headers, "mcp-protocol-version": version } },
        {
          statuses: [400],
          refused: true,
        },
      );
    },
    "headers against the body"() {
      const request = rightRequest(random);
      const { message, headers } = modern({
        method: "tools/call",
        params: { name: "everything__echo", arguments: { message: "fuzz" } },
      });
      const against = random.pick([
        {
          "mcp-method": random.pick([
            "tools/list",
            "",
            "TOOLS/CALL",
            request.method === "tools/call" ? "x" : request.method,
          ]),
        },
        {
          "mcp-name": random.pick([
            "everything__get-sum",
            "",
            "EVERYTHING__ECHO",
            "=?base64?Zm9v?=",
          ]),
        },
        { "mcp-protocol-version": random.pick(legacyVersions) },
        { "mcp-method": undefined },
        { "mcp-name": undefined },
        { "mcp-protocol-version": undefined },
      ]);
      const sent = Object.entries({ ...headers, ...against }).filter(
        ([, value]) => value !== undefined,
      );
      return fuzz(
        "headers against the body",
        { message, headers: Object.fromEntries(sent) },
        {
          statuses: [400],
          codes: [-32_020, -32_022, -32_600],
          refused: true,
        },
      );
    },
    "wrong content types"() {
      const { message, headers } = either();
      const type = random.pick([
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/jsonx",
        "text/html",
        undefined,
      ]);
      const { "content-type": _json, ...rest } =
        /** @type {import("./right-messages.mjs").Message} */ (headers);
      return fuzz(
        "wrong content types",
        { message, headers: { ...rest, ...(type !== undefined && { "content-type": type }) } },
        {
          statuses: [400, 415],
          refused: true,
        },
      );
    },
    "wrong Accept and encodings"() {
      const { message, headers } = either();
      const more = random.pick([
        { accept: "text/html" },
        { accept: "" },
        { accept: "application/json" },
        { "content-encoding": "gzip" },
        { "content-encoding": "br, x" },
        { expect: "100-continue" },
        { "content-type": "application/json; charset=utf-16" },
      ]);
      return fuzz("wrong Accept and encodings", { message, headers: { ...headers, ...more } });
    },
    "cut connections"() {
      const { message, headers } = either();
      const body = JSON.stringify(message);
      return { kind: "cut connections", headers, body, cutAfter: random.below(700 + body.length) };
    },
    "other HTTP methods"() {
      const method = random.pick([
        "PUT",
        "PATCH",
        "OPTIONS",
        "HEAD",
        "GET",
        "GET",
        "DELETE",
        "TRACE",
        "PROPFIND",
      ]);
      const { id: session, version, token } = random.pick(ground.spare);
      const headers = {
        accept: random.pick([
          "text/event-stream",
          "application/json, text/event-stream",
          "text/html",
          "*/*",
        ]),
        authorization: `Bearer ${token}`,
        // DELETE would be right, and end it.
        ...(method !== "DELETE" && random.chance(0.7) && { "mcp-session-id": session }),
        ...(random.chance(0.7) && {
          "mcp-protocol-version": random.pick([version, modernVersion]),
        }),
        ...(random.chance(0.4) && {
          "last-event-id": random.pick(["0", "x".repeat(3000), "__proto__", "1_1", ""]),
        }),
      };
      return { kind: "other HTTP methods", method, headers, stream: true };
    },
    "wrong tokens"() {
      const { message, headers } = either();
      const { authorization, ...rest } = /** @type {import("./right-messages.mjs").Message} */ (
        headers
      );
      const wrong = random.pick([
        undefined,
        "",
        "Bearer",
        `${authorization}x`,
        `Basic ${authorization}`,
        `Bearer ${"x".repeat(5000)}`,
        "Bearer \u00ff",
      ]);
      return fuzz(
        "wrong tokens",
        { message, headers: { ...rest, ...(wrong !== undefined && { authorization: wrong }) } },
        {
          statuses: [400, 401],
          refused: true,
        },
      );
    },
    "wrong Host and Origin"() {
      const { message, headers } = either();
      const more = random.pick([
        { host: "evil.example" },
        { origin: "https://evil.example" },
        { origin: "null" },
        { host: "127.0.0.1.evil.example" },
      ]);
      return fuzz(
        "wrong Host and Origin",
        { message, headers: { ...headers, ...more } },
        { statuses: [403], refused: true },
      );
    },
  };
}
