import { afterEach, expect, it } from "vitest";
import type { HttpServer } from "../../src/http/http-server.ts";
import { fakeUpstream, gatewayOf, type GatewayFixture } from "../gateway/fakes.ts";
import { doorWith, tokenWay } from "./doors.ts";
import { ask, good, startTestServer } from "./support.ts";

let server: HttpServer;
afterEach(() => server.close(0));

const start = async (): Promise<GatewayFixture> => {
  const fixture = gatewayOf([fakeUpstream("one")]);
  server = await startTestServer({ gateway: fixture.gateway });
  return fixture;
};
const api = "/api/v1/tools/call";
const exposed = "/api/mcp/tools/call";
const bad = { authorization: "Bearer wrong-token" };
const body = { server: "one", tool: "echo", arguments: { message: "secret" } };

it.each<[string, string, Record<string, string>, number, string]>([
  ["REST, without a token", api, {}, 401, "unknown"],
  ["REST, with a wrong token", api, bad, 401, "unknown"],
  ["REST, with two schemes", api, { authorization: "Basic eDp5" }, 401, "unknown"],
  ["REST, from a strange page", api, { ...good, origin: "https://evil.example" }, 403, "unknown"],
  ["MCP that does not say its method", "/mcp", {}, 401, "unknown"],
  ["MCP", "/mcp", { "mcp-method": "tools/call", "mcp-name": "one__echo" }, 401, "one__echo"],
])(
  "a refused tool call by %s is a row without a user",
  async (_name, path, headers, code, tool) => {
    const { audit } = await start();
    const answer = await ask(server.port, path, {
      body,
      headers: { ...headers, "x-onedoor-client": "curl", "x-onedoor-session": "s".repeat(500) },
    });
    expect(answer.status).toBe(code);
    expect(audit.events).toEqual([
      {
        id: expect.stringMatching(/^00000000-[\da-f]{4}-7.*1$/u),
        timeMs: expect.any(Number),
        toolName: tool,
        params: {},
        status: "denied",
        durationMs: 0,
        userId: null,
        organizationId: null,
        projectId: null,
        sessionId: `${"s".repeat(199)}…`,
        clientName: "curl",
      },
    ]);
  },
);

const downDoor = "Bearer down-token";
const mcp = { "mcp-method": "tools/call", "mcp-name": "one__echo" };
const twoTokens = "token=one-token&token=another-token";
it.each<[string, string, Record<string, string>, number, string]>([
  ["REST", api, { authorization: downDoor }, 503, "unknown"],
  ["REST by the exposed name", exposed, { authorization: downDoor }, 503, "unknown"],
  ["MCP", "/mcp", { ...mcp, authorization: downDoor }, 503, "one__echo"],
  ["an old MCP client", "/message?sessionId=x", { authorization: downDoor }, 503, "unknown"],
  ["REST with several tokens", `${api}?${twoTokens}`, {}, 400, "unknown"],
  ["REST with two tokens", `${api}?token=another-token`, good, 400, "unknown"],
  ["REST by the exposed name, too", `${exposed}?token=another-token`, good, 400, "unknown"],
  ["MCP with two tokens", "/mcp?token=another-token", { ...mcp, ...good }, 400, "one__echo"],
  ["an old MCP client with two", "/message?sessionId=x&token=other-token", good, 400, "unknown"],
])(
  "a call whose sender nobody can tell is a row, and one alone: %s",
  async (_name, path, headers, code, toolName) => {
    const fixture = gatewayOf([fakeUpstream("one")], { door: doorWith(tokenWay) });
    server = await startTestServer({
      gateway: fixture.gateway,
      configuration: { allowQueryToken: true },
    });
    const answer = await ask(server.port, path, { body, headers });
    expect(answer.status).toBe(code);
    const { events } = fixture.audit;
    expect(events).toMatchObject([{ toolName, status: "denied", params: {}, userId: null }]);
    expect(JSON.stringify(events)).not.toMatch(/(?:one|other|down)-token/u);
  },
);

it("so is one whose token stands in its arguments", async () => {
  const fixture = gatewayOf([fakeUpstream("one")], { door: doorWith(tokenWay) });
  server = await startTestServer({ gateway: fixture.gateway });
  const call = (auth_token: unknown) =>
    ask(server.port, exposed, { body: { tool: "one__echo", arguments: { auth_token } } });
  expect([(await call("down-token")).status, (await call(["down-token"])).status]).toEqual([
    503, 400,
  ]);
  expect(fixture.audit.events).toMatchObject([
    { toolName: "one__echo", status: "denied", userId: null },
    { toolName: "one__echo", status: "denied", userId: null },
  ]);
});

it("a flood of calls while the auth server is down is bounded all the same", async () => {
  const { gateway, audit } = gatewayOf([fakeUpstream("one")], { door: doorWith(tokenWay) });
  server = await startTestServer({ gateway });
  const headers = { authorization: downDoor };
  for (let call = 0; call < 75; call += 1) await ask(server.port, api, { body, headers });
  expect(audit.events).toHaveLength(60);
});

it("nothing else that is refused is a row, nor is a call that was never one", async () => {
  const { audit } = await start();
  const refused = [
    await ask(server.port, "/api/v1/inspect"),
    await ask(server.port, "/mcp", { method: "DELETE" }),
    await ask(server.port, "/mcp", { body, headers: { "mcp-method": "tools/list" } }),
    await ask(server.port, "/nothing", { body }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
  expect((await ask(server.port, api, { body: {}, headers: good })).status).toBe(400);
  expect(audit.events).toEqual([]);
});

it("a flood is sixty rows and one that says how many were left out", async () => {
  const { audit } = await start();
  for (let call = 0; call < 75; call += 1) await ask(server.port, api, { body });
  expect(audit.events).toHaveLength(60);
  await server.close(0);
  expect(audit.events).toHaveLength(61);
  expect(audit.events.at(-1)).toMatchObject({
    toolName: "unknown",
    params: { leftOut: 15 },
    status: "denied",
    userId: null,
  });
});
