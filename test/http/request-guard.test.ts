import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HttpServer } from "../../src/http/http-server.ts";
import { fakeDoor, fakeUpstream, gatewayOf } from "../gateway/fakes.ts";
import { ask, good, startTestServer } from "./support.ts";

let server: HttpServer;
beforeAll(async () => {
  server = await startTestServer({
    configuration: {
      externalUrl: "https://mcp.example.com/door",
      allowedHosts: ["Gate.Internal", "exact.internal:8443"],
      allowedOrigins: ["https://app.example.com", "http://app.example.com:8080/"],
    },
  });
});
afterAll(() => server.close(0));

const statusOf = async (headers: Record<string, string | string[]>, path = "/health") =>
  (await ask(server.port, path, { headers })).status;

/** The status line that an exact sequence of lines is answered with. */
const raw = (lines: string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(server.port, "127.0.0.1", () =>
      socket.end(`${lines.join("\r\n")}\r\n\r\n`),
    );
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => (text += chunk));
    socket.on("end", () => resolve(text.split("\r\n")[0] ?? ""));
    socket.on("error", reject);
  });

it("closes the connection of who is not understood, even if the client never closes its side", async () => {
  const own = await startTestServer();
  const socket = connect({ port: own.port, host: "127.0.0.1", allowHalfOpen: true });
  const answered = new Promise<string>((resolve) =>
    socket.once("data", (data) => resolve(String(data))),
  );
  socket.write("NOT HTTP\r\n\r\n");
  expect(await answered).toMatch(/^HTTP\/1\.1 400 /u);
  // Resolves when no connection is left, without waiting for the end of the grace.
  await own.close(60_000);
  socket.destroy();
});

it("judges each request by its own Host, whatever the ones before had", async () => {
  const seen: number[] = [];
  for (const host of ["localhost", "localhost", "evil.example", "evil.example", "localhost"]) {
    seen.push(await statusOf({ host }));
  }
  expect(seen).toEqual([200, 200, 403, 403, 200]);
});

describe("a target that cannot be decoded", () => {
  it("is refused with our own body and headers, behind the guard", async () => {
    const answer = await ask(server.port, "/%zz");
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({
      error: { code: "usage", message: "The request target is not a valid path" },
    });
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(await statusOf({ host: "evil.example" }, "/%zz")).toBe(403);
  });
});

describe("Host", () => {
  it.each([
    "localhost",
    "localhost:1",
    "LOCALHOST:3050",
    "localhost.",
    "127.0.0.1:9999",
    "127.1.2.3",
    "[::1]",
    "[::1]:3050",
    "mcp.example.com",
    "mcp.example.com:443",
    "gate.internal",
    "gate.internal:81",
    "exact.internal:8443",
  ])("%s is one of ours", async (host) => {
    expect(await statusOf({ host })).toBe(200);
  });

  it.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example:80@localhost",
    "localhost:80:80",
    "localhost:99999",
    "localhost:port",
    "local host",
    "localhost/",
    "[::1",
    "::1",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
    "mcp.example.com.evil.example",
    "exact.internal",
    "exact.internal:1",
    "2130706433",
  ])("%s is not", async (host) => {
    expect(await statusOf({ host })).toBe(403);
  });

  it.each([
    ["none", ["GET /health HTTP/1.1", "Connection: close"]],
    ["two", ["GET /health HTTP/1.1", "Host: localhost", "Host: evil.example", "Connection: close"]],
    [
      "one overruled by the target",
      ["GET http://evil.example/health HTTP/1.1", "Host: localhost", "Connection: close"],
    ],
    ["rubbish instead of HTTP", ["\u0016\u0003\u0001 hello"]],
  ])("is refused with 400: %s", async (_name, lines) => {
    expect(await raw(lines)).toMatch(/^HTTP\/1\.1 400 /u);
  });
});

/** What the header says. */
const strictness = async (externalUrl: string | undefined, host: string): Promise<unknown> => {
  const own = await startTestServer({
    configuration: {
      ...(externalUrl !== undefined && { externalUrl }),
      allowedHosts: ["other.example"],
    },
  });
  const { headers } = await ask(own.port, "/health", { headers: { host } });
  await own.close(0);
  return headers["strict-transport-security"];
};

