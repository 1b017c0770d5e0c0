import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isJsonObject } from "../../src/core/json.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { proofOf } from "../../src/runtime/local-proof.ts";
import { mintLocalToken } from "../../src/runtime/mint-local-token.ts";
import { fakeUpstream, gatewayOf } from "../gateway/fakes.ts";
import { organizations } from "./organizations.ts";
import { ask, startTestServer } from "./support.ts";

const nonce = randomBytes(32).toString("base64url");
const world = await organizations();
const { door, secret } = world;

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

async function proven(url: string): Promise<Record<string, string>> {
  const signal = AbortSignal.timeout(10_000);
  const { token } = await mintLocalToken(record(url), signal, "administration");
  return { authorization: `Bearer ${token}` };
}

describe("POST /auth/cli-token for administration", () => {
  it("gives a token that is good for administration and audit, and nowhere else", async () => {
    const headers = await proven(server.urls[0] ?? "");
    for (const path of ["/api/v1/admin/users", "/api/v1/admin/history", "/api/v1/audit"]) {
      expect([path, (await ask(server.port, path, { headers })).status]).toEqual([path, 200]);
    }
    const added = await ask(server.port, "/api/v1/admin/users", { headers, body: { id: "new" } });
    expect(added.status).toBe(201);
    expect((await ask(server.port, "/api/v1/admin/nothing", { headers })).status).toBe(404);
    expect((await ask(server.port, "/api/v1/admin/purge", { headers })).status).toBe(405);
    const others = [
      "/servers",
      "/metrics",
      "/api/v1/inspect",
      "/mcp",
      "/sse",
      "/auth/status",
      "/x",
    ];
    for (const path of [...others, "/api/v1/administration", "/api/v1/auditing"]) {
      expect([path, (await ask(server.port, path, { headers })).status]).toEqual([path, 401]);
    }
    const call = { server: "one", tool: "echo", arguments: { message: "hi" } };
    expect((await ask(server.port, "/api/v1/tools/call", { headers, body: call })).status).toBe(
      401,
    );
    const token = headers["authorization"]?.slice("Bearer ".length) ?? "";
    expect((await ask(server.port, `/api/v1/audit?token=${token}`)).status).toBe(401);
  });

  it("leaves no row, and what is done with it is the owner's", async () => {
    const before = world.directory.tokens().length;
    const headers = await proven(server.urls[0] ?? "");
    expect(world.directory.tokens()).toHaveLength(before);
    await ask(server.port, "/api/v1/admin/users", { headers, body: { id: "by-proof" } });
    const history = await ask(server.port, "/api/v1/admin/history?limit=1", { headers });
    expect(history.json).toMatchObject({
      changes: [{ actor: "user", user_id: "root", entity: "user", entity_id: "by-proof" }],
    });
  });

  it("is given whatever auth says", async () => {
    const { gateway } = gatewayOf([fakeUpstream("one")], { door });
    const off = await startTestServer({
      ...world,
      gateway,
      configuration: { auth: [{ type: "token", tokens: [] }] },
    });
    const headers = await proven(off.urls[0] ?? "");
    expect((await ask(off.port, "/api/v1/admin/users", { headers })).status).toBe(200);
    await off.close(0);
  });

  it.each<[string, Record<string, string>]>([
    ["Origin", { origin: "http://localhost:3000" }],
    ["Sec-Fetch-Site", { "sec-fetch-site": "none" }],
    ["X-Forwarded-For", { "x-forwarded-for": "127.0.0.1" }],
  ])("refuses who sends %s", async (_name, headers) => {
    const body = { clientNonce: nonce, purpose: "administration" };
    expect((await ask(server.port, "/auth/cli-token", { body, headers })).status).toBe(403);
  });

  it("takes no proof that was made for everything, nor the other way round", async () => {
    const clientNonce = nonce;
    const redeem = async (role: "client" | "administrator", purpose: object): Promise<number> => {
      const challenge = await ask(server.port, "/auth/cli-token", { body: { clientNonce } });
      const { serverNonce } = {
        serverNonce: "",
        ...(isJsonObject(challenge.json) ? challenge.json : {}),
      };
      const claims = { clientNonce, serverNonce, instanceId: "instance-1" };
      const address = `127.0.0.1:${server.port}`;
      const proof = proofOf(secret, { role, ...claims, address });
      const body = { clientNonce, serverNonce, proof, ...purpose };
      return (await ask(server.port, "/auth/cli-token", { body })).status;
    };
    const administration = { purpose: "administration" };
    expect(await redeem("client", administration)).toBe(403);
    expect(await redeem("administrator", {})).toBe(403);
    expect(await redeem("client", {})).toBe(200);
    expect(await redeem("administrator", administration)).toBe(200);
  });
});
