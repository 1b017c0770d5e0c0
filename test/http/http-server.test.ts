import { Agent, createServer, type Server } from "node:http";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import type { HttpServer } from "../../src/http/http-server.ts";
import { reachesItself } from "../../src/http/reaches-itself.ts";
import { failed, fakeUpstream, gatewayOf, ready, starting } from "../gateway/fakes.ts";
import { ask, good, startTestServer } from "./support.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const start = async (options: Parameters<typeof startTestServer>[0] = {}): Promise<HttpServer> => {
  const server = await startTestServer(options);
  ends.push(() => server.close(0));
  return server;
};

const occupy = async (host: string, port = 0): Promise<number> => {
  const other: Server = createServer();
  await new Promise<void>((resolve, reject) => {
    other.once("error", reject);
    other.listen(port, host, resolve);
  });
  ends.push(
    () =>
      new Promise((resolve) => {
        other.close(() => resolve());
      }),
  );
  const address = other.address();
  return typeof address === "object" && address !== null ? address.port : 0;
};

const hasIpv6Loopback = Object.values(networkInterfaces())
  .flat()
  .some((entry) => entry?.address === "::1");
const loopbacks = hasIpv6Loopback ? ["127.0.0.1", "::1"] : ["127.0.0.1"];

describe("listening", () => {
  it.each(["127.0.0.1", "localhost", "::1", "[::1]", "LOCALHOST"])(
    "takes one port on both loopback addresses for %s, and says which",
    async (host) => {
      const { urls, port } = await start({ configuration: { host } });
      expect(port).toBeGreaterThan(0);
      expect(urls).toEqual(
        loopbacks.map((address) => `http://${address === "::1" ? "[::1]" : address}:${port}`),
      );
      for (const address of loopbacks) {
        expect((await ask(port, "/health", { host: address })).status).toBe(200);
      }
    },
  );

  it.each(loopbacks)("refuses a port that somebody else holds on %s only", async (address) => {
    const port = await occupy(address);
    await expect(start({ configuration: { port } })).rejects.toMatchObject({
      code: "config_invalid",
      message: `Port ${port} is in use`,
      hint: expect.stringContaining("--port"),
    });
    // Nothing of the attempt is left behind on the other address.
    for (const other of loopbacks.filter((candidate) => candidate !== address)) {
      expect(await occupy(other, port)).toBe(port);
    }
  });

  const own = Object.values(networkInterfaces())
    .flat()
    .find((entry) => entry !== undefined && !entry.internal && entry.family === "IPv4")?.address;
  const onLoopback = (port: number): string[] =>
    loopbacks.map((address) => `http://${address === "::1" ? "[::1]" : address}:${port}`);

  it.each(["0.0.0.0", ...(hasIpv6Loopback ? ["::"] : [])])(
    "on all addresses (%s) it is found by 127.0.0.1",
    async (host) => {
      const { urls, localUrls, port } = await start({ configuration: { host } });
      expect(urls).toEqual([`http://${host === "::" ? "[::]" : host}:${port}`]);
      expect(localUrls).toEqual([`http://127.0.0.1:${port}`]);
      expect((await ask(port, "/health")).status).toBe(200);
    },
  );

  it("on one of the machine's own addresses it listens on loopback as well, under the same guard", async () => {
    if (own === undefined) throw new Error("This machine has no address of its own to listen on");
    const { urls, localUrls, port } = await start({ configuration: { host: own } });
    expect(urls).toEqual([`http://${own}:${port}`]);
    expect(localUrls).toEqual(onLoopback(port));
    for (const host of [own, ...loopbacks]) {
      const headers = { host: `127.0.0.1:${port}` };
      expect((await ask(port, "/health", { host, headers })).status).toBe(200);
      const strange = { headers: { host: "evil.example" }, host };
      expect((await ask(port, "/health", strange)).status).toBe(403);
    }
  });

  it.each(loopbacks)("nor does it, where somebody else holds the port on %s", async (address) => {
    if (own === undefined) throw new Error("This machine has no address of its own to listen on");
    const port = await occupy(address);
    await expect(start({ configuration: { host: own, port } })).rejects.toMatchObject({
      code: "config_invalid",
      message: `Port ${port} is in use`,
    });
    expect(await occupy(own, port)).toBe(port);
  });

  it("names no address that another program answers at", async () => {
    const own4 = createServer();
    await new Promise<void>((resolve) => own4.listen(0, "127.0.0.2", resolve));
    ends.push(() => new Promise((resolve) => void own4.close(() => resolve())));
    const other = await occupy("127.0.0.1");
    const address = own4.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expect(await reachesItself(own4, "127.0.0.2", port)).toBe(true);
    expect(await reachesItself(own4, "127.0.0.1", other)).toBe(false);
    expect(await reachesItself(own4, "127.0.0.3", port)).toBe(false);
  });

  it("listens on another host alone, and refuses one it does not have", async () => {
    const { urls, localUrls, port } = await start({ configuration: { host: "127.0.0.2" } });
    expect(urls).toEqual([`http://127.0.0.2:${port}`]);
    expect(localUrls).toEqual(urls);
    await expect(start({ configuration: { host: "192.0.2.1" } })).rejects.toMatchObject({
      code: "config_invalid",
      message: "Cannot listen on 192.0.2.1",
    });
  });
});

