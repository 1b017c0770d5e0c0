import { expect, it } from "vitest";
import type { StandingOf } from "../../src/mcp/mcp-endpoint.ts";
import { deferred, exchange, initializeMessage, rpc, startEndpoint } from "./endpoint.ts";

// What becomes of a session when who there is has changed.

const known: Record<string, StandingOf> = {
  good: (principal) => Promise.resolve({ kind: "good", principal: { ...principal } }),
  expired: () => Promise.resolve({ kind: "expired" }),
  over: () => Promise.resolve({ kind: "over" }),
};

async function start(standingOf: StandingOf) {
  const running = await startEndpoint({ standingOf });
  const begun = await exchange(running.port, { body: initializeMessage() });
  const headers = { "mcp-session-id": String(begun.headers["mcp-session-id"]) };
  return { ...running, headers };
}

it.each<[string, number, number]>([
  ["good", 1, 200],
  ["expired", 1, 200],
  ["over", 0, 404],
])("whose credential is %s then", async (kind, count, status) => {
  const standingOf = known[kind];
  if (standingOf === undefined) throw new Error("It is known");
  const { endpoint, port, headers } = await start(standingOf);
  endpoint.standingsChanged();
  const answer = await exchange(port, { headers, body: rpc("ping") });
  expect([answer.status, endpoint.sessionCount]).toEqual([status, count]);
});

it("goes on for a client that showed another token meanwhile", async () => {
  const answered = deferred();
  const asked: unknown[] = [];
  const { endpoint, port, headers } = await start(async (principal) => {
    asked.push(principal);
    const isFirst = asked.length === 1;
    if (isFirst) await answered.promise;
    return isFirst ? { kind: "over" } : { kind: "good", principal };
  });
  endpoint.standingsChanged();
  expect((await exchange(port, { headers, body: rpc("ping") })).status).toBe(200);
  answered.resolve();
  await expect.poll(() => asked).toHaveLength(2);
  expect((await exchange(port, { headers, body: rpc("ping") })).status).toBe(200);
});

async function beginCall({ gateway, port, headers }: Awaited<ReturnType<typeof start>>) {
  const finish = deferred();
  const begun = deferred();
  gateway.call = async () => {
    begun.resolve();
    await finish.promise;
    return { content: [{ type: "text", text: "the end" }] };
  };
  const call = rpc("tools/call", { name: "one__echo", arguments: {} });
  const answer = exchange(port, { headers, body: call });
  await begun.promise;
  return { answer, finish };
}

it("goes on when who was out is in again before its call is answered", async () => {
  let isOver = true;
  const running = await start((principal) =>
    Promise.resolve(isOver ? { kind: "over" } : { kind: "good", principal }),
  );
  const { endpoint, port, headers } = running;
  const { answer, finish } = await beginCall(running);
  endpoint.standingsChanged();
  await new Promise((resolve) => setImmediate(resolve));
  isOver = false;
  endpoint.standingsChanged();
  await new Promise((resolve) => setImmediate(resolve));
  finish.resolve();
  expect((await answer).text).toContain("the end");
  expect((await exchange(port, { headers, body: rpc("ping") })).status).toBe(200);
});

it("is ended once the call that runs is answered", async () => {
  const running = await start(() => Promise.resolve({ kind: "over" }));
  const { endpoint, port } = running;
  const { answer, finish } = await beginCall(running);
  endpoint.standingsChanged();
  expect((await exchange(port, { body: initializeMessage() })).status).toBe(200);
  expect(endpoint.sessionCount).toBe(2);
  finish.resolve();
  expect((await answer).text).toContain("the end");
  await expect.poll(() => endpoint.sessionCount).toBe(1);
});
