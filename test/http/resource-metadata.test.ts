import { afterEach, describe, expect, it } from "vitest";
import type { Configuration } from "../../src/core/configuration.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { fakeUpstream, gatewayOf } from "../gateway/fakes.ts";
import { doorWith, issuer, oauthWay, tokenWay } from "./doors.ts";
import { ask, startTestServer } from "./support.ts";

let server: HttpServer;
afterEach(() => server.close(0));

const wellKnown = "/.well-known/oauth-protected-resource";

async function start(configuration: Partial<Configuration> = {}, ways = [tokenWay, oauthWay]) {
  const door = doorWith(...ways);
  server = await startTestServer({
    gateway: gatewayOf([fakeUpstream("one")], { door }).gateway,
    configuration,
  });
  return { door, local: `http://127.0.0.1:${server.port}` };
}

const documentAt = async (path: string, headers: Record<string, string> = {}) =>
  (await ask(server.port, path, { headers })).json;
const challengeAt = async (path: string, headers: Record<string, string> = {}) =>
  (await ask(server.port, path, { headers })).headers["www-authenticate"];

/** What there is to see of the authorization server. */
const state = async () => [
  (await ask(server.port, wellKnown)).status,
  (await ask(server.port, `${wellKnown}/mcp`)).status,
  await challengeAt("/mcp"),
  (await ask(server.port, "/auth")).json,
  (await ask(server.port, "/auth/status")).json,
];

