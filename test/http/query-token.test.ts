import { afterEach, describe, expect, it } from "vitest";
import type { Configuration } from "../../src/core/configuration.ts";
import type { Logger } from "../../src/core/logger.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { createMetrics } from "../../src/metrics/create-metrics.ts";
import { fakeUpstream, gatewayOf, goodToken } from "../gateway/fakes.ts";
import { doorWith, tokenWay } from "./doors.ts";
import { ask, good, startTestServer, type Question } from "./support.ts";

let server: HttpServer;
afterEach(() => server.close(0));

async function start(configuration: Partial<Configuration>) {
  const lines: unknown[] = [];
  const write = (...line: unknown[]): void => void lines.push(line);
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const metrics = createMetrics({ version: "1.2.3", nodeVersion: "v20.1.0" });
  const door = doorWith(tokenWay);
  const one = fakeUpstream("one");
  const { gateway, audit } = gatewayOf([one], { door, logger, metrics });
  server = await startTestServer({ gateway, logger, metrics, configuration });
  return { audit, door, lines, one };
}

const endpoints: [path: string, question: Question, status: number][] = [
  ["/api/v1/inspect", {}, 200],
  ["/api/v1/inspect?server=one&tool=echo", {}, 200],
  [
    "/api/v1/tools/call",
    { body: { server: "one", tool: "echo", arguments: { message: "a" } } },
    200,
  ],
  ["/api/mcp/tools/call", { body: { tool: "one__echo", arguments: { message: "a" } } }, 200],
  ["/servers", {}, 200],
  ["/metrics", {}, 200],
  ["/api/v1/audit?limit=1", {}, 200],
  ["/api/v1/admin/users", {}, 200],
  ["/nothing", {}, 404],
  ["/mcp", { method: "DELETE" }, 405],
];
const withToken = (path: string, token: string): string =>
  `${path}${path.includes("?") ? "&" : "?"}token=${token}`;

describe("?token= with allowQueryToken", () => {
  it.each(endpoints)("is the bearer of %s", async (path, question, status) => {
    const { door } = await start({ allowQueryToken: true });
    const { status: shown } = await ask(server.port, withToken(path, goodToken), question);
    expect(shown).toBe(status);
    expect(door.shown).toEqual([goodToken]);
    const both = { ...question, headers: good };
    expect((await ask(server.port, withToken(path, goodToken), both)).status).toBe(status);
    const other = await ask(server.port, withToken(path, "other-token"), both);
    expect(other.status).toBe(400);
    expect(other.json).toMatchObject({
      error: { message: "The request shows several tokens; show one" },
    });
  });

  it("counts as shown where the body may show one too", async () => {
    const { door, one } = await start({ allowQueryToken: true });
    const args = { message: "a", auth_token: "other-token" };
    const body = { tool: "one__echo", arguments: args };
    const path = withToken("/api/mcp/tools/call", goodToken);
    expect((await ask(server.port, path, { body })).status).toBe(200);
    expect(door.shown).toEqual([goodToken]);
    expect(one.requests[0]?.params["arguments"]).toEqual({ message: "a" });
  });
});

describe("?token= without it", () => {
  it.each(endpoints)("is no bearer of %s", async (path, question) => {
    const { door } = await start({ allowQueryToken: false });
    const answer = await ask(server.port, withToken(path, goodToken), question);
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="onedoor"');
    expect(door.shown).not.toContain(goodToken);
  });
});

it.each([true, false])(
  "no token of a query is in a log line, an answer, an audit row or a label: allowQueryToken %s",
  async (allowQueryToken) => {
    const { audit, lines, one } = await start({ allowQueryToken });
    const tokens = ["wrong-token", "down-token", "expired-token", "narrow-token", goodToken];
    const paths: [string, Question][] = [
      ...endpoints.map(([path, question]): [string, Question] => [path, question]),
      ["/sse?x=1", { method: "POST" }],
      ["/message?sessionId=none", { body: {} }],
      ["/auth/status", {}],
      ["/auth/login", { body: { email: "a@b.c", password: "x" } }],
      ["/%zz", {}],
      ["/api/v1/audit?odd=1", {}],
      ["/api/v1/admin/users/none/restore", { method: "POST" }],
      ["/.well-known/oauth-protected-resource", {}],
      ["/debug/state", {}],
    ];
    one.answer = () => {
      throw new Error("a bug");
    };
    const answers: unknown[] = [];
    for (const token of tokens) {
      for (const [path, question] of paths) {
        const { text, headers } = await ask(server.port, withToken(path, token), question);
        answers.push(text, headers);
        const twice = withToken(withToken(path, token), token);
        answers.push((await ask(server.port, twice, { ...question, headers: good })).text);
      }
    }
    const { text: labels } = await ask(server.port, "/metrics", { headers: good });
    // The bug was written down, and administrators' refusals were.
    expect(lines.length).toBeGreaterThan(10);
    expect(labels).toContain("/api/v1/inspect");
    const told = JSON.stringify([lines, answers, audit.events, labels]);
    for (const token of tokens) expect(told).not.toContain(token);
  },
);
