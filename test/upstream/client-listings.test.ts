import { describe, expect, onTestFinished, test } from "vitest";
import type { ClientPort } from "../../src/core/client-port.ts";
import { emptyListing } from "../../src/core/mcp.ts";
import { principalKey } from "../../src/core/principal.ts";
import { createClientListings } from "../../src/upstream/client-listings.ts";
import type { CommonConnection } from "../../src/upstream/common-connection.ts";
import { createLeasedConnections } from "../../src/upstream/leased-connections.ts";
import { createSessionConnections } from "../../src/upstream/session-connections.ts";
import { ada } from "../gateway/fakes.ts";
import { fakeModernClient } from "./support/client.ts";
import { fakeServer } from "./support/fake-connection.ts";

const notHere = () => {
  throw new Error("not in this test");
};
const ignored = () => undefined;
const common: CommonConnection = {
  state: { kind: "ready", era: "legacy" },
  connection: undefined,
  era: "legacy",
  ready: notHere,
  unavailable: () => new Error("not in this test"),
  forgotten: notHere,
  used: notHere,
  setIdleTimeout: notHere,
  restart: notHere,
  close: notHere,
};

/** A request of this user in one of its projects. */
function clientOf(userId: string, project: number): ClientPort {
  const principal = { ...ada, userId };
  const caller = { principal, projectId: `p${project}` };
  return { ...fakeModernClient(principalKey(principal)), caller };
}

const clientsOf = (userId: string, count: number) =>
  Array.from({ length: count }, (_, index) => clientOf(userId, index + 1));

/** What a legacy server lists that is told who asks. */
function open() {
  const { options, count } = fakeServer((caller) => ({
    ...emptyListing,
    tools: [
      {
        name: `${caller?.principal.userId} ${caller?.projectId}`,
        inputSchema: { type: "object" },
      },
    ],
  }));
  const leases = createLeasedConnections({ ...options, onRelisted: ignored });
  const sessions = createSessionConnections({
    ...options,
    idleMs: () => 60_000,
    onListingChanged: ignored,
    onResourceUpdated: ignored,
  });
  onTestFinished(async () => {
    await leases.close();
    await sessions.close();
  });
  const listings = createClientListings({
    common,
    sessions,
    leases,
    listing: () => emptyListing,
    wantsOwn: () => true,
    isUndeclared: false,
    forwardsIdentity: true,
    onCommon: notHere,
    ourPatience: {
      signal: new AbortController().signal,
      timeoutMs: 10_000,
    },
    ownListingMs: 10_000,
    onChange: ignored,
    onFallback: notHere,
  });
  const listAll = async (clients: readonly ClientPort[]): Promise<void> => {
    for (const client of clients) {
      const { tools } = await listings.for(client);
      const { principal, projectId } = client.caller ?? {};
      expect(tools.map(({ name }) => name)).toEqual([`${principal?.userId} ${projectId}`]);
    }
  };
  const isKept = (client: ClientPort): boolean => listings.known(client) !== emptyListing;
  return { listAll, isKept, count };
}

describe("what a server listed to each caller", () => {
  test("is kept of 32 of one principal, whose own oldest goes, and nobody else's", async () => {
    const { listAll, isKept, count } = open();
    const ben = clientOf("ben", 1);
    const [first, second, ...others] = clientsOf("ada", 33);
    if (first === undefined || second === undefined) throw new Error("There are 33");
    const last = others.slice(-1);
    await listAll([ben, first, second, ...others.slice(0, -1)]);
    expect([first, second, ...others].filter(isKept)).toHaveLength(32);
    expect(isKept(first)).toBe(true);
    await listAll(last);
    expect([ben, first, second, ...others].map(isKept)).toEqual([
      true,
      false,
      true,
      ...others.map(() => true),
    ]);
    // What is kept is not asked for again; what is not takes the place of the next.
    const listedBefore = count.listed;
    await listAll([ben, second, ...others]);
    expect(count.listed).toBe(listedBefore);
    await listAll([first]);
    expect([ben, first, second].map(isKept)).toEqual([true, true, false]);
  });

  test("is kept of 256 in all, of which the oldest goes", async () => {
    const { listAll, isKept } = open();
    const users = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const clients = users.flatMap((userId) => clientsOf(userId, 32));
    await listAll(clients);
    expect(clients.filter(isKept)).toHaveLength(256);
    const [late, later] = [clientOf("ivy", 1), clientOf("ivy", 2)];
    await listAll([late]);
    expect([...clients, late].filter((client) => !isKept(client))).toEqual(clients.slice(0, 1));
    await listAll([later]);
    expect([...clients, late, later].filter((client) => !isKept(client))).toEqual(
      clients.slice(0, 2),
    );
  });
});
