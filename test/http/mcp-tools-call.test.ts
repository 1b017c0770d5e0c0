import { request } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import type { Configuration } from "../../src/core/configuration.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { createAnonymousAuthenticator } from "../../src/auth/anonymous-authenticator.ts";
import { createDoor } from "../../src/auth/door.ts";
import type { Door } from "../../src/auth/door.ts";
import { emptyListing, type Tool } from "../../src/core/mcp.ts";
import type { StopSignal } from "../../src/core/stop-signal.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import type { UpstreamState } from "../../src/upstream/upstream.ts";
import { fakeUpstream, gatewayOf, goodToken, starting } from "../gateway/fakes.ts";
import { doorWith, tokenWay } from "./doors.ts";
import { ask, good, startTestServer } from "./support.ts";

const path = "/api/mcp/tools/call";
let server: HttpServer;
afterEach(() => server.close(0));

/** `plain` knows no `auth_token`, `own` does, `mixed` by a part of its schema. */
const tools: Tool[] = [
  { name: "plain", inputSchema: { type: "object" } },
  { name: "own", inputSchema: { type: "object", properties: { auth_token: {} } } },
  {
    name: "mixed",
    inputSchema: { type: "object", allOf: [{ properties: { auth_token: { type: "string" } } }] },
  },
];

const from = (address: string) => ({ "x-forwarded-for": address });
const tooLarge = (bytes: number, hint?: string) => ({
  error: {
    code: "usage",
    message: `The request's body is larger than ${bytes} bytes`,
    ...(hint === undefined ? {} : { hint }),
  },
});

async function start(
  given?: Door,
  state?: UpstreamState,
  configuration: Partial<Configuration> = {},
) {
  const one = fakeUpstream("one", { tools });
  if (state !== undefined) one.state = state;
  one.answer = ({ params }) => ({ content: [], got: params["arguments"] ?? null });
  const door = doorWith(tokenWay);
  const fixture = gatewayOf([one], { door: given ?? door });
  server = await startTestServer({
    gateway: fixture.gateway,
    configuration: { maxBodyBytes: 3 * 1024 * 1024, ...configuration },
  });
  const call = (
    tool: string,
    args: JsonObject | undefined,
    headers: Record<string, string> = {},
  ): ReturnType<typeof ask> => ask(server.port, path, { body: { tool, arguments: args }, headers });
  return { ...fixture, one, door, call };
}

describe("the bearer", () => {
  it.each(["one__plain", "one__own"])("is auth_token where no header is, for %s", async (tool) => {
    const { call, audit } = await start();
    const answer = await call(tool, { a: `say ${goodToken}`, auth_token: goodToken });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ content: [], got: { a: `say ${goodToken}` } });
    expect(audit.events).toMatchObject([{ toolName: tool, status: "success", userId: "ada" }]);
    expect(JSON.stringify(audit.events)).not.toContain(goodToken);
  });

  it.each<[tool: string, token: JsonObject[string], got: JsonObject]>([
    ["one__plain", goodToken, {}],
    ["one__plain", "another", {}],
    ["one__plain", { not: "text" }, {}],
    ["one__own", goodToken, {}],
    ["one__own", "another", { auth_token: "another" }],
    ["one__own", 5, { auth_token: 5 }],
    ["one__mixed", "another", { auth_token: "another" }],
  ])("is the header's where one is: %s with auth_token %j", async (tool, token, got) => {
    const { call, door } = await start();
    const answer = await call(tool, { auth_token: token }, good);
    expect(answer.json).toEqual({ content: [], got });
    expect(door.shown).toEqual([goodToken]);
  });

  it("is the header's also while the tool's server starts, and auth_token not lost by that", async () => {
    const { call, door, one, pool } = await start(undefined, starting);
    const { listing } = one;
    one.listing = emptyListing;
    pool.changed();
    const answered = call("one__own", { auth_token: "another" }, good);
    await expect.poll(() => door.shown).toHaveLength(1);
    Object.assign(one, { listing, state: { kind: "ready", era: "modern" } });
    pool.changed();
    expect((await answered).json).toEqual({ content: [], got: { auth_token: "another" } });
  });

  it("is not the query's", async () => {
    await start();
    const answer = await ask(server.port, `${path}?token=${goodToken}`, {
      body: { tool: "one__plain" },
    });
    expect(answer.status).toBe(401);
  });

  it("is not asked for by none, and auth_token is removed all the same", async () => {
    const { call } = await start(createDoor([createAnonymousAuthenticator()], Date.now));
    expect((await call("one__plain", {})).json).toEqual({ content: [], got: {} });
    expect((await call("one__own", { auth_token: "x" })).json).toEqual({ content: [], got: {} });
    const answer = await ask(server.port, path, {
      body: '{"tool":"one__own","arguments":{"auth\\u005ftoken":"x"}}',
      headers: { "content-type": "application/json" },
    });
    expect(answer.json).toEqual({ content: [], got: {} });
  });
});

