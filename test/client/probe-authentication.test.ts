import { afterEach, describe, expect, test } from "vitest";
import { identify } from "../../src/client/identify.ts";
import { probeAuthentication } from "../../src/client/probe-authentication.ts";
import { startEverything } from "./support/everything-server.ts";
import { sendJson, startFakeServer } from "./support/fake-server.ts";
import type { FakeServer } from "./support/fake-server.ts";
import { startLegacyServer } from "./support/legacy-server.ts";
import { startModernServer } from "./support/modern-server.ts";

let fake: FakeServer | undefined;
afterEach(async () => {
  await fake?.close();
  fake = undefined;
});

const signal = (): AbortSignal => AbortSignal.timeout(20_000);
const status = { name: "onedoor", version: "1.0.0", instanceId: "i", protocolVersions: [] };
const ways = [{ type: "local", description: "agent auth login" }];
const owner = {
  authenticated: true,
  user: { id: "ada", name: "Ada" },
  organization: null,
  role: "admin",
  scopes: ["a"],
  method: "local",
  expiresAt: "2030-01-01T00:00:00.000Z",
};

/** A gateway that takes the bearer `good`, breaks down at `breaks` and does not allow `barred`. */
async function startGateway(required = true): Promise<FakeServer> {
  fake = await startFakeServer((request, response) => {
    const { authorization } = request.headers;
    if (request.path === "/prefix/status") sendJson(response, 200, status);
    else if (request.path === "/prefix/auth") sendJson(response, 200, { required, ways });
    else if (request.path !== "/prefix/auth/status") sendJson(response, 404, {});
    else if (authorization === "Bearer good") sendJson(response, 200, owner);
    else if (authorization === "Bearer member") {
      sendJson(response, 200, { ...owner, organization: "acme", role: null });
    } else if (authorization === "Bearer breaks") {
      sendJson(response, 500, { error: { code: "internal", message: "Unexpected failure" } });
    } else if (authorization === "Bearer barred") {
      sendJson(response, 403, { error: { code: "forbidden", message: "Host not allowed" } });
    } else if (authorization?.startsWith("Bearer told ") === true) {
      const code = authorization.slice("Bearer told ".length);
      sendJson(response, 503, { error: { code, message: "The issuer is away", hint: "rm -rf" } });
    } else sendJson(response, 401, { error: { code: "auth_rejected", message: "no" } });
  });
  return fake;
}

