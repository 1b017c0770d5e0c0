import { describe, expect, it } from "vitest";
import type { ClientPort } from "../../src/core/client-port.ts";
import { isJsonObject } from "../../src/core/json.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { deferred, echo, exchange, openSession, startEndpoint } from "./endpoint.ts";
import type { Running, WireAnswer } from "./endpoint.ts";

// What an upstream asks a legacy client, and whose answers count.

const everything = { sampling: {}, elicitation: {}, roots: { listChanged: true } };
const never = new AbortController().signal;

/** Has the next call ask its client, and returns what the client answered as its own result. */
function askInCall({ gateway }: Running, method: string, params: JsonObject = {}): void {
  gateway.call = async ({ signal }, { client }) => ({
    asked: await client.request(method, params, signal),
  });
}

/** The port of a call that is going on until the returned function is called. */
async function runningCall(
  running: Running,
  session: Awaited<ReturnType<typeof openSession>>,
): Promise<{ client: ClientPort; finish: () => void; answer: Promise<WireAnswer> }> {
  const begun = deferred<ClientPort>();
  const finish = deferred();
  running.gateway.call = async (_call, { client }) => {
    begun.resolve(client);
    await finish.promise;
    return { content: [] };
  };
  const answer = session.post(echo());
  return { client: await begun.promise, finish: () => finish.resolve(), answer };
}

describe("a question", () => {
  it.each([
    ["sampling/createMessage", { messages: [], "x-own": null }],
    ["elicitation/create", { message: "?", requestedSchema: {} }],
    ["roots/list", {}],
    ["vendor/unheard-of", { deep: [[1]] }],
  ])(
    "%s goes out on the call's own stream, and its answer comes back whole",
    async (method, params) => {
      const running = await startEndpoint();
      const session = await openSession(running.port, everything);
      const common = await session.openGet();
      askInCall(running, method, params);
      const answer = await session.openPost(echo());
      expect(answer.headers["content-type"]).toBe("text/event-stream");
      const question = await answer.nextMessage();
      expect(question).toEqual({ jsonrpc: "2.0", id: question["id"], method, params });
      const result = { role: "assistant", "x-unknown": { deep: [null] }, _meta: { a: 1 } };
      const reply = { jsonrpc: "2.0", id: question["id"] ?? null, result };
      expect((await session.post(reply)).status).toBe(202);
      expect(await answer.nextMessage()).toEqual({
        jsonrpc: "2.0",
        id: 1,
        result: { asked: result },
      });
      expect(common.text).not.toContain(method);
    },
  );

  it("goes out without the server's own progress token", async () => {
    const running = await startEndpoint();
    const session = await openSession(running.port, everything);
    askInCall(running, "sampling/createMessage", { _meta: { progressToken: 0, "vendor/a": 1 } });
    const answer = await session.openPost(echo());
    const { params } = await answer.nextMessage();
    expect(params).toEqual({ _meta: { "vendor/a": 1 } });
  });

  it("that the client refuses fails with its error", async () => {
    const running = await startEndpoint();
    const session = await openSession(running.port, everything);
    askInCall(running, "sampling/createMessage");
    const answer = await session.openPost(echo());
    const { id = null } = await answer.nextMessage();
    const error = { code: -1, message: "The person said no", data: { why: [1] } };
    await session.post({ jsonrpc: "2.0", id, error });
    expect(await answer.nextMessage()).toEqual({ jsonrpc: "2.0", id: 1, error });
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["sampling/createMessage", {}, { roots: {}, elicitation: {} }],
    ["elicitation/create", {}, { sampling: {} }],
    ["elicitation/create", { mode: "url" }, { elicitation: {} }],
    ["elicitation/create", {}, { elicitation: { url: {} } }],
    ["roots/list", {}, {}],
    ["vendor/unheard-of", {}, {}],
    ["tasks/get", {}, { sampling: {}, tasks: {} }],
  ])("%s %j is not put to a client that declared %j", async (method, params, capabilities) => {
    const running = await startEndpoint();
    const session = await openSession(running.port, capabilities);
    askInCall(running, method, params);
    const { last, headers } = await session.post(echo());
    expect(last).toMatchObject({ id: 1, error: { code: -32601 } });
    expect(headers["content-type"]).toBe("application/json");
    expect(running.gateway.calls[0]?.caller.client.capabilities).not.toHaveProperty("tasks");
  });

  it("is answered by its own session only, whoever guesses its id", async () => {
    const running = await startEndpoint();
    const session = await openSession(running.port, everything);
    const others = [
      await openSession(running.port, everything),
      await openSession(running.port, everything, { token: "bob-token" }),
    ];
    askInCall(running, "roots/list");
    const answer = await session.openPost(echo());
    const { id = null } = await answer.nextMessage();
    const forged = { jsonrpc: "2.0", id, result: { roots: [{ uri: "file:///evil" }] } };
    for (const other of others) expect((await other.post(forged)).status).toBe(202);
    const foreign = { ...session.headers, authorization: "Bearer bob-token" };
    expect((await exchange(running.port, { headers: foreign, body: forged })).status).toBe(404);
    // Of one id only the type that was sent counts, and only the first answer.
    await session.post({ ...forged, id: JSON.stringify(id) });
    await session.post({ jsonrpc: "2.0", id, result: { roots: [] } });
    await session.post(forged);
    expect(await answer.nextMessage()).toMatchObject({ result: { asked: { roots: [] } } });
  });

  it("is taken back when the call it belongs to is cancelled", async () => {
    const running = await startEndpoint();
    const session = await openSession(running.port, everything);
    askInCall(running, "elicitation/create", { message: "?" });
    const answer = await session.openPost(echo({}, "mine"));
    const { id = null } = await answer.nextMessage();
    const params = { requestId: "mine" };
    await session.post({ jsonrpc: "2.0", method: "notifications/cancelled", params });
    expect(await answer.nextMessage()).toMatchObject({
      method: "notifications/cancelled",
      params: { requestId: id },
    });
    await answer.ended;
    expect(answer.text).not.toContain('"mine"');
    // An answer that comes all the same is nobody's.
    expect((await session.post({ jsonrpc: "2.0", id, result: {} })).status).toBe(202);
  });
});

