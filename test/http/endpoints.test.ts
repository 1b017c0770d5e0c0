import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isJsonObject } from "../../src/core/json.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { ask, good, startTestServer, type Question } from "./support.ts";

let server: HttpServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close(0));

const call = { server: "one", tool: "echo", arguments: { message: "hi" } };
const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
const mcp = { accept: "application/json, text/event-stream" };

/** Path, question, and the status for: no token, a wrong one, a good one. */
const endpoints: [path: string, question: Question, none: number, wrong: number, right: number][] =
  [
    ["/health", {}, 200, 200, 200],
    ["/health/live", {}, 200, 200, 200],
    ["/health/ready", {}, 200, 200, 200],
    ["/status", {}, 200, 200, 200],
    ["/auth", {}, 200, 200, 200],
    ["/auth/status", {}, 200, 401, 200],
    ["/auth/logout", { body: {} }, 401, 401, 200],
    ["/auth/cli-token", { body: { clientNonce: "x", odd: 1 } }, 400, 400, 400],
    ["/mcp", { body: ping, headers: mcp }, 401, 401, 200],
    ["/mcp", { method: "GET", headers: { accept: "text/event-stream" } }, 401, 401, 405],
    ["/mcp", { method: "DELETE" }, 401, 401, 405],
    ["/mcp", { method: "PUT", body: {} }, 401, 401, 405],
    ["/api/v1/inspect", {}, 401, 401, 200],
    ["/api/v1/inspect?server=one&tool=echo", {}, 401, 401, 200],
    ["/api/v1/inspect?server=none", {}, 401, 401, 404],
    ["/api/v1/inspect?tool=echo", {}, 401, 401, 400],
    ["/api/v1/inspect?odd=1", {}, 401, 401, 400],
    ["/api/v1/instructions", {}, 401, 401, 200],
    ["/api/v1/tools/call", { body: call }, 401, 401, 200],
    ["/api/v1/tools/call", { method: "GET" }, 401, 401, 405],
    ["/servers", {}, 401, 401, 200],
    ["/api/v1/admin/users", {}, 401, 401, 200],
    ["/api/v1/admin/users", { method: "PATCH" }, 401, 401, 405],
    ["/api/v1/admin/anything", {}, 401, 401, 404],
    ["/api/v1/audit", {}, 401, 401, 200],
    ["/metrics", {}, 401, 401, 200],
    ["/anything/else", {}, 401, 401, 404],
    ["/anything/else", { method: "POST", body: {} }, 401, 401, 404],
    ["/", {}, 401, 401, 404],
    ["/health", { method: "POST", body: {} }, 405, 405, 405],
    ["/auth/login", { body: { email: "a@b.c", password: "x" } }, 404, 404, 404],
    ["/auth/login", {}, 405, 405, 405],
    [
      "/api/mcp/tools/call",
      { body: { ...call, tool: "one__echo", server: undefined } },
      401,
      401,
      200,
    ],
    ["/api/mcp/tools/call", { body: "a=1", method: "POST" }, 401, 401, 415],
    ["/api/mcp/tools/call", { method: "POST" }, 401, 401, 400],
    ["/api/mcp/tools/call", {}, 401, 401, 405],
    ["/.well-known/oauth-protected-resource", {}, 404, 404, 404],
    ["/oauth/authorize", {}, 404, 404, 404],
    ["/.well-known/oauth-protected-resource/mcp", {}, 404, 404, 404],
    ["/.well-known/oauth-authorization-server", {}, 404, 404, 404],
    ["/debug/state", {}, 404, 404, 404],
    ["/debug/state", { body: {} }, 404, 404, 404],
  ];

const credentials: [name: string, headers: Record<string, string>][] = [
  ["no token", {}],
  ["a wrong token", { authorization: "Bearer wrong-token" }],
  ["a good token", good],
];

const challenges = [
  'Bearer realm="onedoor"',
  'Bearer realm="onedoor", error="invalid_token", error_description="The token is not known here"',
];

const hasErrorMessage = (json: unknown): boolean => {
  const error = isJsonObject(json) ? json["error"] : undefined;
  return isJsonObject(error) && typeof error["message"] === "string";
};

