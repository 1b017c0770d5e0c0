import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import type { HttpServer } from "../../src/http/http-server.ts";
import { failed, fakeUpstream, gatewayOf } from "../gateway/fakes.ts";
import { ask, good, startTestServer, type TestServerOptions } from "./support.ts";

let server: HttpServer;
afterEach(() => server.close(0));

const path = "/debug/state";
const nothing = { error: { code: "not_found", message: "There is nothing at this path" } };

async function start(options: TestServerOptions = {}): Promise<void> {
  const two = fakeUpstream("two");
  two.state = failed("It is off");
  const { gateway } = gatewayOf([fakeUpstream("one"), two]);
  const audit = { queued: 3, dropped: 1, append: () => undefined };
  server = await startTestServer({ gateway, audit, development: true, ...options });
}

describe("/debug/state", () => {
  it("tells a program of this machine what the gateway holds", async () => {
    await start();
    const { status, json } = await ask(server.port, path);
    expect(status).toBe(200);
    expect(json).toEqual({
      uptimeSeconds: expect.any(Number),
      memoryBytes: expect.objectContaining({ rss: expect.any(Number) }),
      connections: 1,
      answers: 1,
      sessions: { mcp: 0, sse: 0 },
      audit: { queued: 3, dropped: 1 },
      settled: true,
      upstreams: [
        expect.objectContaining({ name: "one", state: "ready" }),
        expect.objectContaining({ name: "two", state: "unavailable", reason: "It is off" }),
      ],
    });
  });

  it("is not there outside development, for nobody", async () => {
    await start({ development: false });
    for (const headers of [{}, good]) {
      const answer = await ask(server.port, path, { headers });
      expect([answer.status, answer.json]).toEqual([404, nothing]);
    }
  });

  it.each<[string, Record<string, string>]>([
    ["a forwarded request", { "x-forwarded-for": "127.0.0.1" }],
    ["a proxy that only says who it is", { via: "1.1 proxy" }],
    ["a forwarded request of RFC 7239", { forwarded: "for=127.0.0.1" }],
    ["a page", { origin: "http://localhost:3000" }],
    ["a page of the same origin", { "sec-fetch-site": "same-origin" }],
    ["another name of the gateway", { host: "mcp.example.com" }],
    ["an allowed name", { host: "gate.internal" }],
  ])("is not there for %s, with a token or without", async (_name, headers) => {
    await start({
      configuration: {
        externalUrl: "https://mcp.example.com",
        allowedHosts: ["gate.internal"],
        trustedProxies: ["127.0.0.1"],
      },
    });
    for (const credential of [{}, good]) {
      const answer = await ask(server.port, path, { headers: { ...headers, ...credential } });
      expect([answer.status, answer.json]).toEqual([404, nothing]);
      expect(answer.headers).not.toHaveProperty("allow");
    }
  });

  it("is not there for other methods, nor is anything else below /debug", async () => {
    await start();
    const asked = [
      await ask(server.port, path, { method: "POST" }),
      await ask(server.port, "/debug/other"),
      await ask(server.port, "/debug/"),
    ];
    expect(asked.map(({ status, json }) => [status, json])).toEqual(
      asked.map(() => [404, nothing]),
    );
  });

  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  it.runIf(outside !== undefined)("is not there for who comes over the network", async () => {
    await start({ configuration: { host: "0.0.0.0" } });
    const headers = { host: "localhost" };
    const answer = await ask(server.port, path, { host: outside ?? "", headers });
    expect([answer.status, answer.json]).toEqual([404, nothing]);
  });
});
