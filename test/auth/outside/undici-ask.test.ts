import { createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { AuthServerUnavailable } from "../../../src/auth/outside/ask-auth-server.ts";
import type { AuthServerRequest } from "../../../src/auth/outside/ask-auth-server.ts";
import { createUndiciAsk } from "../../../src/auth/outside/undici-ask.ts";
import type { AskLimits } from "../../../src/auth/outside/undici-ask.ts";
import { says, startAuthServer } from "../../fixtures/auth-server.ts";
import type { AuthServerStandIn, Trouble } from "../../fixtures/auth-server.ts";

async function open(limits: Partial<AskLimits> = {}) {
  const server = await startAuthServer(({ path, body }) => ({
    status: path === "/missing" ? 404 : 200,
    headers: { "x-one": "1" },
    json: { path, body },
  }));
  onTestFinished(server.close);
  const { ask, close } = createUndiciAsk({ timeoutMs: 2000, ...limits });
  onTestFinished(close);
  const get = (path: string, other: Partial<AuthServerRequest> = {}) =>
    ask({ method: "GET", url: `${server.url}${path}`, ...other });
  return { server, ask, get };
}

const failure = (asked: Promise<unknown>): Promise<AuthServerUnavailable> =>
  asked.then(
    () => expect.fail("answered"),
    (error: unknown) =>
      error instanceof AuthServerUnavailable ? error : expect.fail(String(error)),
  );

const many = (
  get: Awaited<ReturnType<typeof open>>["get"],
  count: number,
  isUnproven: boolean,
): Promise<"answered" | "failed">[] =>
  Array.from({ length: count }, () =>
    get("/", { isUnproven }).then(
      () => "answered" as const,
      () => "failed" as const,
    ),
  );
const arrivedOf = (server: AuthServerStandIn, count: number) => {
  const held = server.hold();
  return { ...held, all: held.arrived(count) };
};

describe("an answer", () => {
  test("comes whole, with its status and headers, whatever the status", async () => {
    const { server, ask, get } = await open();
    const answer = await ask({
      method: "POST",
      url: `${server.url}/a?b=c`,
      headers: { "x-two": "2" },
      body: "hello",
    });
    expect(answer).toMatchObject({ status: 200, headers: { "x-one": "1" } });
    expect(JSON.parse(answer.body)).toEqual({ path: "/a?b=c", body: "hello" });
    expect(server.requests[0]?.headers).toMatchObject({ "x-two": "2", accept: "application/json" });
    await expect(get("/missing")).resolves.toMatchObject({ status: 404 });
  });

  test("may be as large as it says, and not a byte larger", async () => {
    const { server, get } = await open({ maxBodyBytes: 1000 });
    server.trouble = says(200, "x".repeat(1000));
    await expect(get("/")).resolves.toMatchObject({ status: 200 });
    server.trouble = says(200, "x".repeat(1001));
    await expect(failure(get("/"))).resolves.toMatchObject({
      message: "The auth server's answer is too large",
    });
    await expect(get("/", { maxBodyBytes: 1001 })).resolves.toMatchObject({ status: 200 });
  });
});

describe("no answer", () => {
  test.each<[string, Trouble, RegExp]>([
    ["hangs", { kind: "hangs" }, /not answer in time/],
    ["drips", { kind: "drips" }, /not answer in time/],
    ["resets", { kind: "resets" }, /not reached: the connection is (?:closed|reset)$/],
    ["breaks off", { kind: "breaks off" }, /not reached: the connection is closed$/],
    ["redirects", says(302, "", { location: "/elsewhere" }), /redirection/],
    ["redirects for good", says(308, "", { location: "http://192.0.2.1/" }), /redirection/],
  ])("from one that %s", async (_name, trouble, message) => {
    const { server, get } = await open({ timeoutMs: 300 });
    server.trouble = trouble;
    const { message: said } = await failure(
      get("/", { headers: { authorization: "Bearer s3cret" } }),
    );
    expect(said).toMatch(message);
    expect(said).not.toContain("s3cret");
    expect(server.requests).toHaveLength(1);
    server.trouble = undefined;
    await expect(get("/")).resolves.toMatchObject({ status: 200 });
  });

  test("from one whose text is none", async () => {
    const socket = createServer((connection) => {
      connection.end(
        Buffer.concat([
          Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n"),
          Buffer.from([0xc3, 0x28]),
        ]),
      );
    });
    await new Promise<void>((resolve) => socket.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void socket.close());
    const address = socket.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { ask } = await open();
    const url = `http://127.0.0.1:${port}/`;
    await expect(failure(ask({ method: "GET", url }))).resolves.toMatchObject({
      message: "The auth server's answer is not text",
    });
  });

  test("from one that is not there, and its cause is in the words", async () => {
    const { server, get } = await open();
    await server.close();
    await expect(failure(get("/"))).resolves.toMatchObject({
      message: "The auth server is not reached: the connection is refused",
    });
  });

  test("with what cannot be sent: nothing of it is in the words", async () => {
    const { server, get } = await open();
    const { message, stack } = await failure(get("/", { headers: { apikey: "s3cret\r\nx: y" } }));
    expect(`${message}${stack}`).not.toContain("s3cret");
    expect(server.requests).toHaveLength(0);
  });
});

describe("many at once", () => {
  const limits = { atOnce: 4, kept: 1, waiting: 3 };
  test("are bounded, and as many again as may wait; the others fail at once", async () => {
    const { server, get } = await open(limits);
    const { all, release } = arrivedOf(server, 4);
    const asked = many(get, 10, false);
    await all;
    // Those beyond the limit have failed while nobody was answered.
    await expect(Promise.all(asked.slice(7))).resolves.toEqual(["failed", "failed", "failed"]);
    release();
    await expect(Promise.all(asked.slice(0, 7))).resolves.toEqual(Array(7).fill("answered"));
    expect(server.mostAtOnce).toBe(4);
  });

  test("of unproven ones leave a place for the others, who go first", async () => {
    const { server, get } = await open(limits);
    const { arrived, all, release } = arrivedOf(server, 3);
    const strangers = many(get, 6, true);
    await all;
    const fourth = arrived(4);
    const known = many(get, 2, false);
    await fourth;
    expect(server.requests).toHaveLength(4);
    release();
    await expect(Promise.all([...strangers, ...known])).resolves.toEqual(Array(8).fill("answered"));
  });

  test("do not wait longer than one request may take", async () => {
    const { server, get } = await open({ ...limits, atOnce: 1, kept: 0, timeoutMs: 300 });
    server.trouble = { kind: "hangs" };
    const began = performance.now();
    await expect(Promise.all(many(get, 3, false))).resolves.toEqual(Array(3).fill("failed"));
    expect(performance.now() - began).toBeLessThan(900);
    expect(server.requests).toHaveLength(1);
    server.trouble = undefined;
    await expect(get("/")).resolves.toMatchObject({ status: 200 });
  });
});
