import { randomBytes } from "node:crypto";
import { createConnection } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDoor } from "../../src/auth/door.ts";
import { createLocalAuthenticator } from "../../src/auth/local-authenticator.ts";
import { createSignInThrottle } from "../../src/auth/passwords/sign-in-throttle.ts";
import type { PasswordSignIn } from "../../src/auth/password-sign-in.ts";
import { createTokenMint } from "../../src/auth/token-mint.ts";
import { AppError } from "../../src/core/errors.ts";
import type { Logger } from "../../src/core/logger.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { ada, bob, signInWorld } from "../auth/passwords/support/world.ts";
import type { World } from "../auth/passwords/support/world.ts";
import { fakeUpstream, gatewayOf, silentLogger } from "../gateway/fakes.ts";
import type { GatewayFixture } from "../gateway/fakes.ts";
import { asBearer, denied, pairOf } from "./login-answers.ts";
import { ask, startTestServer } from "./support.ts";
import type { Answer, Question } from "./support.ts";

let world: World;
let monotonicMs: number;
let audit: GatewayFixture["audit"];
let server: HttpServer;
/** In the place of the world's own sign-in. */
let broken: PasswordSignIn | undefined;
let warnings: unknown[];
const warningLogger: Logger = {
  ...silentLogger,
  warn: (...line) => void warnings.push(line),
};

beforeEach(async () => {
  world = await signInWorld();
  monotonicMs = 1000;
  broken = undefined;
  warnings = [];
  const { directory, authenticator, clock } = world;
  const now = (): number => clock.nowMs;
  const door = createDoor([authenticator, createLocalAuthenticator({ directory, now })], now);
  const fixture = gatewayOf([fakeUpstream("one")], { door });
  ({ audit } = fixture);
  const signIn: PasswordSignIn = {
    login: (credentials, client) => (broken ?? world.signIn).login(credentials, client),
    refresh: (token, client) => (broken ?? world.signIn).refresh(token, client),
  };
  server = await startTestServer({
    gateway: fixture.gateway,
    door,
    audit,
    logger: warningLogger,
    signIn: createSignInThrottle(() => monotonicMs)(signIn),
    mint: createTokenMint({
      directory,
      now,
      newId: () => "id",
      randomBytes,
      report: () => undefined,
    }),
    configuration: { trustedProxies: ["127.0.0.0/8"], auth: [{ type: "simple", users: "own" }] },
  });
});
afterEach(() => server.close(0));

const post = (body: Question["body"], headers: Question["headers"] = {}): Promise<Answer> =>
  ask(server.port, "/auth/login", { method: "POST", body, headers });
const json = { "content-type": "application/json" };

const failingWith = (failure: Error): PasswordSignIn => ({
  login: () => Promise.reject(failure),
  refresh: () => Promise.reject(failure),
});

