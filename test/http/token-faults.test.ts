import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HttpServer } from "../../src/http/http-server.ts";
import { fakeUpstream, gatewayOf, goodToken } from "../gateway/fakes.ts";
import { doorWith, tokenWay } from "./doors.ts";
import { ask, startTestServer, type Question } from "./support.ts";

let server: HttpServer;
beforeAll(async () => {
  const { gateway } = gatewayOf([fakeUpstream("one")], { door: doorWith(tokenWay) });
  server = await startTestServer({ gateway });
});
afterAll(() => server.close(0));

const realm = 'Bearer realm="onedoor"';
const malformed = `${realm}, error="invalid_token", error_description="The Authorization header must be one \`Bearer <token>\`"`;
const invalid = (why: string): string =>
  `${realm}, error="invalid_token", error_description="${why}"`;
const narrow = `${realm}, error="insufficient_scope", scope="gateway.use profile", error_description="The token lacks the scopes gateway.use profile"`;

/** What is shown, the status of every endpoint that asks for a sign-in, and the challenge. */
const faults: [
  name: string,
  authorization: string | string[] | undefined,
  status: number,
  challenge: string | undefined,
][] = [
  ["missing", undefined, 401, realm],
  ["empty", "", 401, malformed],
  ["without a scheme", goodToken, 401, malformed],
  ["of another scheme", "Basic Z29vZC10b2tlbg==", 401, malformed],
  ["of a scheme that begins alike", `Bearers ${goodToken}`, 401, malformed],
  ["nothing but a scheme", "Bearer", 401, malformed],
  ["two words", `Bearer ${goodToken} more`, 401, malformed],
  [
    "in quotes",
    `Bearer "${goodToken}"`,
    401,
    invalid("The token in the Authorization header is none"),
  ],
  ["two in one header", `Bearer ${goodToken},Bearer x`, 401, malformed],
  ["two headers", [`Bearer ${goodToken}`, `Bearer ${goodToken}`], 401, malformed],
  ["two headers, one empty", [`Bearer ${goodToken}`, ""], 401, malformed],
  [
    "oversized",
    `Bearer ${"x".repeat(16_385)}`,
    401,
    invalid("The token in the Authorization header is longer than any is"),
  ],
  [
    "as long as any may be",
    `Bearer ${"x".repeat(16_384)}`,
    401,
    invalid("The token is not known here"),
  ],
  ["expired", "Bearer expired-token", 401, invalid("The token has expired")],
  ["unknown", "Bearer unknown-token", 401, invalid("The token is not known here")],
  ["not judged", "Bearer down-token", 503, undefined],
  ["insufficient", "Bearer narrow-token", 403, narrow],
];

const accept = "application/json, text/event-stream";
const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
const call = { server: "one", tool: "echo", arguments: { message: "hi" } };
/** Everything that asks for a sign-in, paths that are not there and methods that are not for them too. */
const endpoints: [path: string, question: Question][] = [
  ["/mcp", { body: ping, headers: { accept } }],
  ["/mcp", { headers: { accept: "text/event-stream" } }],
  ["/mcp", { method: "DELETE" }],
  ["/sse", { headers: { accept: "text/event-stream" } }],
  ["/message?sessionId=x", { body: ping }],
  ["/api/v1/inspect", {}],
  ["/api/v1/instructions", {}],
  ["/api/v1/tools/call", { body: call }],
  ["/api/mcp/tools/call", { body: { tool: "one__echo", arguments: call.arguments } }],
  ["/api/mcp/tools/call", { method: "GET" }],
  ["/servers", {}],
  ["/servers/one", {}],
  ["/servers/one/restart", { method: "POST" }],
  ["/api/v1/audit", {}],
  ["/api/v1/admin/users", {}],
  ["/api/v1/admin/users", { body: { id: "new" } }],
  ["/api/v1/admin/nothing", {}],
  ["/metrics", {}],
  ["/nothing", {}],
  ["/api/v1/inspect", { method: "POST", body: {} }],
];
/** Public, and all the same no place for a token that is not good; without one they have answers of their own. */
const asking: [path: string, question: Question][] = [
  ["/auth/status", {}],
  ["/auth/logout", { method: "POST" }],
];

