import { modernHeaders, envelope } from "../soak/modern-client.mjs";

/** @typedef {import("./http-client.mjs").HttpClient} HttpClient */
/** @typedef {import("./http-client.mjs").Answer} Answer */
/** Sends one request of MCP and resolves to what came, unread. @typedef {(method: string, params: object) => Promise<Answer>} Ask */

const jsonHeaders = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
};
const legacyVersion = "2025-11-25";

/**
 * Opens a session of the legacy era over Streamable HTTP.
 * @param {HttpClient} client
 * @param {object} options
 * @param {string} [options.path]
 * @param {Record<string, string>} [options.authorization] the headers that let it in
 * @param {boolean} [options.listen] whether its common stream is opened, as most clients do; it stays until the
 *   client is closed
 * @returns {Promise<Ask>}
 */
export async function openSession(client, { path = "/mcp", authorization = {}, listen = false }) {
  const opening = { ...jsonHeaders, ...authorization };
  const params = {
    protocolVersion: legacyVersion,
    capabilities: {},
    clientInfo: { name: "bench", version: "1.0.0" },
  };
  const { status, headers, text } = await client.send(
    "POST",
    path,
    opening,
    JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params }),
  );
  const sessionId = headers["mcp-session-id"];
  if (status !== 200 || typeof sessionId !== "string" || !text.includes(`"${legacyVersion}"`))
    throw new Error(`initialize was answered ${status} ${text.slice(0, 300)}`);
  const session = {
    ...authorization,
    "mcp-session-id": sessionId,
    "mcp-protocol-version": legacyVersion,
  };
  const own = { ...jsonHeaders, ...session };
  const initialized = await client.send(
    "POST",
    path,
    own,
    JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }),
  );
  if (initialized.status !== 202)
    throw new Error(`initialized was answered ${initialized.status} ${initialized.text}`);
  if (listen) await client.listen(path, { ...session, accept: "text/event-stream" });
  let last = 0;
  return (method, asked) =>
    client.send(
      "POST",
      path,
      own,
      JSON.stringify({ jsonrpc: "2.0", id: ++last, method, params: asked }),
    );
}

/**
 * A client of the modern era (2026-07-28): no session, everything in each request.
 * @param {HttpClient} client
 * @param {Record<string, string>} authorization
 * @returns {Ask}
 */
export function createModernAsk(client, authorization) {
  let last = 0;
  const _meta = envelope("bench");
  return (method, params) =>
    client.send(
      "POST",
      "/mcp",
      { ...jsonHeaders, ...authorization, ...modernHeaders(method, params) },
      JSON.stringify({ jsonrpc: "2.0", id: ++last, method, params: { ...params, _meta } }),
    );
}

/**
 * Calls a tool that says back what it is told, and looks, cheaply, at whether it did: the text was never sent
 * before, so no other call's answer passes for this one's.
 * @param {Ask} ask
 * @param {{name: string, argument: string, answer: (text: string) => string}} tool `answer`: the text that is to
 *   come for a text
 * @returns {() => Promise<void>} rejects with an answer that is not the right one
 */
export function createEcho(ask, { name, argument, answer }) {
  let calls = 0;
  return async () => {
    const said = `n${++calls}`;
    checkEcho(await ask("tools/call", { name, arguments: { [argument]: said } }), answer(said));
  };
}

/**
 * The same over the gateway's REST interface.
 * @param {HttpClient} client
 * @param {Record<string, string>} authorization
 * @param {{server: string, name: string, argument: string, answer: (text: string) => string}} tool
 */
export function createRestEcho(client, authorization, { server, name, argument, answer }) {
  const headers = { ...authorization, "content-type": "application/json" };
  let calls = 0;
  return async () => {
    const said = `n${++calls}`;
    const body = JSON.stringify({ server, tool: name, arguments: { [argument]: said } });
    checkEcho(await client.send("POST", "/api/v1/tools/call", headers, body), answer(said));
  };
}

/** @param {Answer} received @param {string} expected */
function checkEcho({ status, text }, expected) {
  const isRight =
    status === 200 &&
    text.includes(`"content":[{"type":"text","text":"${expected}"}]`) &&
    !text.includes(`"isError":true`);
  if (!isRight) throw new Error(`a wrong answer: ${status} ${text.slice(0, 300)}`);
}