describe("health", () => {
  it("is up at once; readiness waits for each server to be ready or to have a reason", async () => {
    const [one, two] = [fakeUpstream("one"), fakeUpstream("two")];
    const audit = { queued: 3, dropped: 0, append: () => undefined };
    const { port } = await start({ gateway: gatewayOf([one, two]).gateway, audit });
    two.state = starting;
    expect((await ask(port, "/health")).json).toEqual({ status: "ok" });
    expect((await ask(port, "/health/live")).status).toBe(200);
    const waiting = await ask(port, "/health/ready");
    expect(waiting.status).toBe(503);
    expect(waiting.json).toEqual({
      status: "starting",
      upstreams: { total: 2, ready: 1, starting: 1, unavailable: 0 },
      audit: { queued: 3, dropped: 0 },
    });
    two.state = failed("a reason that strangers must not see");
    // Rows that are lost are told, and are no reason to take no calls.
    Object.assign(audit, { queued: 0, dropped: 7 });
    const settled = await ask(port, "/health/ready");
    expect(settled.status).toBe(200);
    expect(settled.json).toEqual({
      status: "ready",
      upstreams: { total: 2, ready: 1, starting: 0, unavailable: 1 },
      audit: { queued: 0, dropped: 7 },
    });
    two.state = ready;
  });
});

describe("close", () => {
  const call = { server: "one", tool: "echo", arguments: { message: "hi" } };

  it("lets a call in flight finish, closes idle connections and takes no new ones", async () => {
    const one = fakeUpstream("one");
    let finish: (() => void) | undefined;
    const called = new Promise<void>((begun) => {
      one.answer = () =>
        new Promise((resolve) => {
          finish = () => resolve({ content: [] });
          begun();
        });
    });
    const server = await startTestServer({ gateway: gatewayOf([one]).gateway });
    const agent = new Agent({ keepAlive: true });
    const idle = new Agent({ keepAlive: true });
    await ask(server.port, "/health", { agent: idle });
    const answer = ask(server.port, "/api/v1/tools/call", { body: call, headers: good, agent });
    await called;
    // A grace longer than the test: a connection that is not closed when it becomes idle would use it up.
    const closed = server.close(60_000);
    await expect(ask(server.port, "/health")).rejects.toThrow("ECONNREFUSED");
    finish?.();
    expect((await answer).json).toEqual({ content: [] });
    await closed;
    agent.destroy();
    idle.destroy();
  });

  it("cancels what is still running after the grace, and says why", async () => {
    const one = fakeUpstream("one");
    const called = new Promise<void>((begun) => {
      one.answer = ({ signal }) =>
        new Promise<never>((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")));
          begun();
        });
    });
    const server = await startTestServer({ gateway: gatewayOf([one]).gateway });
    const answer = ask(server.port, "/api/v1/tools/call", { body: call, headers: good });
    await called;
    await server.close(1);
    expect(await answer).toMatchObject({
      status: 503,
      json: { error: { code: "upstream_unavailable", message: "The gateway is stopping" } },
    });
  });

  it("ends even when a call does not hear that it is cancelled", async () => {
    const one = fakeUpstream("one");
    const called = new Promise<void>((begun) => {
      one.answer = () => {
        begun();
        return new Promise(() => undefined);
      };
    });
    const server = await startTestServer({ gateway: gatewayOf([one]).gateway });
    const answer = ask(server.port, "/api/v1/tools/call", { body: call, headers: good });
    const lost = answer.catch((error: unknown) => String(error));
    await called;
    await server.close(1);
    expect(await lost).toMatch(/hang up|ECONNRESET/u);
  });
});
