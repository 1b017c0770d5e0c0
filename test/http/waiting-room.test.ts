import { createServer } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import type { Configuration } from "../../src/core/configuration.ts";
import { GatewayResponse } from "../../src/http/gateway-response.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { createRequestGuard } from "../../src/http/request-guard.ts";
import { createWaitingRoom } from "../../src/http/waiting-room.ts";
import { fakeUpstream, gatewayOf } from "../gateway/fakes.ts";
import { ask, attachTestApp, good, openTestServer, testConfiguration } from "./support.ts";
import type { Answer, Question } from "./support.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const open = async (configuration: Partial<Configuration> = {}): Promise<HttpServer> => {
  const server = await openTestServer({ configuration });
  ends.push(() => server.close(0));
  return server;
};

/** What is there of an answer, but for the time of day. */
const told = ({ status, headers, text }: Answer): object => ({
  status,
  headers: { ...headers, date: "" },
  text,
});

/** What comes on a connection, and how much of it there is. */
const conversation = (port: number, said: string): { socket: Socket; heard: () => string } => {
  const socket = connect(port, "127.0.0.1", () => socket.write(said));
  ends.push(() => socket.destroy());
  let heard = "";
  socket.on("data", (chunk: Buffer) => (heard += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  return { socket, heard: () => heard };
};

/** Whether it is there after the server has had the time to answer somebody else. */
const isAnswered = async (answer: Promise<unknown>, port: number): Promise<boolean> => {
  let isThere = false;
  void answer.then(
    () => (isThere = true),
    () => (isThere = true),
  );
  for (let time = 0; time < 3; time++) await ask(port, "/health");
  return isThere;
};

const call = (message: string): Question => ({
  headers: good,
  body: { server: "one", tool: "echo", arguments: { message } },
});

describe("before the app is attached", () => {
  const external = "https://agents.example";
  it.each<[string, string, Question, Partial<Configuration>, number]>([
    ["whether it lives", "/health", {}, {}, 200],
    ["the same by its other name", "/health/live", {}, {}, 200],
    ["with a query", "/health?from=here", {}, {}, 200],
    ["by a page that may", "/health", { headers: { origin: "http://localhost:8080" } }, {}, 200],
    [
      "under its external name",
      "/health",
      { headers: { host: "agents.example" } },
      { externalUrl: external },
      200,
    ],
    ["under a foreign Host", "/health", { headers: { host: "evil.example" } }, {}, 403],
    ["by a foreign page", "/health/live", { headers: { origin: "http://evil.example" } }, {}, 403],
    [
      "through a proxy, where nobody has to sign in",
      "/health",
      { headers: { "x-forwarded-for": "192.0.2.1" } },
      { auth: [{ type: "none" }] },
      403,
    ],
  ])("is told %s as afterwards", async (_name, path, question, configuration, status) => {
    const server = await open(configuration);
    const early = await ask(server.port, path, question);
    await attachTestApp(server, { configuration });
    const late = await ask(server.port, path, question);
    expect(told(early)).toEqual(told(late));
    expect(late.status).toBe(status);
    expect(Object.keys(late.headers)).toContain("content-security-policy");
  });

  it("anything else waits, and gets the app's answer", async () => {
    const server = await open();
    const { port } = server;
    const questions: [string, Question, number][] = [
      ["/status", {}, 200],
      ["/health/ready", {}, 200],
      ["/health", { method: "HEAD" }, 200],
      ["/health", { method: "POST" }, 405],
      ["/health/", {}, 404],
      ["/%68ealth", {}, 200],
      ["/HEALTH", {}, 401],
      ["/metrics", {}, 401],
      ["/status", { headers: { host: "evil.example" } }, 403],
      ["/mcp", { method: "POST", body: "{}", headers: { host: "evil.example" } }, 403],
      ["/api/v1/tools/call", { ...call("hi"), headers: {} }, 401],
    ];
    const answers = questions.map(([path, question]) => ask(port, path, question));
    for (const answer of answers) expect(await isAnswered(answer, port)).toBe(false);
    await attachTestApp(server);
    const again = questions.map(([path, question]) => ask(port, path, question));
    for (const [index, [path, { method = "" }, status]] of questions.entries()) {
      const [early, late] = [await answers[index], await again[index]];
      expect([path, method, early?.status]).toEqual([path, method, status]);
      expect(early && told(early)).toEqual(late && told(late));
    }
  });

  it("calls wait with bodies of any size", async () => {
    const server = await open();
    const one = fakeUpstream("one");
    const arrived: number[] = [];
    one.answer = ({ params }) => {
      arrived.push(JSON.stringify(params["arguments"]).length - '{"message":""}'.length);
      return Promise.resolve({ content: [] });
    };
    const sizes = [1, 200_000, 3_000_000];
    const answers = sizes.map((size) =>
      ask(server.port, "/api/v1/tools/call", call("x".repeat(size))),
    );
    for (const answer of answers) expect(await isAnswered(answer, server.port)).toBe(false);
    expect(arrived).toEqual([]);
    await attachTestApp(server, { gateway: gatewayOf([one]).gateway });
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(arrived.toSorted((left, right) => left - right)).toEqual(sizes);
  });

  it("on one connection nobody is answered before his turn", async () => {
    const server = await open();
    const head = "Host: localhost\r\n\r\n";
    const { socket, heard } = conversation(
      server.port,
      `GET /status HTTP/1.1\r\n${head}GET /health HTTP/1.1\r\nConnection: close\r\n${head}`,
    );
    await ask(server.port, "/health");
    expect(heard()).toBe("");
    await attachTestApp(server);
    await once(socket, "close");
    expect(heard()).toMatch(/^HTTP\/1\.1 200[^]*"name":"onedoor"[^]*HTTP\/1\.1 200[^]*"ok"/u);
  });

  it("a connection that asks on and on is closed, as later", async () => {
    const { port } = await open();
    const { socket, heard } = conversation(
      port,
      "GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(17),
    );
    await once(socket, "close");
    expect(heard()).toBe("");
    expect((await ask(port, "/health")).status).toBe(200);
  });

  it("who waits when it ends is told so, and nothing is waited for", async () => {
    const server = await open();
    const { port } = server;
    const answer = ask(port, "/status");
    const foreign = ask(port, "/status", { headers: { host: "evil.example" } });
    const { socket, heard } = conversation(
      port,
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{",
    );
    expect(await isAnswered(answer, port)).toBe(false);
    const begunMs = performance.now();
    const ended = once(socket, "close");
    await server.close(0);
    await ended;
    expect(performance.now() - begunMs).toBeLessThan(5_000);
    expect(await answer).toMatchObject({
      status: 503,
      headers: { "x-content-type-options": "nosniff" },
      json: { error: { code: "upstream_unavailable", message: "The gateway is stopping" } },
    });
    expect((await foreign).status).toBe(403);
    expect(heard()).toMatch(/^HTTP\/1\.1 503 /u);
    await expect(ask(port, "/health")).rejects.toThrow("ECONNREFUSED");
  });
});

describe("how many wait", () => {
  it("is bounded; who goes away without a body to be read makes room, and is handed on to nobody", async () => {
    const room = createWaitingRoom(createRequestGuard(testConfiguration), 2);
    const server = createServer({ ServerResponse: GatewayResponse }, (request, response) =>
      room.answer(request, response),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ends.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;

    const first = ask(port, "/first");
    expect(await isAnswered(first, port)).toBe(false);
    const gone = conversation(port, "GET /gone HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await expect.poll(async () => (await ask(port, "/more")).status).toBe(503);
    const refused = await ask(port, "/more");
    expect(refused.headers).toMatchObject({ "retry-after": "1", "x-frame-options": "DENY" });
    expect(refused.json).toMatchObject({ error: { code: "upstream_unavailable" } });
    expect((await ask(port, "/more", { headers: { host: "evil.example" } })).status).toBe(403);
    expect((await ask(port, "/health")).status).toBe(200);

    gone.socket.destroy();
    let last = ask(port, "/last");
    while (await isAnswered(last, port)) last = ask(port, "/last");
    const handedOn: (string | undefined)[] = [];
    room.empty({
      ...room,
      answer(request, response) {
        handedOn.push(request.url);
        response.end();
      },
    });
    await Promise.all([first, last]);
    expect(handedOn).toEqual(["/first", "/last"]);
  });
});