describe("refused is", () => {
  const challenge = 'Bearer realm="onedoor"';
  const rejected = expect.stringContaining('error="invalid_token"');
  it.each<[string, JsonObject | undefined, number, unknown]>([
    ["no token", {}, 401, challenge],
    ["no arguments", undefined, 401, challenge],
    ["a token deeper down", { a: { auth_token: goodToken } }, 401, challenge],
    ["an empty token", { auth_token: "" }, 401, rejected],
    ["an unknown token", { auth_token: "wrong-token" }, 401, rejected],
    ["an expired token", { auth_token: "expired-token" }, 401, rejected],
    ["a token with a space", { auth_token: "wrong token" }, 401, rejected],
    ["a header in it", { auth_token: "Bearer wrong-token" }, 401, rejected],
    ["a token larger than any", { auth_token: "x".repeat(20_000) }, 401, rejected],
    [
      "one for too little",
      { auth_token: "narrow-token" },
      403,
      expect.stringContaining("gateway.use"),
    ],
  ])("%s, with a row", async (_name, args, status, wwwAuthenticate) => {
    const { call, one, audit } = await start();
    const answer = await call("one__plain", args);
    expect(answer.status).toBe(status);
    expect(answer.headers["www-authenticate"]).toEqual(wwwAuthenticate);
    expect(one.requests).toEqual([]);
    // Of who shows no token the body is not read, so nobody knows which tool.
    const isShown = args !== undefined && JSON.stringify(args).includes("auth_token");
    const toolName = isShown ? "one__plain" : "unknown";
    expect(audit.events).toMatchObject([{ toolName, status: "denied", userId: null, params: {} }]);
    const token = args?.["auth_token"];
    if (typeof token !== "string" || token === "") return;
    expect(answer.text + JSON.stringify([answer.headers, audit.events])).not.toContain(token);
  });

  it.each([5, null, [goodToken], { token: goodToken }, true])(
    "%j as auth_token: 400",
    async (token) => {
      const { call, door } = await start();
      const answer = await call("one__plain", { auth_token: token });
      expect(answer.status).toBe(400);
      expect(answer.json).toMatchObject({
        error: { code: "usage", message: "arguments.auth_token: expected a text" },
      });
      expect(door.shown).toEqual([]);
    },
  );

  it("who cannot be judged: 503", async () => {
    const { call } = await start();
    expect((await call("one__plain", { auth_token: "down-token" })).status).toBe(503);
  });

  it("a name that holds the token, in the row", async () => {
    const { call, audit } = await start();
    await call("one__wrong-token", { auth_token: "wrong-token" });
    expect(audit.events).toMatchObject([{ toolName: "unknown" }]);
  });

  it("a wrong header before the body is read", async () => {
    const { audit, door } = await start();
    const answer = await ask(server.port, path, {
      method: "POST",
      body: `{"arguments":{"auth_token":"${goodToken}"`,
      headers: { authorization: "Bearer wrong-token", "content-type": "application/json" },
    });
    expect(answer.status).toBe(401);
    expect(door.shown).toEqual(["wrong-token"]);
    expect(audit.events).toMatchObject([{ toolName: "unknown", status: "denied" }]);
  });

  it("everything beside tool and arguments, and a tool that is none", async () => {
    const { call } = await start();
    const bodies = [
      { tool: "one__plain", server: "one" },
      { arguments: {} },
      { tool: 5 },
      { tool: "" },
      { tool: "one__plain", arguments: [] },
      [],
    ];
    for (const body of bodies) {
      expect((await ask(server.port, path, { body, headers: good })).status).toBe(400);
    }
    expect((await call("one__nothing", {}, good)).status).toBe(404);
  });

  it("a body of who has shown nothing, without reading it to its end", async () => {
    const { audit } = await start();
    const type = { "content-type": "application/json" };
    const post = (body: string, headers: Record<string, string> = {}) =>
      ask(server.port, path, { body, headers: { ...type, ...headers } });
    const shown = `{"tool":"one__plain","arguments":{"auth_token":"${goodToken}","a":"`;
    const more = "x".repeat(2 * 1024 * 1024);
    expect((await post("{ broken")).status).toBe(401);
    expect((await post(shown)).status).toBe(400);
    expect((await post(`${shown}${more}"}}`)).status).toBe(413);
    expect((await post(`${shown}${more}"}}`, { "transfer-encoding": "chunked" })).status).toBe(413);
    expect((await post(`${shown}${more}"}}`, good)).status).toBe(200);
    expect((await post(`${shown}${more}${more}"}}`, good)).status).toBe(413);
    expect((await post(`{"auth_token":${"[".repeat(2000)}`)).status).toBe(400);
    expect((await post("a=1", { "content-type": "text/plain" })).status).toBe(401);
    expect((await post("a=1", { "content-type": "text/plain", ...good })).status).toBe(415);
    await expect
      .poll(() => audit.events.filter(({ status }) => status === "denied"))
      .toMatchObject(Array.from({ length: 6 }, () => ({ toolName: "unknown" })));
  });

  it.each([
    [
      3 * 1024 * 1024,
      1024 * 1024,
      "With the token in the Authorization header it may be of 3145728 bytes",
    ],
    [500_000, 500_000, undefined],
  ])("a large body, where %i bytes are allowed, with what is true", async (allowed, most, hint) => {
    await start(undefined, undefined, { maxBodyBytes: allowed });
    const body = { tool: "x".repeat(4 * 1024 * 1024) };
    const answers = [
      await ask(server.port, path, { body }),
      await ask(server.port, path, { body, headers: good }),
    ];
    expect(answers.map(({ status, json }) => [status, json])).toMatchObject([
      [413, tooLarge(most, hint)],
      [413, tooLarge(allowed)],
    ]);
  });

  it("a ninth body of one IPv6 network, and none of another", async () => {
    await start(undefined, undefined, { trustedProxies: ["127.0.0.0/8"] });
    const body = { tool: "one__plain", arguments: { auth_token: goodToken } };
    const askFrom = async (address: string): Promise<number> =>
      (await ask(server.port, path, { body, headers: from(address) })).status;
    const slow = Array.from({ length: 8 }, (_, at) => {
      const headers = { "content-type": "application/json", "content-length": 1000 };
      const outgoing = request({
        host: "127.0.0.1",
        port: server.port,
        path,
        method: "POST",
        headers: { ...headers, ...from(`2001:db8:1:2::${at + 1}`) },
      }).on("error", () => undefined);
      outgoing.write("{");
      return outgoing;
    });
    await expect.poll(() => askFrom("2001:db8:1:2:ffff::9")).toBe(503);
    expect(await askFrom("2001:db8:1:3::1")).toBe(200);
    for (const outgoing of slow) outgoing.destroy();
    await expect.poll(() => askFrom("2001:db8:1:2:ffff::9")).toBe(200);
  });

  it("a ninth body of one address while eight are on their way", async () => {
    const { call } = await start();
    const slow = Array.from({ length: 8 }, () => {
      const outgoing = request({
        host: "127.0.0.1",
        port: server.port,
        path,
        method: "POST",
        headers: { "content-type": "application/json", "content-length": 1000 },
      }).on("error", () => undefined);
      outgoing.write("{");
      return outgoing;
    });
    await expect
      .poll(async () => (await call("one__plain", { auth_token: goodToken })).status)
      .toBe(503);
    const refused = await call("one__plain", { auth_token: goodToken });
    expect(refused.headers["retry-after"]).toBe("1");
    expect((await call("one__plain", {}, good)).status).toBe(200);
    for (const outgoing of slow) outgoing.destroy();
    await expect
      .poll(async () => (await call("one__plain", { auth_token: goodToken })).status)
      .toBe(200);
  });
});

