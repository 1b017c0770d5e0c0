import { createServer, request, type Server } from "node:http";
import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HttpServer } from "../../src/http/http-server.ts";
import { mintLocalToken } from "../../src/runtime/mint-local-token.ts";
import { fakeUpstream, gatewayOf } from "../gateway/fakes.ts";
import { organizations } from "./organizations.ts";
import { ask, startTestServer } from "./support.ts";

const nonce = randomBytes(32).toString("base64url");
const world = await organizations();
const { door, exchange, secret } = world;

let server: HttpServer;
beforeAll(async () => {
  const { gateway } = gatewayOf([fakeUpstream("one")], { door });
  server = await startTestServer({ ...world, gateway });
});
afterAll(() => server.close(0));

const record = (url: string) => ({
  pid: process.pid,
  url,
  instanceId: "instance-1",
  startedAtMs: 0,
  secret,
});

describe("POST /auth/cli-token", () => {
  it("mints a token for who proves to know the secret, on each address; logout revokes it", async () => {
    for (const url of server.urls) {
      const local = await mintLocalToken(record(url), AbortSignal.timeout(10_000));
      expect(local).toMatchObject({ userId: "root", role: "admin" });
      const headers = { authorization: `Bearer ${local.token}` };
      const status = await ask(server.port, "/auth/status", { headers });
      expect(status.json).toMatchObject({ authenticated: true, method: "local", role: "admin" });
      const logout = async () => ask(server.port, "/auth/logout", { method: "POST", headers });
      expect((await logout()).json).toEqual({ revoked: true });
      expect((await logout()).status).toBe(401);
      expect((await ask(server.port, "/auth/status", { headers })).status).toBe(401);
    }
  });

  it("is never cached", async () => {
    const answer = await ask(server.port, "/auth/cli-token", { body: { clientNonce: nonce } });
    expect(answer.status).toBe(200);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(Object.keys(answer.json ?? {}).toSorted()).toEqual([
      "instanceId",
      "proof",
      "serverNonce",
    ]);
    expect(answer.text).not.toContain(secret);
  });

  it.each<[string, Record<string, string>]>([
    ["Origin", { origin: "http://localhost:3000" }],
    ["Sec-Fetch-Mode", { "sec-fetch-mode": "cors" }],
    ["Sec-Fetch-Site", { "sec-fetch-site": "same-origin" }],
    ["Forwarded", { forwarded: "for=127.0.0.1" }],
    ["X-Forwarded-For", { "x-forwarded-for": "127.0.0.1" }],
    ["X-Forwarded-Proto", { "x-forwarded-proto": "http" }],
    ["Via", { via: "1.1 proxy" }],
    ["X-Real-IP", { "x-real-ip": "127.0.0.1" }],
  ])("refuses who sends %s", async (_name, headers) => {
    const answer = await ask(server.port, "/auth/cli-token", {
      body: { clientNonce: nonce },
      headers,
    });
    expect(answer.status).toBe(403);
    expect(answer.json).toMatchObject({ error: { code: "forbidden" } });
  });

  it("refuses a Host that is allowed but not loopback", async () => {
    const external = await startTestServer({
      exchange,
      configuration: { externalUrl: "https://mcp.example.com" },
    });
    const answer = await ask(external.port, "/auth/cli-token", {
      body: { clientNonce: nonce },
      headers: { host: "mcp.example.com" },
    });
    expect(answer.status).toBe(403);
    await external.close(0);
  });

  it("refuses a peer that is not loopback", async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((entry) => entry?.family === "IPv4" && !entry.internal)?.address;
    // A machine without a network has no such peer; local-program.test.ts holds the rule anywhere.
    if (address === undefined) return;
    const outside = await startTestServer({ exchange, configuration: { host: address } });
    const answer = await ask(outside.port, "/auth/cli-token", {
      host: address,
      headers: { host: "localhost" },
      body: { clientNonce: nonce },
    });
    expect(answer.status).toBe(403);
    await outside.close(0);
  });

  it("gives nothing through a reverse proxy on the same host, however quiet it is", async () => {
    const proxy: Server = createServer((incoming, outgoing) => {
      const { host, port } = { host: "127.0.0.1", port: server.port };
      const onward = request(
        {
          host,
          port,
          path: incoming.url,
          method: incoming.method,
          headers: { ...incoming.headers, host: `localhost:${port}` },
        },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        },
      );
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const address = proxy.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(
      mintLocalToken(record(`http://127.0.0.1:${port}`), AbortSignal.timeout(10_000)),
    ).rejects.toMatchObject({ code: "auth_rejected" });
    proxy.closeAllConnections();
    proxy.close();
  });

  it.each<[string, object]>([
    ["no nonce", {}],
    ["a short nonce", { clientNonce: "x" }],
    ["half a second step", { clientNonce: nonce, serverNonce: nonce }],
    ["an unknown field", { clientNonce: nonce, role: "admin" }],
    ["an unknown purpose", { clientNonce: nonce, purpose: "everything" }],
    ["several purposes", { clientNonce: nonce, purpose: ["administration"] }],
    ["a list", [nonce]],
  ])("answers %s with 400", async (_name, body) => {
    const answer = await ask(server.port, "/auth/cli-token", { body });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ error: { code: "usage" } });
  });

  it("answers a wrong proof with 403, and a form with 415", async () => {
    const body = { clientNonce: nonce, serverNonce: nonce, proof: nonce };
    expect((await ask(server.port, "/auth/cli-token", { body })).status).toBe(403);
    const form = await ask(server.port, "/auth/cli-token", {
      body: `{"clientNonce":"${nonce}"}`,
      headers: { "content-type": "text/plain" },
    });
    expect(form.status).toBe(415);
  });

  it("is closed where the local way to sign in is off", async () => {
    const off = await startTestServer({ exchange, configuration: { auth: [{ type: "none" }] } });
    const body = { clientNonce: nonce };
    const answer = await ask(off.port, "/auth/cli-token", { body });
    expect([answer.status, answer.json]).toMatchObject([
      403,
      { error: { message: "This gateway mints no local tokens" } },
    ]);
    const second = { ...body, serverNonce: nonce, proof: nonce };
    expect((await ask(off.port, "/auth/cli-token", { body: second })).status).toBe(403);
    await off.close(0);
  });
});