describe("identify", () => {
  test("knows a gateway at its endpoint, with or without /mcp, and shows no credential", async () => {
    const { url, requests } = await startGateway();
    for (const path of ["/prefix", "/prefix/", "/prefix/mcp", "/prefix/sse?x=1"]) {
      expect(await identify(url + path, signal())).toBe("onedoor");
    }
    expect(requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test.each([
    ["HTML", 200, "text/html", "<html>"],
    ["another program's status", 200, "application/json", '{"name":"other"}'],
    ["nothing", 404, "text/plain", ""],
    ["a redirect", 302, "text/plain", ""],
    ["more than a status", 200, "application/json", " ".repeat(300 * 1024)],
  ])("takes what answers with %s for an MCP server", async (_what, code, type, body) => {
    fake = await startFakeServer((_request, response) => {
      const location = code === 302 ? { location: "https://elsewhere.example/" } : {};
      response.writeHead(code, { "content-type": type, ...location }).end(body);
    });
    expect(await identify(fake.url, signal())).toBe("mcp");
  });

  test("nobody there is an error", async () => {
    const gateway = await startGateway();
    await gateway.close();
    await expect(identify(gateway.url, signal())).rejects.toMatchObject({ code: "unreachable" });
  });
});

describe("a OneDoor gateway", () => {
  test("says how to sign in, or that there is no need to", async () => {
    const closed = await startGateway();
    expect(await probeAuthentication(`${closed.url}/prefix`, undefined, signal())).toEqual({
      kind: "required",
      server: "onedoor",
      ways,
      endpoint: `${closed.url}/prefix/mcp`,
    });
    await closed.close();
    const open = await startGateway(false);
    expect(await probeAuthentication(`${open.url}/prefix`, undefined, signal())).toEqual({
      kind: "open",
      server: "onedoor",
    });
  });

  test("says who a bearer is, or that it is not good", async () => {
    const { url } = await startGateway();
    expect(await probeAuthentication(`${url}/prefix/mcp`, "good", signal())).toEqual({
      kind: "accepted",
      server: "onedoor",
      who: "Ada",
      userId: "ada",
      organization: undefined,
      role: "admin",
      scopes: ["a"],
      method: "local",
      expiresAtMs: Date.parse("2030-01-01"),
    });
    expect(await probeAuthentication(`${url}/prefix`, "bad", signal())).toEqual({
      kind: "rejected",
      server: "onedoor",
      words: "no",
    });
  });

  test("one who has no role there is told from one whose role is not said", async () => {
    const { url } = await startGateway();
    expect(await probeAuthentication(`${url}/prefix`, "member", signal())).toMatchObject({
      kind: "accepted",
      organization: "acme",
      role: null,
    });
  });

  test("a fault of the server, or not being allowed to ask, is no rejection", async () => {
    const { url } = await startGateway();
    await expect(probeAuthentication(`${url}/prefix`, "breaks", signal())).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("HTTP 500"),
    });
    await expect(probeAuthentication(`${url}/prefix`, "barred", signal())).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  test.each(["unreachable", "timeout", "store_unavailable"])(
    "why it cannot judge, it may say: %s",
    async (code) => {
      const { url } = await startGateway();
      const asked = probeAuthentication(`${url}/prefix`, `told ${code}`, signal());
      await expect(asked).rejects.toMatchObject({
        code: "unreachable",
        message: "The issuer is away",
        hint: "The fault is on the server's side; try again later",
      });
    },
  );

  test.each(["auth_rejected", "forbidden", "internal", "made_up"])(
    "but nothing that reads like a judgement: %s",
    async (code) => {
      const { url } = await startGateway();
      const asked = probeAuthentication(`${url}/prefix`, `told ${code}`, signal());
      await expect(asked).rejects.toMatchObject({
        code: "unreachable",
        message: expect.stringContaining("HTTP 503"),
      });
    },
  );

  test("that speaks https alone says so to whoever asks it in http", async () => {
    fake = await startFakeServer((_request, response) => {
      const error = { code: "usage", message: "Only https is spoken here", hint: "rm -rf" };
      sendJson(response, 400, { error });
    });
    await expect(probeAuthentication(fake.url, undefined, signal())).rejects.toMatchObject({
      code: "usage",
      message: "Only https is spoken here",
      hint: "Begin the address with https://",
    });
  });

  test("tells users of its own from those of an issuer", async () => {
    const issuer = "https://x.supabase.co/auth/v1";
    fake = await startFakeServer((request, response) => {
      const simple = { type: "simple", description: "d" };
      const offered = [{ ...simple, issuer }, { ...simple, issuer: 1 }, simple];
      if (request.path === "/status") sendJson(response, 200, status);
      else sendJson(response, 200, { required: true, ways: offered });
    });
    expect(await probeAuthentication(fake.url, undefined, signal())).toMatchObject({
      ways: [{ issuer }, { issuer: undefined }, { issuer: undefined }],
    });
  });

  test("the bearer goes to one address only, and only once the server is known", async () => {
    const { url, requests } = await startGateway();
    await probeAuthentication(`${url}/prefix`, "good", signal());
    expect(requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ["/prefix/status", undefined],
      ["/prefix/auth/status", "Bearer good"],
    ]);
  });

  test("HTML in place of an answer is an error that says so", async () => {
    fake = await startFakeServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<html>");
    });
    await expect(probeAuthentication(fake.url, "good", signal(), "onedoor")).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("text/html"),
    });
  });
});

