import { randomUUID } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { createDoor } from "../../src/auth/door.ts";
import { createIdentityTokens } from "../../src/auth/identity-tokens.ts";
import { createLocalAuthenticator } from "../../src/auth/local-authenticator.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { createDeferred } from "../../src/upstream/deferred.ts";
import { createUpstreamPool } from "../../src/upstream/upstream-pool.ts";
import { gatewayOver, silentLogger } from "../gateway/fakes.ts";
import { httpServer } from "../upstream/support/pool.ts";
import { openVerifyingUpstream } from "../upstream/support/verifying-upstream.ts";
import { administrationOverMemory, owner } from "./organizations.ts";
import { ask, startTestServer } from "./support.ts";
import type { Answer } from "./support.ts";

// What a session of the legacy era is once its member has a lesser role: for who sent nothing since, too.

const member = { organizationId: "acme", userId: "ada" };

/** Ada, editor of acme, before a server that is told who asks; `run` changes things there, its other tools do not. */
async function start() {
  const { directory, administration } = await administrationOverMemory();
  const { organizations, users, members, tokens } = administration;
  await organizations.add(owner, { id: "acme", name: "Acme" });
  await users.add(owner, { id: "ada", name: "Ada" });
  await members.set(owner, { ...member, role: "editor" });
  const { token } = await tokens.create(owner, { name: "x", ...member });
  const issuer = createDeferred<string>();
  const upstream = await openVerifyingUpstream("legacy", () => url);
  const identityTokens = createIdentityTokens({
    issuer: issuer.promise,
    now: Date.now,
    newId: randomUUID,
    // They find out by themselves what a caller holds now: here they say what the session takes it for.
    standing: { renew: (principal) => principal },
  });
  const web = {
    ...httpServer("web", upstream.url),
    forwardIdentity: true,
    access: { read: ["of-ada-none"], write: ["run"], organizations: [], trustHints: false },
  };
  const pool = createUpstreamPool({
    servers: new Map([["web", web]]),
    logger: silentLogger,
    now: Date.now,
    version: "0.0.0",
    identify: (serverUrl, caller) => identityTokens.tokenFor(serverUrl, caller),
  });
  const door = createDoor([createLocalAuthenticator({ directory, now: Date.now })], Date.now);
  const { gateway } = gatewayOver(pool, [web], { door, startWindowMs: 25_000, now: Date.now });
  const server = await startTestServer({ gateway, identityTokens, standing: directory });
  const [url = ""] = server.urls;
  issuer.resolve(url);
  onTestFinished(async () => {
    await server.close(0);
    await pool.close();
  });
  await gateway.started;

  const post = (message: JsonObject, session: Record<string, string> = {}): Promise<Answer> =>
    ask(server.port, "/mcp", {
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json, text/event-stream",
        ...session,
      },
      body: { jsonrpc: "2.0", ...message },
    });
  const params = { protocolVersion: "2025-11-25", capabilities: { elicitation: {} } };
  const opened = await post({ id: 1, method: "initialize", params });
  const session = { "mcp-session-id": String(opened.headers["mcp-session-id"]) };
  await post({ method: "notifications/initialized" }, session);
  const call = (tool: string): Promise<Answer> =>
    post({ id: 2, method: "tools/call", params: { name: `web__${tool}`, arguments: {} } }, session);
  expect((await call("run")).text).toContain('"result"');
  return {
    upstream,
    call,
    lower: () => members.set(owner, { ...member, role: "viewer" }),
    end: () =>
      ask(server.port, "/mcp", {
        method: "DELETE",
        headers: { authorization: `Bearer ${token}`, ...session },
      }),
  };
}

test("its next call that changes things is refused, and one that reads says the lesser role", async () => {
  const { upstream, call, lower } = await start();
  await lower();
  const refused = await call("run");
  expect(refused.text).toContain('"code":"forbidden"');
  expect(refused.text).toContain("yours in acme is viewer");
  expect((await call("of-ada-none")).text).toContain('"result"');
  const calls = upstream.of("tools/call");
  expect(calls.map(({ claims }) => claims["role"])).toEqual(["editor", "viewer"]);
  expect(upstream.refused).toEqual([]);
});

test("what it says to a server by itself says the lesser role, though its client sent nothing since", async () => {
  const { upstream, lower, end } = await start();
  await lower();
  expect((await end()).status).toBe(204);
  await expect.poll(() => upstream.of("DELETE")).toHaveLength(1);
  const [{ claims } = { claims: {} }] = upstream.of("DELETE");
  expect(claims).toMatchObject({ sub: "ada", org_id: "acme", role: "viewer" });
  expect(upstream.refused).toEqual([]);
});
