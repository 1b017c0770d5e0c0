import { request, type IncomingMessage } from "node:http";
import { expect, it } from "vitest";
import { createDoor } from "../../src/auth/door.ts";
import { createLocalAuthenticator } from "../../src/auth/local-authenticator.ts";
import { createStaticTokenAuthenticator } from "../../src/auth/static-token-authenticator.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { fakeUpstream, gatewayOf } from "../gateway/fakes.ts";
import { administrationOverMemory, owner } from "./organizations.ts";
import { ask, startTestServer } from "./support.ts";

const accept = "application/json, text/event-stream";
const modernMeta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};
const rpc = (method: string, params: JsonObject = {}): JsonObject => ({
  jsonrpc: "2.0",
  id: 1,
  method,
  params,
});

/** A gateway with a call that runs until it is finished, and everything a token can hold open. */
async function start() {
  const { directory, administration, mint } = await administrationOverMemory();
  const door = createDoor(
    [
      createLocalAuthenticator({ directory, now: Date.now }),
      createStaticTokenAuthenticator(
        [{ name: "ci", token: "ci-token", role: "editor", organizationId: "acme" }],
        directory,
      ),
    ],
    Date.now,
  );
  const one = fakeUpstream("one");
  let finish: (() => void) | undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  one.answer = async () => {
    await finished;
    return { content: [{ type: "text", text: "the end" }] };
  };
  const server = await startTestServer({
    gateway: gatewayOf([one], { door }).gateway,
    mint,
    standing: directory,
  });

  const { port } = server;
  /** Resolves with the head. */
  const open = (
    token: string,
    path: string,
    headers: Record<string, string> = {},
    body?: JsonObject,
  ): Promise<{ readonly text: string; closed: Promise<void>; isOver: () => boolean }> =>
    new Promise((resolve, reject) => {
      const outgoing = request({
        host: "127.0.0.1",
        port,
        path,
        method: body === undefined ? "GET" : "POST",
        headers: {
          authorization: `Bearer ${token}`,
          accept,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        agent: false,
      });
      outgoing.on("error", reject);
      outgoing.on("response", (incoming: IncomingMessage) => {
        let text = "";
        let over = false;
        incoming.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        const closed = new Promise<void>((done) => {
          incoming.once("close", () => {
            over = true;
            done();
          });
        });
        resolve({
          get text() {
            return text;
          },
          closed,
          isOver: () => over,
        });
      });
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });

  const holdOpen = async (token: string) => {
    const begin = { protocolVersion: "2025-11-25", capabilities: {} };
    const initialized = await ask(port, "/mcp", {
      headers: { authorization: `Bearer ${token}`, accept },
      body: rpc("initialize", begin),
    });
    const session = { "mcp-session-id": String(initialized.headers["mcp-session-id"]) };
    const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen" };
    const filter = { notifications: { toolsListChanged: true }, _meta: modernMeta };
    const streams = [
      await open(token, "/mcp", session),
      await open(token, "/sse"),
      await open(token, "/mcp", headers, rpc("subscriptions/listen", filter)),
    ];
    const call = rpc("tools/call", { name: "one__echo", arguments: { message: "hi" } });
    return { session, streams, answer: open(token, "/mcp", session, call) };
  };
  return { server, administration, mint, one, holdOpen, finish: () => finish?.() };
}

it.each(["by its bearer", "by an administrator"])(
  "taken back %s ends what it holds open and nothing else; a call that runs is answered",
  async (how) => {
    const { server, administration, mint, one, holdOpen, finish } = await start();
    const { port } = server;
    const [revoked, other] = [await mint.mintCliToken("ada"), await mint.mintCliToken("ada")];
    const held = await holdOpen(revoked.token);
    const kept = await holdOpen(other.token);
    await expect.poll(() => one.requests).toHaveLength(2);
    const headers = { authorization: `Bearer ${revoked.token}` };
    const logout = (): Promise<unknown> => ask(port, "/auth/logout", { method: "POST", headers });
    const revoke = (): Promise<unknown> => administration.tokens.revoke(owner, revoked.tokenId);
    await (how === "by its bearer" ? logout() : revoke());
    await Promise.all(held.streams.map(({ closed }) => closed));
    expect(held.streams[2]?.text).toContain('"resultType":"complete"');
    expect(kept.streams.map(({ isOver }) => isOver())).toEqual([false, false, false]);
    finish();
    const answer = await held.answer;
    await answer.closed;
    expect(answer.text).toContain("the end");
    const again = await ask(port, "/mcp", { headers: { ...headers, ...held.session } });
    expect(again.status).toBe(401);
    // What was begun with it is over for the other tokens of its user too.
    const others = { authorization: `Bearer ${other.token}`, accept };
    const statusIn = async (session: Record<string, string>): Promise<number> => {
      const headersOf = { ...others, ...session };
      return (await ask(port, "/mcp", { headers: headersOf, body: rpc("ping") })).status;
    };
    expect(await statusIn(held.session)).toBe(404);
    expect(await statusIn(kept.session)).toBe(200);
    await server.close(0);
  },
);

/** Ada of acme, with a token of hers, and the token of the configuration for acme. */
async function startAcme() {
  const bench = await start();
  const { organizations, users, members, tokens } = bench.administration;
  const [organizationId, userId] = ["acme", "ada"];
  await organizations.add(owner, { id: organizationId, name: "Acme" });
  await users.add(owner, { id: userId, name: "Ada" });
  await members.set(owner, { organizationId, userId, role: "editor" });
  return { ...bench, ada: await tokens.create(owner, { name: "x", organizationId, userId }) };
}

it("streams end for whoever loses the organisation, or the secret they were opened with", async () => {
  const { server, administration, one, ada, holdOpen, finish } = await startAcme();
  const mine = await holdOpen(ada.token);
  const ci = await holdOpen("ci-token");
  const fresh = await administration.tokens.rotate(owner, ada.details.id);
  await Promise.all(mine.streams.map(({ closed }) => closed));
  expect(ci.streams.map(({ isOver }) => isOver())).toEqual([false, false, false]);
  const again = await holdOpen(fresh.token);
  await expect.poll(() => one.requests).toHaveLength(3);
  await administration.organizations.remove(owner, "acme");
  await Promise.all([...ci.streams, ...again.streams].map(({ closed }) => closed));
  finish();
  for (const held of [mine, ci, again]) await (await held.answer).closed;
  await server.close(0);
});

it("of who gets another role, what listens comes again with it; the old transport's one stream stays", async () => {
  const { server, administration, one, ada, holdOpen, finish } = await startAcme();
  const { streams, answer } = await holdOpen(ada.token);
  await expect.poll(() => one.requests).toHaveLength(1);
  const [messages, sse, listening] = streams;
  const member = { organizationId: "acme", userId: "ada" };
  await administration.members.set(owner, { ...member, role: "viewer" });
  await Promise.all([messages?.closed, listening?.closed]);
  expect(listening?.text).toContain('"resultType":"complete"');
  expect(sse?.isOver()).toBe(false);
  finish();
  await (
    await answer
  ).closed;
  await server.close(0);
});