describe("any other MCP server", () => {
  test.each([
    ["everything", (): boolean => true],
    ["only what follows the handshake", (method: string): boolean => method === "tools/list"],
  ])(
    "that guards %s tells a good bearer from a bad one and from none",
    async (_what, needsBearer) => {
      fake = await startLegacyServer({ needsBearer });
      const url = `${fake.url}/mcp`;
      expect(await probeAuthentication(url, undefined, signal())).toMatchObject({
        kind: "required",
        server: "mcp",
        endpoint: url,
      });
      expect(await probeAuthentication(url, "bad", signal())).toMatchObject({
        kind: "rejected",
        server: "mcp",
      });
      expect(await probeAuthentication(url, "good", signal())).toEqual({
        kind: "accepted",
        server: "mcp",
      });
      await expect(probeAuthentication(url, "breaks", signal())).rejects.toMatchObject({
        code: "unreachable",
      });
    },
  );

  test("says with its refusals where and for what a token is to be got", async () => {
    const challenge = `Bearer resource_metadata="https://mcp.example.com/meta", scope="a b"`;
    fake = await startFakeServer((request, response) => {
      if (request.path === "/status") {
        sendJson(response, 404, {});
      } else if (request.headers.authorization === "Bearer narrow") {
        const narrow = `Bearer error="insufficient_scope", scope="a b"`;
        response.writeHead(403, { "www-authenticate": narrow }).end();
      } else response.writeHead(401, { "www-authenticate": challenge }).end();
    });
    const url = `${fake.url}/mcp`;
    const told = { resourceMetadata: "https://mcp.example.com/meta", scope: "a b" };
    expect(await probeAuthentication(url, undefined, signal())).toMatchObject({
      kind: "required",
      endpoint: url,
      challenge: told,
    });
    expect(await probeAuthentication(url, "bad", signal())).toMatchObject({
      kind: "rejected",
      challenge: told,
    });
    expect(await probeAuthentication(url, "narrow", signal())).toMatchObject({
      kind: "accepted",
      lacks: ["a", "b"],
    });
  });

  test("that needs no bearer is open, in either era", async () => {
    const legacy = await startEverything();
    const modern = await startModernServer();
    try {
      const open = { kind: "open", server: "mcp" };
      expect(await probeAuthentication(legacy.url, undefined, signal())).toEqual(open);
      expect(await probeAuthentication(modern.url, undefined, signal())).toEqual(open);
    } finally {
      await legacy.close();
      await modern.close();
    }
  });

  test.each([
    ["HTML", 200, "text/html", "<html>"],
    ["rubbish", 200, "application/json", "{]"],
    ["no content type", 200, "", ""],
    ["404 everywhere", 404, "text/plain", "not found"],
    ["a broken gateway", 502, "text/html", "<html>"],
  ])("that answers with %s is no MCP server", async (_what, code, type, body) => {
    fake = await startFakeServer((_request, response) => {
      response.writeHead(code, type === "" ? {} : { "content-type": type }).end(body);
    });
    await expect(probeAuthentication(fake.url, "good", signal())).rejects.toMatchObject({
      code: "unreachable",
    });
  });

  test("that never answers ends at the deadline", async () => {
    fake = await startFakeServer((request, response) => {
      if (request.path === "/status") response.writeHead(404).end();
    });
    await expect(
      probeAuthentication(fake.url, "good", AbortSignal.timeout(300)),
    ).rejects.toMatchObject({ code: "timeout" });
  });

  test("that redirects gets no bearer to its target", async () => {
    const elsewhere = await startFakeServer((_request, response) => response.end());
    try {
      fake = await startFakeServer((_request, response) => {
        response.writeHead(308, { location: `${elsewhere.url}/mcp` }).end();
      });
      await expect(probeAuthentication(fake.url, "good", signal())).rejects.toMatchObject({
        code: "unreachable",
        message: expect.stringContaining("redirects"),
      });
      expect(elsewhere.requests).toEqual([]);
    } finally {
      await elsewhere.close();
    }
  });
});
