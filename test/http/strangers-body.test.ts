import { request, type ClientRequest, type IncomingMessage } from "node:http";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { HttpServer } from "../../src/http/http-server.ts";
import { fakeUpstream, gatewayOf, goodToken } from "../gateway/fakes.ts";
import { doorWith, tokenWay } from "./doors.ts";
import { ask, startTestServer } from "./support.ts";

const toolsCall = "/api/mcp/tools/call";
const json = { "content-type": "application/json" };

let server: HttpServer;
const begun: ClientRequest[] = [];
afterEach(async () => {
  for (const outgoing of begun.splice(0)) outgoing.destroy();
  vi.restoreAllMocks();
  vi.useRealTimers();
  await server.close(0);
});

async function start() {
  const fixture = gatewayOf(
    [fakeUpstream("one", { tools: [{ name: "echo", inputSchema: { type: "object" } }] })],
    {
      door: doorWith(tokenWay),
    },
  );
  server = await startTestServer({
    gateway: fixture.gateway,
    configuration: { trustedProxies: ["127.0.0.0/8"] },
  });
  return fixture;
}

/** Sends a body's beginning and no more. */
function begin(path: string, sent: string, headers: Record<string, string> = {}): ClientRequest {
  const outgoing = request({
    host: "127.0.0.1",
    port: server.port,
    path,
    method: "POST",
    headers: { ...json, "transfer-encoding": "chunked", ...headers },
  }).on("error", () => undefined);
  outgoing.write(sent);
  begun.push(outgoing);
  return outgoing;
}

const network = (at: number) => ({ "x-forwarded-for": `2001:db8:1:${at}::1` });
function askFrom(at: number): ReturnType<typeof ask> {
  const body = { tool: "one__echo", arguments: { auth_token: goodToken } };
  return ask(server.port, toolsCall, { body, headers: network(at) });
}

const answerOf = (outgoing: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve) => outgoing.once("response", resolve));

describe("POST /auth/logout and /auth/cli-token", () => {
  it.each(["/auth/logout", "/auth/cli-token"])("take 4 KiB at %s", async (path) => {
    await start();
    const body = JSON.stringify({ a: "x".repeat(4089) });
    for (const headers of [json, { ...json, "transfer-encoding": "chunked" }]) {
      expect((await ask(server.port, path, { body, headers })).status).toBe(413);
      const fits = await ask(server.port, path, { body: body.replace("x", ""), headers });
      expect(fits.status).toBe(400);
    }
  });

  it("refuses who is no program of this machine before anything of the body", async () => {
    await start();
    const outgoing = begin("/auth/cli-token", "{", { forwarded: "for=192.0.2.1" });
    expect((await answerOf(outgoing)).statusCode).toBe(403);
  });
});

describe("a stranger's body", () => {
  it.each(["/auth/logout", "/auth/cli-token", "/auth/login", toolsCall])(
    "has 10 seconds at %s",
    async (path) => {
      const { audit } = await start();
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const timers = vi.spyOn(globalThis, "setTimeout");
      const answered = answerOf(begin(path, "{"));
      const delays = (): unknown[] => timers.mock.calls.map(([, delayMs]) => delayMs);
      await expect.poll(delays).toContain(10_000);
      vi.advanceTimersByTime(10_000);
      const { statusCode, headers } = await answered;
      expect([statusCode, headers.connection]).toEqual([408, "close"]);
      if (path !== toolsCall) return;
      expect(audit.events).toMatchObject([{ toolName: "unknown", status: "denied" }]);
    },
  );

  it("has room with others' only, of its own network and in all", async () => {
    const { audit } = await start();
    const large = "x".repeat(1024 * 1024 - 1);
    for (let count = 0; count < 4; count += 1) begin(toolsCall, large, network(1));
    await expect.poll(async () => (await askFrom(1)).status).toBe(503);
    const refused = await askFrom(1);
    expect(refused.headers).toMatchObject({ "retry-after": "1", connection: "close" });
    expect(refused.json).toMatchObject({ error: { code: "rate_limited" } });
    expect(audit.events.at(-1)).toMatchObject({ toolName: "unknown", status: "denied" });
    expect((await askFrom(2)).status).toBe(200);
    for (let count = 4; count < 32; count += 1) {
      begin(toolsCall, large, network(Math.floor(count / 4) + 1));
    }
    await expect.poll(async () => (await askFrom(99)).status, { timeout: 10_000 }).toBe(503);
    for (const outgoing of begun.splice(0)) outgoing.destroy();
    await expect.poll(async () => (await askFrom(99)).status).toBe(200);
  });
});
