import { describe, expect, onTestFinished, test } from "vitest";
import { callerKey } from "../../src/core/client-port.ts";
import type { Caller, ClientSession } from "../../src/core/client-port.ts";
import { emptyListing } from "../../src/core/mcp.ts";
import type { Listing } from "../../src/core/mcp.ts";
import { createSessionConnections } from "../../src/upstream/session-connections.ts";
import { ada } from "../gateway/fakes.ts";
import { fakeSession } from "./support/client.ts";
import { fakeServer } from "./support/fake-connection.ts";

const first: Caller = { principal: ada, projectId: "p1" };
const changed: [string, Caller][] = [
  ["role", { ...first, principal: { ...ada, role: "viewer" } }],
  ["name", { ...first, principal: { ...ada, displayName: "Ada L." } }],
  ["email", { ...first, principal: { ...ada, email: "ada@example.com" } }],
  ["project", { ...first, projectId: "p2" }],
];

/** What is listed to this caller: one tool that is called as the caller is. */
const listed = (caller: Caller | undefined): Listing => ({
  ...emptyListing,
  tools: [{ name: caller === undefined ? "" : callerKey(caller), inputSchema: { type: "object" } }],
});

/** A session that was listed what its first caller is. */
async function open(forwardsIdentity = true) {
  const { options, count, relist } = fakeServer(listed);
  const told: ClientSession[] = [];
  const sessions = createSessionConnections({
    ...options,
    forwardsIdentity,
    idleMs: () => 60_000,
    onListingChanged: (session) => void told.push(session),
    onResourceUpdated: () => undefined,
  });
  onTestFinished(() => sessions.close());
  const session = Object.assign(fakeSession("anna"), { caller: first });
  expect(await sessions.listing(session, "anna")).toEqual(listed(first));
  expect(sessions.knownListing(session)).toEqual(listed(first));
  return { sessions, session, count, told, relist };
}

describe("a session's own connection", () => {
  test.each(changed)(
    "lists again, once, when another %s of the caller is told the server",
    async (_, other) => {
      const { sessions, session, count, told } = await open();
      session.caller = other;
      expect(sessions.knownListing(session)).toBeUndefined();
      expect(await sessions.listing(session, "anna")).toEqual(listed(other));
      expect(sessions.knownListing(session)).toEqual(listed(other));
      expect(await sessions.listing(session, "anna")).toEqual(listed(other));
      expect(count).toEqual({ opened: 1, listed: 2 });
      expect(told).toEqual([session]);
    },
  );

  test("lists again for the first caller what was listed anew while it was another's", async () => {
    const { sessions, session, relist } = await open();
    for (const [, other] of changed) {
      session.caller = other;
      await relist();
      session.caller = first;
      expect(sessions.knownListing(session)).toBeUndefined();
      expect(await sessions.listing(session, "anna")).toEqual(listed(first));
    }
  });

  test("keeps what was listed anew while it was the same caller's", async () => {
    const { sessions, session, count, relist } = await open();
    await relist();
    expect(sessions.knownListing(session)).toEqual(listed(first));
    await sessions.listing(session, "anna");
    expect(count.listed).toBe(2);
  });

  test("lists nothing again for the same caller in another object", async () => {
    const { sessions, session, count } = await open();
    session.caller = { ...first, principal: { ...ada } };
    expect(sessions.knownListing(session)).toEqual(listed(first));
    await sessions.listing(session, "anna");
    expect(count.listed).toBe(1);
  });

  test("lists nothing again where the server is told nobody", async () => {
    const { sessions, session, count } = await open(false);
    for (const [, other] of changed) {
      session.caller = other;
      expect(sessions.knownListing(session)).toEqual(listed(first));
      await sessions.listing(session, "anna");
    }
    expect(count.listed).toBe(1);
  });
});
