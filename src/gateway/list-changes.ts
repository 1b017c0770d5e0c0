import type { Catalog } from "../core/catalog.ts";
import { canBeAsked } from "../core/client-port.ts";
import type { ClientPort, ClientSession } from "../core/client-port.ts";
import type { ListKind } from "../core/mcp.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { Principal } from "../core/principal.ts";
import type { Selection } from "../core/selection.ts";
import { sameEntries } from "../core/same-json.ts";
import type { UpstreamPool } from "../upstream/upstream.ts";
import type { CallerContext, ListsChanged } from "./gateway.ts";
import type { LiveCatalog } from "./live-catalog.ts";

/**
 * Tells when what clients were listed is no longer so, each of what it can see; servers that come and go
 * together are told of once. A reload of the configuration is a change like others.
 */
export interface ListChanges {
  /** @param caller asked at each change for who it is by then */
  onChanged(caller: Listening, listener: ListsChanged): () => void;
  /** What a client was listed: changes for its session alone are measured against this. */
  listed(caller: Listening & Pick<CallerContext, "client">, catalog: Catalog): void;
  /** Something else of what servers list may be offered. */
  offersChanged(): void;
  close(): void;
}

type Listening = Pick<CallerContext, "principal" | "selection">;

interface Listener {
  caller: Listening;
  tell: ListsChanged;
  /** The common catalog as it was when it last heard of it: who comes later has nothing to unlearn. */
  seen: Catalog;
}

interface Told {
  owner: string;
  principal: Principal;
  selection: Selection | undefined;
  /** Not all of the catalog: there may be a thousand sessions, each with a choice of its own. */
  listings: Catalog["listings"];
  /** Whether its servers list something else to it than to everybody. */
  isOwn: boolean;
}

/** Long enough for a server's lists to come in one after the other; milliseconds. */
const settleMs = 100;
const kinds: readonly ListKind[] = ["tools", "prompts", "resources", "resourceTemplates"];

export function createListChanges(options: {
  pool: UpstreamPool;
  catalog: LiveCatalog;
  /** The configuration as it is now: another object after a reload. */
  configured: () => object;
  /** Called with the common catalog of all servers when it has changed. */
  onEverything: (catalog: Catalog) => void;
}): ListChanges {
  const { pool, catalog, configured, onEverything } = options;
  const listeners = new Set<Listener>();
  const told = new Map<ClientSession, Told>();
  const changedSessions = new Set<ClientSession>();
  const ofEverything = (): Catalog => catalog.seenBy(systemPrincipal).common();
  let everything = ofEverything();
  let configuration = configured();
  let areOffersOther = false;
  let settling: NodeJS.Timeout | undefined;
  let isTelling = false;
  let isClosed = false;

  /**
   * Each is told of the catalog as it is at that moment. Where one had to be looked at anew, others get a turn before
   * the next: there may be a hundred listeners, each with a choice of servers of its own.
   */
  const tellCommon = async (): Promise<void> => {
    const differencesOf = createDifferences();
    const looked = new Set<Catalog>();
    for (const listener of listeners) {
      const before = listener.seen;
      const { principal, selection } = listener.caller;
      const now = catalog.seenBy(principal, selection).common();
      if (now === before) continue;
      listener.seen = now;
      const changed = differencesOf(before, now);
      if (changed.size > 0) listener.tell(changed, undefined);
      if (looked.has(now)) continue;
      looked.add(now);
      // oxlint-disable-next-line no-await-in-loop -- one after the other is what it is for
      await nextTurn();
      if (isClosed) return;
    }
  };

  const look = async (): Promise<void> => {
    settling = undefined;
    if (isTelling) {
      // What came meanwhile is told when everybody knows of what was before.
      lookSoon();
      return;
    }
    const before = everything;
    everything = ofEverything();
    if (everything !== before) onEverything(everything);
    isTelling = true;
    try {
      await tellCommon();
    } finally {
      isTelling = false;
    }
    if (isClosed) return;
    if (configuration !== configured() || areOffersOther) {
      configuration = configured();
      areOffersOther = false;
      // What was left out of a session's own lists may be all that was its own.
      for (const session of told.keys()) {
        if (canBeAsked(session.capabilities)) changedSessions.add(session);
      }
    }
    const sessions = [...changedSessions];
    changedSessions.clear();
    await Promise.all(sessions.map(lookAt));
  };

  const lookAt = async (session: ClientSession): Promise<void> => {
    const before = told.get(session);
    // Who was listed nothing yet has nothing to unlearn.
    if (session.ended.aborted || before === undefined) return;
    const { owner, principal, selection } = before;
    const now = await catalog.seenBy(principal, selection).view(portOf(session, owner));
    remember({ principal, selection, client: portOf(session, owner) }, now);
    // Changes of what everybody is listed were told already.
    if (!before.isOwn && told.get(session)?.isOwn !== true) return;
    const changed = differences(before.listings, now.listings);
    if (changed.size === 0) return;
    for (const listener of listeners) listener.tell(changed, session);
  };

  const remember: ListChanges["listed"] = ({ principal, selection, client }, seen) => {
    const { session, owner } = client;
    if (session === undefined || session.ended.aborted) return;
    if (!told.has(session)) {
      session.ended.addEventListener("abort", () => told.delete(session), { once: true });
    }
    const isOwn = seen !== catalog.seenBy(principal, selection).common();
    told.set(session, { owner, principal, selection, listings: seen.listings, isOwn });
  };

  const lookSoon = (): void => {
    settling ??= setTimeout(() => void look(), settleMs).unref();
  };

  const stopListening = [
    pool.onChange(lookSoon),
    pool.onSessionListingChanged((session) => {
      catalog.forget(session);
      changedSessions.add(session);
      lookSoon();
    }),
  ];

  return {
    onChanged(caller, tell) {
      const seen = catalog.seenBy(caller.principal, caller.selection).common();
      const listener: Listener = { caller, tell, seen };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    listed: remember,
    offersChanged() {
      areOffersOther = true;
      lookSoon();
    },
    close() {
      isClosed = true;
      clearTimeout(settling);
      for (const stop of stopListening) stop();
    },
  };
}

/** `differences`, each pair looked at once: many listeners saw the same. */
function createDifferences(): (before: Catalog, now: Catalog) => ReadonlySet<ListKind> {
  const known = new Map<Catalog, Map<Catalog, ReadonlySet<ListKind>>>();
  return (before, now) => {
    const ofBefore = known.get(before) ?? new Map<Catalog, ReadonlySet<ListKind>>();
    const changed = ofBefore.get(now) ?? differences(before.listings, now.listings);
    known.set(before, ofBefore.set(now, changed));
    return changed;
  };
}

/** The kinds that are listed otherwise to clients of any era. */
function differences(before: Catalog["listings"], now: Catalog["listings"]): Set<ListKind> {
  if (before === now) return new Set();
  return new Set(
    kinds.filter((kind) =>
      (["legacy", "modern"] as const).some(
        (era) => !sameEntries(before[era][kind], now[era][kind]),
      ),
    ),
  );
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A session as the client behind none of its requests. */
function portOf(session: ClientSession, owner: string): ClientPort {
  return {
    era: "legacy",
    owner,
    caller: session.caller,
    capabilities: session.capabilities,
    session,
    logLevel: session.logLevel,
    request: (method, params, signal) => session.request(method, params, signal),
    notify: (method, params) => {
      session.notify(method, params);
    },
  };
}