describe.each(endpoints)("%s %j", (path, question, ...statuses) => {
  it.each(credentials)("with %s", async (_name, headers) => {
    const index = credentials.findIndex(([, candidate]) => candidate === headers);
    const answer = await ask(server.port, path, {
      ...question,
      headers: { ...question.headers, ...headers },
    });
    expect(answer.status).toBe(statuses[index]);
    expect(hasErrorMessage(answer.json)).toBe(answer.status >= 400);
    expect(answer.headers["www-authenticate"]).toBe(
      answer.status === 401 ? challenges[index] : undefined,
    );
    expect(answer.headers).toMatchObject({
      "cache-control": expect.stringMatching(/^no-/u),
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
    expect(answer.text).not.toContain("wrong-token");
  });

  it.each([
    ["a foreign Host", { host: "evil.example" }],
    ["a foreign Origin", { origin: "https://evil.example" }],
    ["the null Origin", { origin: "null" }],
  ])("refuses %s", async (_name, headers) => {
    const answer = await ask(server.port, path, {
      ...question,
      headers: { ...question.headers, ...good, ...headers },
    });
    expect(answer.status).toBe(403);
    expect(answer.json).toMatchObject({ error: { code: "forbidden" } });
    expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
  });
});

describe("bearers", () => {
  it.each<[string, Record<string, string | string[]>]>([
    ["two headers", { authorization: ["Bearer good-token", "Bearer good-token"] }],
    ["another scheme", { authorization: "Basic Z29vZC10b2tlbg==" }],
    ["no scheme", { authorization: "good-token" }],
    ["no token", { authorization: "Bearer " }],
    ["inner white space", { authorization: "Bearer good token" }],
    ["an empty header", { authorization: "" }],
    ["a quote", { authorization: 'Bearer "good-token"' }],
    ["12 kB", { authorization: `Bearer ${"x".repeat(12_000)}` }],
    ["more than any has", { authorization: `Bearer ${"x".repeat(16 * 1024 + 1)}` }],
  ])("are rejected with 401 when there is %s", async (_name, headers) => {
    for (const path of ["/api/v1/inspect", "/auth/status", "/mcp", "/nowhere"]) {
      const answer = await ask(server.port, path, { headers });
      expect(answer.status).toBe(401);
      expect(answer.json).toMatchObject({ error: { code: "auth_rejected" } });
      expect(answer.headers["www-authenticate"]).toContain('error="invalid_token"');
    }
  });

  it("are 503 when nobody can judge them, and never taken for none", async () => {
    const headers = { authorization: "Bearer down-token" };
    for (const path of ["/api/v1/inspect", "/auth/status"]) {
      const answer = await ask(server.port, path, { headers });
      expect(answer.status).toBe(503);
      expect(answer.json).toMatchObject({ error: { code: "unreachable" } });
    }
  });

  it("may be written bearer", async () => {
    const headers = { authorization: "bearer good-token" };
    expect((await ask(server.port, "/api/v1/inspect", { headers })).status).toBe(200);
  });

  it("are not taken from the address", async () => {
    expect((await ask(server.port, "/api/v1/inspect?token=good-token")).status).toBe(401);
  });
});

describe("answers", () => {
  it("say who it is, without names of servers", async () => {
    const status = await ask(server.port, "/status");
    expect(status.json).toEqual({
      name: "onedoor",
      version: "1.2.3",
      instanceId: "instance-1",
      protocolVersions: expect.arrayContaining(["2026-07-28", "2025-11-25"]),
      upstreams: { total: 1, ready: 1, starting: 0, unavailable: 0 },
    });
    expect((await ask(server.port, "/auth")).json).toEqual({
      required: true,
      ways: [{ type: "token", description: "With a token" }],
    });
  });

  it("say who the caller is", async () => {
    expect((await ask(server.port, "/auth/status")).json).toEqual({
      authenticated: false,
      ways: [{ type: "token", description: "With a token" }],
    });
    expect((await ask(server.port, "/auth/status", { headers: good })).json).toEqual({
      authenticated: true,
      user: { id: "ada", name: "Ada", email: null },
      organization: null,
      role: "admin",
      scopes: [],
      method: "token",
      expiresAt: "2030-01-01T00:00:00.000Z",
    });
  });

  it("have an Allow header with 405", async () => {
    const answer = await ask(server.port, "/api/v1/tools/call", { headers: good });
    expect(answer.headers.allow).toBe("POST");
  });
});
