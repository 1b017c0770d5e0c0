import { request } from "node:http";
import { afterEach, expect, it } from "vitest";
import type { HttpServer } from "../../src/http/http-server.ts";
import { fakeUpstream, gatewayOf, goodToken } from "../gateway/fakes.ts";
import { ask, startTestServer } from "./support.ts";

let server: HttpServer;
afterEach(() => server.close(0));

// One that nothing but having been shown gives away as a secret.
const token = goodToken;

async function start() {
  const { gateway, audit } = gatewayOf([fakeUpstream("one")]);
  server = await startTestServer({ gateway });
  return { audit };
}

it.each(["/api/v1/tools/call", "/mcp"])(
  "the bearer of a call is in no audit row, though it stands in an argument: %s",
  async (path) => {
    const { audit } = await start();
    const given = { arguments: { message: `I am ${token}` } };
    const mcp = { jsonrpc: "2.0", id: 1, method: "tools/call" };
    const answer = await ask(server.port, path, {
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json, text/event-stream",
      },
      body:
        path === "/mcp"
          ? { ...mcp, params: { name: "one__echo", ...given } }
          : { server: "one", tool: "echo", ...given },
    });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(token);
    expect(audit.events).toMatchObject([{ status: "success", params: expect.anything() }]);
    expect(JSON.stringify(audit.events)).not.toContain(token);
  },
);

it("nor when it is shown in the query", async () => {
  const { audit } = await start();
  const events = request({ host: "127.0.0.1", port: server.port, path: `/sse?token=${token}` });
  const endpoint = await new Promise<string>((resolve, reject) => {
    events.on("error", reject).on("response", (incoming) => {
      let text = "";
      incoming.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        const [, address] = /^data: (\/message\S+)$/mu.exec(text) ?? [];
        if (address !== undefined) resolve(address);
      });
    });
    events.end();
  });
  const call = (id: number, method: string, params: object): Promise<unknown> =>
    ask(server.port, endpoint, { body: { jsonrpc: "2.0", id, method, params } });
  const clientInfo = { name: "old", version: "1" };
  await call(1, "initialize", { protocolVersion: "2024-11-05", capabilities: {}, clientInfo });
  await call(2, "tools/call", { name: "one__echo", arguments: { message: `I am ${token}` } });
  await expect.poll(() => audit.events).toHaveLength(1);
  expect(audit.events[0]?.toolName).toContain("echo");
  expect(JSON.stringify(audit.events)).not.toContain(token);
  events.destroy();
});

const ours = `od_${"a".repeat(43)}`;
const self = (secret: string) => ({
  "x-onedoor-project": `project ${secret}`,
  "x-onedoor-session": secret,
  "x-onedoor-client": `${secret}!`,
});

it.each(["/api/v1/tools/call", "/api/mcp/tools/call", "/mcp"])(
  "nor when its client names itself, its project or a tool by it: %s",
  async (path) => {
    const { audit } = await start();
    const name = `one__${token}_${ours}`;
    const ofMcp = { jsonrpc: "2.0", id: 1, method: "tools/call" };
    const bodies: Record<string, object> = {
      "/mcp": { ...ofMcp, params: { name, arguments: {} } },
      "/api/v1/tools/call": { server: "one", tool: `${token}_${ours}`, arguments: {} },
      "/api/mcp/tools/call": { tool: name, arguments: {} },
    };
    await ask(server.port, path, {
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json, text/event-stream",
        ...self(token),
      },
      body: bodies[path] ?? {},
    });
    const said = { projectId: null, sessionId: null, clientName: "unknown" };
    expect(audit.events).toMatchObject([said]);
    expect(JSON.stringify(audit.events)).not.toMatch(new RegExp(`${token}|${ours}`, "u"));
  },
);

it("nor when it stands in the body", async () => {
  const { audit } = await start();
  const given = { tool: `one__${token}`, arguments: { auth_token: token } };
  await ask(server.port, "/api/mcp/tools/call", { headers: self(token), body: given });
  expect(audit.events).toMatchObject([{ userId: "ada", projectId: null, clientName: "unknown" }]);
  expect(JSON.stringify(audit.events)).not.toContain(token);
});

it("nor when it is refused, nor any of ours", async () => {
  const { audit } = await start();
  const wrong = "wrong-token-of-somebody";
  const mcp = { "mcp-method": "tools/call", "mcp-name": `one__${wrong}` };
  for (const [path, headers, body] of [
    ["/mcp", { authorization: `Bearer ${wrong}`, ...mcp, ...self(wrong) }, {}],
    ["/mcp", { authorization: wrong, ...mcp, ...self(wrong) }, {}],
    [`/mcp?token=${wrong}`, { ...mcp, ...self(wrong) }, {}],
    ["/mcp", { authorization: `Bearer ${wrong}`, ...self(ours), "mcp-name": ours }, {}],
    ["/api/mcp/tools/call", self(wrong), { tool: wrong, arguments: { auth_token: wrong } }],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await ask(server.port, path, { headers, body });
  }
  expect(audit.events).toHaveLength(5);
  expect(JSON.stringify(audit.events)).not.toMatch(new RegExp(`${wrong}|${ours}`, "u"));
});
