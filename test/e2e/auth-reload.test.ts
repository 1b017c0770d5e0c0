import { request } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startWorld } from "./sign-in/world.ts";
import type { World } from "./sign-in/world.ts";
import { restClient } from "./support/rest.ts";
import type { RestAnswer } from "./support/rest.ts";
import { echoServer } from "./support/team.ts";

// `auth` is in effect as soon as the file is saved: for the next request, and for what is open.

const staticTokens = (...tokens: readonly object[]): object => ({
  type: "token",
  options: { tokens },
});
const reader = { name: "reader", token: "the-token-of-the-reader", role: "viewer" };
const writer = { name: "writer", token: "the-token-of-the-writer", role: "editor" };

let world: World;
let saved = 0;
beforeEach(async () => {
  saved = 0;
  world = await startWorld([staticTokens(reader, writer), { type: "local" }]);
});
afterEach(() => world.stop());

/** Saves the file and waits until the gateway has read it. */
async function save(auth: unknown): Promise<void> {
  world.home.writeConfiguration({
    rateLimit: { rpm: 0 },
    mcpServers: { open: echoServer("open") },
    auth,
  });
  saved += 1;
  const read = `(?:(?:is in effect|configuration is wrong)[^]*){${saved}}`;
  await world.gateway.agent.waitFor("stderr", new RegExp(read, "u"));
}

const write = (token: string): Promise<RestAnswer> =>
  restClient(world.gateway.url, token)("POST", "/api/v1/tools/call", {
    server: "open",
    tool: "write",
    arguments: {},
  });
const statusOf = async (token: string): Promise<number> => (await write(token)).status;

/** Opens an event stream; resolves, once it is open, with a promise of its end. */
function openStream(token: string): Promise<{ ended: Promise<void> }> {
  return new Promise((resolve, reject) => {
    const headers = { accept: "text/event-stream", authorization: `Bearer ${token}` };
    const sent = request(`${world.gateway.url}/sse`, { headers }, (answer) => {
      answer.resume();
      if (answer.statusCode !== 200) reject(new Error(`status ${answer.statusCode}`));
      else resolve({ ended: new Promise((end) => void answer.once("close", end)) });
    });
    sent.once("error", reject);
    sent.end();
  });
}

test("a token that was taken out, replaced or given another role counts so at once", async () => {
  expect([await statusOf(reader.token), await statusOf(writer.token)]).toStrictEqual([403, 200]);
  await save([
    staticTokens(
      { ...reader, role: "editor" },
      { ...writer, token: "another-token-of-the-writer" },
    ),
    { type: "local" },
  ]);
  expect([
    await statusOf(reader.token),
    await statusOf(writer.token),
    await statusOf("another-token-of-the-writer"),
  ]).toStrictEqual([200, 401, 200]);
});

test("what is open by a token ends when it is taken out, and nothing else does", async () => {
  const [gone, stays] = [await openStream(writer.token), await openStream(reader.token)];
  let isOpen = true;
  void stays.ended.then(() => (isOpen = false));
  await save([staticTokens(reader), { type: "local" }]);
  await gone.ended;
  expect(await statusOf(reader.token)).toBe(403);
  expect(isOpen).toBe(true);
});

test("a type that was added lets in, one that was taken out no longer, and the ways say so", async () => {
  const secret = "a secret of more than 32 bytes, shared";
  const jwt = { type: "jwt", options: { issuer: "urn:issuer", audience: "x", secret } };
  await save([jwt]);
  const { body } = await restClient(world.gateway.url, undefined)("GET", "/auth");
  expect(body).toMatchObject({ required: true, ways: [{ type: "jwt", issuer: "urn:issuer" }] });
  expect(await statusOf(writer.token)).toBe(401);
  await world.gateway.agent.waitFor("stderr", /Who gets in: whoever shows a JWT of \S*urn:issuer/u);
  expect(world.gateway.agent.stderr).not.toContain(secret);
  await save([staticTokens(writer)]);
  expect(await statusOf(writer.token)).toBe(200);
});

test("none is not taken over while it runs, and a wrong file changes nothing", async () => {
  await save({ type: "none" });
  await world.gateway.agent.waitFor("stderr", /only after a restart: auth \(to or from \S*none/u);
  const { body } = await restClient(world.gateway.url, undefined)("GET", "/auth");
  expect(body.required).toBe(true);
  expect(await statusOf("whatever")).toBe(401);
  await save([{ type: "jwt", options: { issuer: "https://issuer.example" } }]);
  expect(world.gateway.agent.stderr).toContain("configuration is wrong");
  expect(await statusOf(writer.token)).toBe(200);
});