it("streams progress as /api/v1/tools/call", async () => {
  const { call, one } = await start();
  one.answer = ({ onProgress }) => {
    onProgress?.({ progress: 1 });
    return { content: [] };
  };
  const answer = await call(
    "one__plain",
    { auth_token: goodToken },
    { accept: "text/event-stream" },
  );
  expect(answer.text).toBe(
    'event: progress\ndata: {"progress":1}\n\nevent: result\ndata: {"content":[]}\n\n',
  );
});

it("cancels the call when its caller goes away", async () => {
  const { one, audit } = await start();
  let begun: ((signal: StopSignal) => void) | undefined;
  const called = new Promise<StopSignal>((resolve) => (begun = resolve));
  one.answer = ({ signal }) =>
    new Promise<never>((_resolve, reject) => {
      begun?.(signal);
      signal.addEventListener("abort", () => reject(new Error("cancelled")));
    });
  const outgoing = request({
    host: "127.0.0.1",
    port: server.port,
    path,
    method: "POST",
    headers: { "content-type": "application/json" },
  }).on("error", () => undefined);
  outgoing.end(JSON.stringify({ tool: "one__plain", arguments: { auth_token: goodToken } }));
  const signal = await called;
  const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  outgoing.destroy();
  await aborted;
  await expect.poll(() => audit.events).toMatchObject([{ status: "error" }]);
});
