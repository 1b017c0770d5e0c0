import { afterAll, beforeAll, expect, it } from "vitest";
import { startAdministration } from "./administration-server.ts";
import type { AdministrationServer } from "./administration-server.ts";

const accept = { accept: "application/json, text/event-stream" };
const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "x", version: "1" },
  },
};

let world: AdministrationServer;
beforeAll(async () => {
  world = await startAdministration();
});
afterAll(() => world.server.close(0));

it.each([
  ["/mcp", "POST", initialize],
  ["/mcp", "GET", undefined],
  ["/mcp", "DELETE", undefined],
  ["/sse", "GET", undefined],
  ["/message?sessionId=x", "POST", initialize],
] as const)(
  "a token that is good for a scope only is refused at the route: %s %s",
  async (path, method, body) => {
    const question = { method, headers: accept, ...(body === undefined ? {} : { body }) };
    for (const who of ["metrics", "metricsA"] as const) {
      const answer = await world.ask(who, path, question);
      expect(answer).toMatchObject({
        status: 403,
        json: { error: { code: "forbidden", scopes: ["role:viewer"] } },
      });
      expect(answer.headers["www-authenticate"]).toContain(
        'error="insufficient_scope", scope="role:viewer"',
      );
      expect(answer.headers).not.toHaveProperty("mcp-session-id");
    }
  },
);

it("a call of such a token is a row under its user", async () => {
  const before = world.audit.events.length;
  const headers = { ...accept, "mcp-method": "tools/call", "mcp-name": "one__echo" };
  await world.ask("metricsA", "/mcp", { body: initialize, headers });
  expect(world.audit.events.slice(before)).toMatchObject([
    { toolName: "one__echo", status: "denied", userId: "admin-a", organizationId: "a", params: {} },
  ]);
});

it("nothing is made for it that would push out a session of its user's", async () => {
  const begun = await world.ask("owner", "/mcp", { body: initialize, headers: accept });
  const headers = { ...accept, "mcp-session-id": String(begun.headers["mcp-session-id"]) };
  // More than a user, or all of them, may have.
  for (let round = 0; round < 11; round += 1) {
    await Promise.all(
      Array.from({ length: 100 }, () =>
        world.ask("metrics", "/mcp", { body: initialize, headers: accept }),
      ),
    );
  }
  const ping = { jsonrpc: "2.0", id: 2, method: "ping" };
  expect((await world.ask("owner", "/mcp", { body: ping, headers })).status).toBe(200);
});

it("a viewer is let in", async () => {
  const answer = await world.ask("viewerA", "/mcp", { body: initialize, headers: accept });
  expect(answer).toMatchObject({ status: 200 });
});