describe.each(faults)("a token that is %s", (name, authorization, status, challenge) => {
  const hasNone = authorization === undefined;
  it.each(hasNone ? endpoints : [...endpoints, ...asking])("%s %j", async (path, question) => {
    const isLogout = path === "/auth/logout" && name === "insufficient";
    const answer = await ask(server.port, path, {
      ...question,
      headers: { ...question.headers, ...(hasNone ? {} : { authorization }) },
    });
    // What is good for too little can be given up all the same.
    expect(answer.status).toBe(isLogout ? 200 : status);
    expect(answer.headers["www-authenticate"]).toBe(isLogout ? undefined : challenge);
    expect(answer.headers["retry-after"]).toBe(status === 503 ? "5" : undefined);
    expect(answer.headers["cache-control"]).toBe("no-store");
    const shown = [authorization ?? []].flat().flatMap((header) => header.split(" ").slice(1));
    for (const token of shown.filter((text) => text.endsWith("token"))) {
      expect(answer.text + JSON.stringify(answer.headers)).not.toContain(token);
    }
  });
});

describe.each(["/sse", "/message?sessionId=x"])("%s takes the query's token too", (path) => {
  const query = (token: string): string => `${path}${path.includes("?") ? "&" : "?"}${token}`;
  const askWith = (token: string, authorization?: string) =>
    ask(server.port, query(token), {
      method: path === "/sse" ? "GET" : "POST",
      headers: authorization === undefined ? {} : { authorization },
    });

  it.each<[string, string, string | undefined, number, string | undefined]>([
    ["unknown", "token=unknown-token", undefined, 401, invalid("The token is not known here")],
    ["expired", "token=expired-token", undefined, 401, invalid("The token has expired")],
    ["empty", "token=", undefined, 401, invalid("The token in the query is none")],
    ["malformed", "token=a%20b", undefined, 401, invalid("The token in the query is none")],
    [
      "oversized",
      `token=${"x".repeat(16_385)}`,
      undefined,
      401,
      invalid("The token in the query is longer than any is"),
    ],
    ["shown twice", `token=${goodToken}&token=${goodToken}`, undefined, 400, undefined],
    ["another than the header's", "token=unknown-token", `Bearer ${goodToken}`, 400, undefined],
    ["beside a header that is wrong", `token=${goodToken}`, "Basic eDp5", 401, malformed],
    ["not judged", "token=down-token", undefined, 503, undefined],
    ["insufficient", "token=narrow-token", undefined, 403, narrow],
  ])("%s", async (_name, token, authorization, status, challenge) => {
    const answer = await askWith(token, authorization);
    expect(answer.status).toBe(status);
    expect(answer.headers["www-authenticate"]).toBe(challenge);
  });
});

it.each<[string, string, string | undefined]>([
  [
    "narrow-token",
    "The token lacks the scopes gateway.use profile",
    "Sign in again and ask for the scopes gateway.use profile",
  ],
  ["narrower-token", "The token lacks the scope mcp", "Sign in again and ask for the scope mcp"],
  ["down-token", "The auth server does not answer", "Try again later"],
  ["expired-token", "The token has expired", "agent auth login"],
  ["homeless-token", 'It is for "nowhere"', "An administrator can add it: agent org add nowhere"],
  ["lost-token", "It is for nothing", undefined],
])("%s: what is said, and what helps", async (token, message, hint) => {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await ask(server.port, "/api/v1/inspect", { headers });
  expect(answer.json).toEqual({ error: expect.objectContaining({ message }) });
  expect(JSON.parse(answer.text).error.hint).toBe(hint);
});

it("a challenge quotes a name in a way that its own quotes stand", async () => {
  const headers = { authorization: "Bearer homeless-token" };
  const answer = await ask(server.port, "/api/v1/inspect", { headers });
  expect(answer.headers["www-authenticate"]).toBe(invalid("It is for 'nowhere'"));
});