describe("POST /auth/login", () => {
  it("answers with a pair of tokens that is never cached, and is a row of the audit", async () => {
    const answer = await post(ada, { "x-onedoor-client": "curl" });
    expect([answer.status, answer.json]).toStrictEqual([
      200,
      {
        access_token: expect.stringMatching(/^od_[\w-]{43}$/) as unknown,
        token_type: "bearer",
        expires_in: 3600,
        refresh_token: expect.stringMatching(/^od_[\w-]{43}$/) as unknown,
        message: "Signed in as User ada@example.com",
      },
    ]);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(audit.events).toMatchObject([
      {
        toolName: "auth/login",
        status: "success",
        params: { grant: "password" },
        userId: ada.email,
        organizationId: "acme",
        clientName: "curl",
      },
    ]);
  });

  it("gives a token that is good everywhere, until it is refreshed or taken back", async () => {
    const first = pairOf(await post(ada));
    const status = await ask(server.port, "/auth/status", asBearer(first.access_token));
    expect(status.json).toMatchObject({
      authenticated: true,
      method: "simple",
      user: { id: ada.email },
    });
    expect((await ask(server.port, "/servers", asBearer(first.access_token))).status).toBe(403);
    const second = pairOf(await post({ refresh_token: first.refresh_token }));
    const isGood = async (token: string): Promise<number> =>
      (await ask(server.port, "/auth/status", asBearer(token))).status;
    expect(await isGood(first.access_token)).toBe(401);
    expect(await isGood(second.access_token)).toBe(200);
    const out = await ask(server.port, "/auth/logout", {
      method: "POST",
      ...asBearer(second.access_token),
    });
    expect(out.json).toMatchObject({ revoked: true });
    expect(await isGood(second.access_token)).toBe(401);
    expect((await post({ refresh_token: second.refresh_token })).status).toBe(401);
    expect(audit.events.map(({ params, status: ended }) => [params, ended])).toStrictEqual([
      [{ grant: "password" }, "success"],
      [{ grant: "refresh_token" }, "success"],
      [{}, "denied"],
    ]);
  });

  it("asks a member of several organisations for one of them", async () => {
    const answer = await post(bob);
    expect([answer.status, answer.json]).toMatchObject([
      400,
      { error: { code: "usage", message: "You are in several organisations: acme, beta" } },
    ]);
    expect((await post({ ...bob, organization: "beta" })).status).toBe(200);
    expect((await post({ ...ada, organization: "beta" })).status).toBe(403);
  });

  it("answers 401 in the same words whatever is wrong; whose it was stands in the audit", async () => {
    const wrong = [
      { ...ada, password: "x" },
      { ...ada, email: "nobody@example.com" },
      { email: "new@example.com", password: "x" },
    ];
    const answers = [];
    for (const body of wrong) answers.push(await post(body));
    for (const { status, text, headers } of answers) {
      expect([status, text]).toStrictEqual([401, answers[0]?.text]);
      expect(headers["www-authenticate"]).toContain("Bearer");
    }
    expect(audit.events).toMatchObject([
      { ...denied, userId: ada.email },
      denied,
      { ...denied, userId: "new@example.com" },
    ]);
    expect(JSON.stringify(audit.events)).not.toContain("nobody@example.com");
  });

  it.each<[string, object | string]>([
    ["nothing", {}],
    ["no password", { email: ada.email }],
    ["no address", { password: ada.password }],
    ["an empty password", { ...ada, password: "" }],
    ["an empty address", { ...ada, email: "" }],
    ["a number for a password", { ...ada, password: 12345678 }],
    ["a list for a password", { ...ada, password: [ada.password] }],
    ["an object for an address", { ...ada, email: { $ne: "" } }],
    ["null for an address", { ...ada, email: null }],
    ["an unknown key", { ...ada, role: "admin" }],
    ["an unknown key beside a refresh token", { refresh_token: "od_x", scope: "all" }],
    ["a password beside a refresh token", { ...ada, refresh_token: "od_x" }],
    ["an empty refresh token", { refresh_token: "" }],
    ["a number for a refresh token", { refresh_token: 1 }],
    ["a long refresh token", { refresh_token: "x".repeat(4097) }],
    ["a long password", { ...ada, password: "x".repeat(1025) }],
    ["a password of many bytes", { ...ada, password: "é".repeat(513) }],
    ["a long address", { ...ada, email: `${"x".repeat(320)}@example.com` }],
    ["a NUL in the password", { ...ada, password: `${ada.password}\0` }],
    ["a NUL in the address", { ...ada, email: `${ada.email}\0` }],
    ["half a character", '{"email":"ada@example.com","password":"ada\\ud800"}'],
    ["a number for an organisation", { ...ada, organization: 1 }],
    ["a list", [ada]],
    ["a text", '"ada@example.com"'],
    ["null", "null"],
    ["no body", ""],
    ["no JSON", "email=ada@example.com&password=x"],
    ["a prototype", '{"email":"ada@example.com","password":"x","__proto__":{"role":"admin"}}'],
  ])("answers %s with 400, asks nobody, and writes a row", async (_what, body) => {
    const answer = await post(body, typeof body === "string" ? json : {});
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ error: { code: "usage" } });
    expect(answer.text).not.toContain(ada.password);
    expect(world.verified).toStrictEqual([]);
    expect(audit.events).toMatchObject([denied]);
  });

  const withPassword = 'Send {"email": "…", "password": "…"}';
  it.each<[object | string, string, string]>([
    [{}, "email is missing", withPassword],
    [{ email: ada.email }, "password is missing", withPassword],
    [{ ...ada, email: null }, "email must be a text", withPassword],
    [{ ...ada, password: 1 }, "password must be a text", withPassword],
    [{ ...ada, password: "" }, "password is empty", withPassword],
    [{ ...ada, email: "x".repeat(321) }, "email is longer than 320 characters", withPassword],
    [{ ...ada, password: "é".repeat(513) }, "password has more than 1024 bytes", withPassword],
    [{ ...ada, organization: ["acme"] }, "organization must be a text", withPassword],
    [
      { ...ada, "secret-key": 1 },
      "The request's body may hold nothing but email, password and organization",
      withPassword,
    ],
    [{ refresh_token: 1 }, "refresh_token must be a text", 'Send {"refresh_token": "…"}'],
    [
      { ...ada, refresh_token: "od_x" },
      "The request's body may hold nothing but refresh_token",
      'Send {"refresh_token": "…"}',
    ],
    [
      "null",
      "The request's body must be a JSON object",
      `${withPassword}, or {"refresh_token": "…"}`,
    ],
    ["", "The request's body is missing", `${withPassword}, or {"refresh_token": "…"}`],
  ])("says of %j what is wrong and how it should be", async (body, message, hint) => {
    const answer = await post(body, typeof body === "string" ? json : {});
    expect([answer.status, answer.json]).toStrictEqual([
      400,
      { error: { code: "usage", message, hint } },
    ]);
  });

  it("takes the longest password there may be, spelt as long as JSON can", async () => {
    const escaped = "\\u0078".repeat(1024);
    const answer = await post(`{"email":"ada@example.com","password":"${escaped}"}`, json);
    expect(answer.status).toBe(401);
  });

  it("does not read a huge body: 413, and a row", async () => {
    const answer = await post({ ...ada, password: "x".repeat(17_000) });
    expect([answer.status, answer.json]).toStrictEqual([
      413,
      { error: { code: "usage", message: "The request's body is larger than 16384 bytes" } },
    ]);
    expect(audit.events).toMatchObject([denied]);
  });

  it("does not wait for a huge body that is announced only", async () => {
    const socket = createConnection(server.port, "127.0.0.1");
    const head = ["POST /auth/login HTTP/1.1", "Host: localhost", "Content-Type: application/json"];
    socket.write(`${[...head, "Content-Length: 999999999"].join("\r\n")}\r\n\r\n`);
    const answer = await new Promise<string>((resolve) =>
      socket.once("data", (data) => resolve(data.toString())),
    );
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/xml",
  ])("does not read %s: 415, and a row", async (type) => {
    const answer = await post(JSON.stringify(ada), { "content-type": type });
    expect(answer.status).toBe(415);
    expect(audit.events).toMatchObject([denied]);
  });

  it.each<[string, Record<string, string>]>([
    ["an Origin that is not ours", { origin: "https://evil.example" }],
    ["an opaque Origin", { origin: "null" }],
    ["another site's page without one", { "sec-fetch-site": "cross-site" }],
    ["a Host that is not ours", { host: "evil.example" }],
  ])("refuses %s: 403, and a row", async (_what, headers) => {
    const answer = await post(ada, headers);
    expect(answer.status).toBe(403);
    expect(world.verified).toStrictEqual([]);
    expect(audit.events).toMatchObject([denied]);
  });

  it("slows down who fails again and again, by account and address together: 429, and a row", async () => {
    const guess = (address: string) =>
      post({ ...ada, password: "x" }, { "x-forwarded-for": address });
    for (let count = 0; count < 10; count += 1) {
      expect((await guess("198.51.100.1")).status).toBe(401);
    }
    const answer = await guess("198.51.100.1");
    expect([answer.status, answer.headers["retry-after"]]).toStrictEqual([429, "1"]);
    expect(answer.json).toMatchObject({ error: { code: "rate_limited", retryAfterSeconds: 1 } });
    // A stranger locks nobody out, and says of itself what it likes.
    expect((await post(ada, { "x-forwarded-for": "198.51.100.2" })).status).toBe(200);
    expect((await guess("198.51.100.2, 198.51.100.1")).status).toBe(429);
    expect(audit.events.filter(({ status }) => status === "denied")).toHaveLength(12);
    monotonicMs += 1000;
    expect((await post(ada, { "x-forwarded-for": "198.51.100.1" })).status).toBe(200);
  });

  it("slows down whoever signs in, as a row of nobody", async () => {
    for (let count = 0; count < 11; count += 1) await post({ ...ada, password: "x" });
    expect(audit.events.slice(-2)).toMatchObject([{ ...denied, userId: ada.email }, denied]);
  });

  it("tells the operator once of a proxy that nobody named", async () => {
    const forwarded = { "x-forwarded-for": "198.51.100.1" };
    await post(ada);
    await post(ada, forwarded);
    expect(warnings).toStrictEqual([]);
    const other = await startTestServer({ logger: warningLogger, signIn: world.signIn });
    const signIn = (headers: Record<string, string>): Promise<Answer> =>
      ask(other.port, "/auth/login", { body: ada, headers });
    await signIn({});
    expect(warnings).toStrictEqual([]);
    await signIn({ forwarded: "for=198.51.100.1" });
    await signIn(forwarded);
    expect(warnings).toStrictEqual([
      [expect.stringContaining("trustedProxies"), { peer: "127.0.0.1" }],
    ]);
    await other.close(0);
  });

  it("refuses a refresh in a tight loop: 429", async () => {
    let { refresh_token } = pairOf(await post(ada));
    const statuses: number[] = [];
    for (let count = 0; count < 11; count += 1) {
      const answer = await post({ refresh_token });
      statuses.push(answer.status);
      if (answer.status === 200) ({ refresh_token } = pairOf(answer));
    }
    expect(statuses).toStrictEqual([...Array.from({ length: 10 }, () => 200), 429]);
  });

  it("writes a bounded number of rows of a flood", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      for (let count = 0; count < 100; count += 1) await post({});
      expect(audit.events).toHaveLength(60);
    } finally {
      vi.useRealTimers();
    }
  });

  it("answers 503 when the storage is down, with a row, and takes the same password after that", async () => {
    world.storage.failAt(0, "until healed");
    const answer = await post(ada);
    expect([answer.status, answer.json]).toMatchObject([
      503,
      { error: { code: "store_unavailable" } },
    ]);
    world.storage.heal();
    expect((await post(ada)).status).toBe(200);
  });

  it("answers 503 when the auth server that is asked is down", async () => {
    broken = failingWith(new AppError("unreachable", "The auth server is down"));
    expect((await post(ada)).status).toBe(503);
    expect((await post({ refresh_token: "r" })).status).toBe(503);
  });

  it("answers a fault of ours with 500 that says nothing of it", async () => {
    broken = failingWith(new Error(`bug with ${ada.password}`));
    const answer = await post(ada);
    expect([answer.status, answer.json]).toMatchObject([500, { error: { code: "internal" } }]);
    expect(answer.text).not.toContain(ada.password);
  });

  it("leaves out a refresh token where there is none, and shows a name as it cannot deceive", async () => {
    const { principal } = await world.signIn.login(ada, { address: "x" });
    const given = {
      accessToken: "a",
      expiresInSeconds: 5,
      refreshToken: null,
      principal: { ...principal, displayName: "Ada\u202e\n" },
    };
    broken = { login: () => Promise.resolve(given), refresh: () => Promise.resolve(given) };
    const { json: body } = await post(ada);
    expect(body).toStrictEqual({
      access_token: "a",
      token_type: "bearer",
      expires_in: 5,
      message: "Signed in as Ada\\u202e",
    });
  });
});

it("is not there by another method, and signs in nobody where it is off", async () => {
  expect((await ask(server.port, "/auth/login")).status).toBe(405);
  const off = await startTestServer({});
  const answer = await ask(off.port, "/auth/login", { body: ada });
  expect([answer.status, answer.json]).toMatchObject([404, { error: { code: "not_found" } }]);
  await off.close(0);
});