describe("the metadata of the protected resource", () => {
  it("name the authorization server, for the gateway and for /mcp", async () => {
    const { local } = await start();
    const common = {
      resource_name: "OneDoor",
      authorization_servers: [issuer],
      bearer_methods_supported: ["header"],
    };
    expect(await documentAt(wellKnown)).toEqual({ ...common, resource: local });
    expect(await documentAt(`${wellKnown}/mcp`)).toEqual({ ...common, resource: `${local}/mcp` });
  });

  it("name what to ask for, and each server once", async () => {
    const other = { ...oauthWay, issuer: "https://other.example", scopes: ["gateway.use", "b"] };
    await start({}, [oauthWay, { ...oauthWay, scopes: ["gateway.use"] }, other]);
    expect(await documentAt(wellKnown)).toMatchObject({
      authorization_servers: [issuer, "https://other.example"],
      scopes_supported: ["gateway.use", "b"],
    });
    expect(await challengeAt("/mcp")).toContain('scope="gateway.use b", resource_metadata=');
    // A 403 says itself which are missing.
    const narrow = await challengeAt("/mcp", { authorization: "Bearer narrow-token" });
    expect(narrow?.match(/scope="[^"]*"/gu)).toEqual(['scope="gateway.use profile"']);
  });

  it("come and go with the way to sign in, without a restart", async () => {
    const { door } = await start({}, [tokenWay]);
    const off = [404, 404, 'Bearer realm="onedoor"'];
    expect(await state()).toMatchObject([...off, { ways: [tokenWay] }, { ways: [tokenWay] }]);
    door.ways = [oauthWay];
    expect(await state()).toMatchObject([
      200,
      200,
      expect.stringContaining("resource_metadata="),
      { ways: [oauthWay] },
      { ways: [oauthWay] },
    ]);
    door.ways = [tokenWay];
    expect((await state()).slice(0, 3)).toEqual(off);
  });

  it.each(["https://mcp.example.com/door", "https://mcp.example.com/door/"])(
    "are below %s, whatever name and proxy a request comes by",
    async (externalUrl) => {
      const base = "https://mcp.example.com/door";
      await start({ externalUrl, trustedProxies: ["127.0.0.1"] });
      const requests: Record<string, string>[] = [
        {},
        { host: "mcp.example.com" },
        { "x-forwarded-host": "evil.example", "x-forwarded-proto": "http" },
        { forwarded: "host=evil.example;proto=http", "x-forwarded-prefix": "/evil" },
      ];
      for (const headers of requests) {
        expect(await documentAt(wellKnown, headers)).toMatchObject({ resource: base });
        expect(await documentAt(`${wellKnown}/mcp`, headers)).toMatchObject({
          resource: `${base}/mcp`,
        });
        expect(await challengeAt("/mcp", headers)).toBe(
          `Bearer realm="onedoor", resource_metadata="${base}${wellKnown}/mcp"`,
        );
        expect(await challengeAt("/sse", headers)).toBe(
          `Bearer realm="onedoor", resource_metadata="${base}${wellKnown}"`,
        );
      }
      // Where RFC 9728 §3.1 looks for those of a resource below a folder.
      expect(await documentAt(`${wellKnown}/door`)).toMatchObject({ resource: base });
      expect(await documentAt(`${wellKnown}/door/mcp`)).toMatchObject({ resource: `${base}/mcp` });
      expect((await ask(server.port, `${wellKnown}/door/other`)).status).toBe(404);
    },
  );

  it("go by the name of the request without an external URL, and by nothing that is forwarded", async () => {
    await start({ allowedHosts: ["gate.internal"] });
    const headers = { host: "gate.internal:81", "x-forwarded-host": "evil.example" };
    expect(await documentAt(`${wellKnown}/mcp`, headers)).toMatchObject({
      resource: "http://gate.internal:81/mcp",
    });
    const forwarded = { ...headers, "x-forwarded-proto": "https", forwarded: "host=evil.example" };
    expect(await challengeAt("/mcp", forwarded)).toBe(
      `Bearer realm="onedoor", resource_metadata="http://gate.internal:81${wellKnown}/mcp"`,
    );
  });
});

describe("a challenge announces them", () => {
  it.each<[string, Record<string, string>, number, string]>([
    ["401 without a token", {}, 401, 'Bearer realm="onedoor", resource_metadata='],
    [
      "401 with a wrong one",
      { authorization: "Bearer wrong-token" },
      401,
      'error_description="The token is not known here", resource_metadata=',
    ],
    [
      "403 of one for too little",
      { authorization: "Bearer narrow-token" },
      403,
      'error="insufficient_scope", scope="gateway.use profile"',
    ],
  ])("%s", async (_name, headers, status, part) => {
    const { local } = await start();
    for (const path of ["/mcp", "/sse", "/api/v1/inspect", "/metrics", "/nothing"]) {
      const answer = await ask(server.port, path, { headers });
      expect(answer.status).toBe(status);
      const challenge = answer.headers["www-authenticate"];
      expect(challenge).toContain(part);
      const resource = path === "/mcp" ? "/mcp" : "";
      expect(challenge).toContain(`resource_metadata="${local}${wellKnown}${resource}"`);
    }
  });

  it.each([
    [
      "/mcp",
      { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "one__echo" } },
      "/mcp",
    ],
    ["/api/v1/tools/call", { server: "one", tool: "echo" }, ""],
    ["/api/mcp/tools/call", { tool: "one__echo" }, ""],
  ])(
    "403 of a token that is limited to less than a call needs: %s",
    async (path, body, resource) => {
      const { local } = await start();
      const answer = await ask(server.port, path, {
        body,
        headers: {
          authorization: "Bearer viewer-token",
          accept: "application/json, text/event-stream",
        },
      });
      expect(answer.status).toBe(403);
      const challenge = answer.headers["www-authenticate"];
      expect(challenge).toContain('error="insufficient_scope"');
      expect(challenge).toContain('scope="role:editor"');
      expect(challenge).toContain(`resource_metadata="${local}${wellKnown}${resource}"`);
    },
  );

  it("and nothing else does", async () => {
    await start();
    const headers = { authorization: "Bearer down-token" };
    expect(await challengeAt("/mcp", headers)).toBeUndefined();
    expect(await challengeAt("/mcp", { origin: "https://evil.example" })).toBeUndefined();
  });
});