describe("Strict-Transport-Security", () => {
  it.each([
    ["https://mcp.example.com", "mcp.example.com", "max-age=31536000"],
    ["https://mcp.example.com", "localhost", undefined],
    ["https://mcp.example.com", "other.example", undefined],
    ["https://mcp.example.com:8443", "mcp.example.com:8443", undefined],
    ["https://localhost", "localhost", undefined],
    ["http://mcp.example.com", "mcp.example.com", undefined],
    [undefined, "localhost", undefined],
  ])("with externalUrl %s, asked as %s: %s", async (externalUrl, host, expected) => {
    expect(await strictness(externalUrl, host)).toBe(expected);
  });
});

describe("Origin", () => {
  it.each([
    "http://localhost",
    "http://localhost:5173",
    "https://127.0.0.1:8443",
    "http://[::1]:3000",
    "https://mcp.example.com",
    "https://app.example.com",
    "http://app.example.com:8080",
  ])("%s is trusted, and told so", async (origin) => {
    const answer = await ask(server.port, "/api/v1/inspect", { headers: { origin } });
    expect(answer.status).toBe(401);
    expect(answer.headers).toMatchObject({
      "access-control-allow-origin": origin,
      "access-control-expose-headers": "WWW-Authenticate, Mcp-Session-Id, Retry-After",
      vary: "Origin",
    });
    expect(answer.headers).not.toHaveProperty("access-control-allow-credentials");
  });

  it.each([
    "https://evil.example",
    "null",
    "",
    "http://mcp.example.com",
    "https://mcp.example.com:8443",
    "https://app.example.com.evil.example",
    "https://app.example.com/",
    "http://app.example.com",
    "file://localhost",
    "chrome-extension://localhost",
    "http://localhost.evil.example",
    "http://user@localhost",
    "HTTP://LOCALHOST",
  ])("%j is not", async (origin) => {
    expect(await statusOf({ origin })).toBe(403);
  });

  it("gets its preflight answered without a credential, for every path", async () => {
    const headers = {
      origin: "http://localhost:5173",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization, content-type, mcp-protocol-version",
    };
    for (const path of ["/mcp", "/api/v1/tools/call", "/nowhere"]) {
      const answer = await ask(server.port, path, { method: "OPTIONS", headers });
      expect(answer.status).toBe(204);
      expect(answer.text).toBe("");
      expect(answer.headers).toMatchObject({
        "access-control-allow-origin": headers.origin,
        "access-control-allow-headers": headers["access-control-request-headers"],
        "access-control-allow-methods": "GET, POST, PUT, DELETE",
      });
    }
    const foreign = { ...headers, origin: "https://evil.example" };
    const refused = await ask(server.port, "/mcp", { method: "OPTIONS", headers: foreign });
    expect(refused.status).toBe(403);
    expect(await statusOf({}, "/health")).toBe(200);
    expect((await ask(server.port, "/mcp", { method: "OPTIONS" })).status).toBe(401);
  });
});

describe("without authentication", () => {
  let open: HttpServer;
  beforeAll(async () => {
    const { gateway } = gatewayOf([fakeUpstream("one")], { door: fakeDoor("none") });
    open = await startTestServer({ gateway, configuration: { auth: [{ type: "none" }] } });
  });
  afterAll(() => open.close(0));

  it("everybody on this machine gets in", async () => {
    expect((await ask(open.port, "/api/v1/inspect")).status).toBe(200);
    expect((await ask(open.port, "/auth")).json).toMatchObject({ required: false });
    const headers = { "sec-fetch-site": "same-origin", origin: "http://localhost:1" };
    expect((await ask(open.port, "/api/v1/inspect", { headers })).status).toBe(200);
  });

  it.each<[string, string]>([
    ["forwarded", "for=1.2.3.4"],
    ["x-forwarded-for", "1.2.3.4"],
    ["x-forwarded-host", "x"],
    ["x-forwarded-proto", "https"],
    ["via", "1.1 proxy"],
    ["x-real-ip", "1.2.3.4"],
    ["sec-fetch-site", "cross-site"],
  ])("nothing that was forwarded or comes from another site does: %s", async (name, value) => {
    for (const path of ["/api/v1/inspect", "/mcp", "/status"]) {
      const answer = await ask(open.port, path, { headers: { [name]: value } });
      expect(answer.status).toBe(403);
    }
    // With a credential of its own a forwarded request is an ordinary one.
    const headers = { ...good, [name]: value };
    expect((await ask(server.port, "/api/v1/inspect", { headers })).status).toBe(200);
  });
});
