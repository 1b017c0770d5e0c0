import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HttpServer } from "../../src/http/http-server.ts";
import { fakeUpstream, gatewayOf } from "../gateway/fakes.ts";
import { doorWith, oauthWay, tokenWay } from "./doors.ts";
import { ask, good, startTestServer, type Question } from "./support.ts";

const origin = "https://app.example.com";
const exposed = "WWW-Authenticate, Mcp-Session-Id, Retry-After";

let server: HttpServer;
let audit: ReturnType<typeof gatewayOf>["audit"];
beforeAll(async () => {
  const fixture = gatewayOf([fakeUpstream("one")], { door: doorWith(tokenWay, oauthWay) });
  ({ audit } = fixture);
  server = await startTestServer({
    gateway: fixture.gateway,
    configuration: { allowedOrigins: [origin] },
  });
});
afterAll(() => server.close(0));

const paths = [
  "/mcp",
  "/sse",
  "/message",
  "/api/v1/tools/call",
  "/api/mcp/tools/call",
  "/auth/login",
  "/auth/status",
  "/.well-known/oauth-protected-resource/mcp",
  "/nothing",
];

const preflight = (from: string): Question => ({
  method: "OPTIONS",
  headers: {
    origin: from,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,mcp-protocol-version",
  },
});

describe.each(paths)("%s", (path) => {
  it.each([origin, "http://localhost:6274"])("lets pages of %s ask", async (from) => {
    const { status, headers, text } = await ask(server.port, path, preflight(from));
    expect([status, text]).toEqual([204, ""]);
    expect(headers).toMatchObject({
      "access-control-allow-origin": from,
      "access-control-allow-methods": "GET, POST, PUT, DELETE",
      "access-control-allow-headers": "authorization,content-type,mcp-protocol-version",
      vary: "Origin",
    });
    // The bearer is a header that the page sets; nothing that a browser adds by itself lets anybody in.
    expect(headers).not.toHaveProperty("access-control-allow-credentials");
  });

  it.each(["https://evil.example", `${origin}.evil.example`, "http://app.example.com", "null"])(
    "lets pages of %s ask nothing",
    async (from) => {
      const { status, headers } = await ask(server.port, path, preflight(from));
      expect(status).toBe(403);
      expect(headers).not.toHaveProperty("access-control-allow-origin");
      expect(headers).not.toHaveProperty("access-control-allow-methods");
    },
  );
});

it.each<[string, string, Question, number]>([
  ["a refusal without a token", "/mcp", { body: {} }, 401],
  ["a refused token", "/mcp", { headers: { authorization: "Bearer wrong" } }, 401],
  ["one for too little", "/servers", { headers: { authorization: "Bearer narrow-token" } }, 403],
  ["the body's token", "/api/mcp/tools/call", { body: { tool: "a" } }, 401],
  ["an answer", "/api/v1/inspect", { headers: good }, 200],
])("a page that may ask can read the challenge of %s", async (_name, path, question, status) => {
  const answer = await ask(server.port, path, {
    ...question,
    headers: { ...question.headers, origin },
  });
  expect(answer.status).toBe(status);
  expect(answer.headers).toMatchObject({
    "access-control-allow-origin": origin,
    "access-control-expose-headers": exposed,
  });
  expect(answer.headers["www-authenticate"] === undefined).toBe(status === 200);
});

it.each(["/api/v1/tools/call", "/api/mcp/tools/call", "/mcp"])(
  "a cross-site post to %s is refused before its body is read, and is a row",
  async (path) => {
    const before = audit.events.length;
    const answer = await ask(server.port, path, {
      method: "POST",
      body: '{"tool":"one__echo"',
      headers: { ...good, origin: "https://evil.example", "content-type": "text/plain" },
    });
    expect(answer.status).toBe(403);
    expect(audit.events.slice(before)).toMatchObject([{ toolName: "unknown", status: "denied" }]);
  },
);

it.each(["/api/v1/tools/call", "/api/mcp/tools/call", "/mcp"])(
  "a body of another type or too large is a row with who sent it: %s",
  async (path) => {
    const before = audit.events.length;
    const large = `"${"x".repeat(4 * 1024 * 1024)}"`;
    const post = (type: string, body: string) =>
      ask(server.port, path, { body, headers: { ...good, "content-type": type } });
    expect((await post("application/x-www-form-urlencoded", "a=1")).status).toBe(415);
    expect((await post("application/json", large)).status).toBe(413);
    await expect
      .poll(() => audit.events.slice(before))
      .toMatchObject([
        { toolName: "unknown", status: "denied", userId: "ada" },
        { toolName: "unknown", status: "denied", userId: "ada" },
      ]);
  },
);