describe("a question outside of any request", () => {
  it("goes out on the GET stream", async () => {
    const running = await startEndpoint();
    const session = await openSession(running.port, everything);
    const common = await session.openGet();
    const { client, finish, answer } = await runningCall(running, session);
    const asked = client.session?.request("roots/list", { a: 1 }, never);
    const question = await common.nextMessage();
    expect(question).toMatchObject({ method: "roots/list", params: { a: 1 } });
    await session.post({ jsonrpc: "2.0", id: question["id"] ?? null, result: { roots: [] } });
    expect(await asked).toEqual({ roots: [] });
    finish();
    expect(await answer).toMatchObject({ headers: { "content-type": "application/json" } });
  });

  it("goes out on a call's stream when there is no GET stream", async () => {
    const running = await startEndpoint();
    const session = await openSession(running.port, everything);
    const { client, finish, answer } = await runningCall(running, session);
    const asked = client.session?.request("roots/list", {}, never);
    finish();
    const { messages } = await answer;
    expect(messages).toMatchObject([{ method: "roots/list" }, { id: 1, result: {} }]);
    const [question] = messages;
    const id = isJsonObject(question) ? (question["id"] ?? null) : null;
    await session.post({ jsonrpc: "2.0", id, result: { roots: [] } });
    expect(await asked).toEqual({ roots: [] });
  });

  it("waits for a stream when there is none, and fails with the session", async () => {
    const running = await startEndpoint();
    const session = await openSession(running.port, everything);
    await session.post(echo());
    const { client } = running.gateway.calls[0]?.caller ?? {};
    const asked = client?.session?.request("roots/list", {}, never);
    const common = await session.openGet();
    const { id = null } = await common.nextMessage();
    await session.post({ jsonrpc: "2.0", id, result: { roots: [1] } });
    expect(await asked).toEqual({ roots: [1] });

    const refused = client?.session?.request("roots/list", {}, never).catch((error) => error);
    await exchange(running.port, { method: "DELETE", headers: session.headers });
    expect(await refused).toMatchObject({ code: "unreachable" });
    expect(client?.session?.ended.aborted).toBe(true);
    await expect(client?.session?.request("roots/list", {}, never)).rejects.toMatchObject({
      code: -32601,
    });
  });

  it("waits for the next call where there is no GET stream", async () => {
    const running = await startEndpoint();
    const session = await openSession(running.port, everything);
    await session.post(echo());
    const { client } = running.gateway.calls[0]?.caller ?? {};
    const asked = client?.session?.request("roots/list", {}, never);
    const { finish, answer } = await runningCall(running, session);
    finish();
    const [question] = (await answer).messages;
    const id = isJsonObject(question) ? (question["id"] ?? null) : null;
    await session.post({ jsonrpc: "2.0", id, result: { roots: [] } });
    expect(await asked).toEqual({ roots: [] });
  });

  it("is one of a bounded number", async () => {
    const running = await startEndpoint();
    const session = await openSession(running.port, everything);
    await session.post(echo());
    const { client } = running.gateway.calls[0]?.caller ?? {};
    const stop = new AbortController();
    const many = Array.from({ length: 64 }, async () =>
      client?.session?.request("roots/list", {}, stop.signal).catch(() => undefined),
    );
    await expect(client?.session?.request("roots/list", {}, never)).rejects.toMatchObject({
      code: -32603,
    });
    stop.abort();
    await Promise.all(many);
  });
});

it("roots/list_changed is told to the gateway for this session", async () => {
  const { port, gateway } = await startEndpoint();
  const session = await openSession(port, everything);
  await session.post({ jsonrpc: "2.0", method: "notifications/roots/list_changed" });
  expect(gateway.told).toEqual([`roots-changed ${session.id}`]);
});
