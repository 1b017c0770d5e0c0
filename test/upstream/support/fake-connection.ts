import type { Caller } from "../../../src/core/client-port.ts";
import { emptyListing } from "../../../src/core/mcp.ts";
import type { Listing } from "../../../src/core/mcp.ts";
import { createConnectionBudget } from "../../../src/upstream/connection-budget.ts";
import type { OwnConnectionsOptions } from "../../../src/upstream/own-connections.ts";
import type { ServerConnection } from "../../../src/upstream/server-connection.ts";
import { defaultTimings } from "../../../src/upstream/timings.ts";

const nothing = (): Promise<never> => Promise.reject(new Error("not in this test"));

/** A legacy connection that lists, and keeps what it listed, as a real one does; nothing else comes of it. */
function fakeConnection(list: () => Listing): ServerConnection {
  let listing: Listing | undefined;
  return {
    era: "legacy",
    serverInfo: {},
    capabilities: {},
    instructions: undefined,
    inFlight: 0,
    openQuestions: 0,
    lost: new Promise(() => undefined),
    get listing() {
      return listing ?? emptyListing;
    },
    problems: [],
    async list(again = false) {
      if (again || listing === undefined) listing = list();
      return listing;
    },
    listAs: nothing,
    request: nothing,
    ask: nothing,
    notify: () => undefined,
    listening: Promise.resolve(),
    watchResources: nothing,
    setLogLevel: () => Promise.resolve(),
    close: () => Promise.resolve(),
    retire: () => Promise.resolve(),
  };
}

/** What a server is that is told who asks, and lists each caller what `listTo` says. */
export function fakeServer(listTo: (caller: Caller | undefined) => Listing): {
  options: OwnConnectionsOptions;
  /** How often a connection was opened, and how often something was listed on one. */
  count: { opened: number; listed: number };
  /** The server says that its lists have changed: they are listed again on the connection opened last. */
  relist: () => Promise<void>;
} {
  const count = { opened: 0, listed: 0 };
  let relist: (() => Promise<void>) | undefined;
  const options: OwnConnectionsOptions = {
    name: "one",
    forwardsIdentity: true,
    async open({ whose, onRelisted }) {
      count.opened++;
      const connection = fakeConnection(() => {
        count.listed++;
        return listTo(whose?.());
      });
      relist = async () => {
        await connection.list(true);
        onRelisted(true);
      };
      return connection;
    },
    admitted: () => Promise.resolve(),
    budget: createConnectionBudget({ most: 1_000, mostOfOneOwner: 1_000 }),
    makeRoom: () => false,
    timings: defaultTimings,
    onProblem: () => undefined,
    onUse: () => undefined,
  };
  return { options, count, relist: async () => relist?.() };
}
