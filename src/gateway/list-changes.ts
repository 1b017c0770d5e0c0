import type { Catalog } from "../core/catalog.ts";
import type { ClientPort, ClientSession } from "../core/client-port.ts";
import type { ListKind } from "../core/mcp.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { Principal } from "../core/principal.ts";
import { sameEntries } from "../core/same-json.ts";
import type { UpstreamPool } from "../upstream/upstream.ts";
import type { CallerContext, ListsChanged } from "./gateway.ts";
import type { LiveCatalog, SeenCatalog } from "./live-catalog.ts";

/**
 * Tells when what clients were listed is no longer so, each of what it can see; servers that come and go
 * together are told of once. A reload of the configuration is a change like others.
 */
export interface ListChanges {
  /** @param caller asked at each change for who it is by then */
  onChanged(caller: Pick<CallerContext, "principal">, listener: ListsChanged): () => void;
  /** What a client was listed: changes for its session alone are measured against this. */
  listed(caller: Pick<CallerContext, "principal" | "client">, catalog: Catalog): void;
  close(): void;
}

interface Listener {
  caller: Pick<CallerContext, "principal">;
  tell: ListsChanged;
  /** The common catalog as it was when it last heard of it: who comes later has nothing to unlearn. */
  seen: Catalog;
}

interface Told {
  owner: string;
  principal: Principal;
  catalog: Catalog;
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
  let settling: NodeJS.Timeout | undefined;

  const tellCommon = (): void => {
    const differencesOf = createDifferences();
    const commons = new Map<SeenCatalog, Catalog>();
    const commonOf = (seen: SeenCatalog): Catalog => {
      const common = commons.get(seen) ?? seen.common();
      commons.set(seen, common);
      return common;
    };
    for (const listener of listeners) {
      const before = listener.seen;
      listener.seen = commonOf(catalog.seenBy(listener.caller.principal));
      const changed = differencesOf(before, listener.seen);
      if (changed.size > 0) listener.tell(changed, undefined);
    }
  };

  const look = async (): Promise<void> => {
    settling = undefined;
    const before = everything;
    everything = ofEverything();
    if (everything !== before) onEverything(everything);
    tellCommon();
    if (configuration !== configured()) {
      configuration = configured();
      for (const [session, { isOwn }] of told) if (isOwn) changedSessions.add(session);
    }
    const sessions = [...changedSessions];
    changedSessions.clear();
    await Promise.all(sessions.map(lookAt));
  };

  const lookAt = async (session: ClientSession): Promise<void> => {
    const before = told.get(session);
    // Who was listed nothing yet has nothing to unlearn.
    if (session.ended.aborted || before === undefined) return;
    const { owner, principal } = before;
    const now = await catalog.seenBy(principal).view(portOf(session, owner));
    remember({ principal, client: portOf(session, owner) }, now);
    const changed = differences(before.catalog, now);
    if (changed.size === 0) return;
    for (const listener of listeners) listener.tell(changed, session);
  };

  const remember: ListChanges["listed"] = ({ principal, client }, seen) => {
    const { session, owner } = client;
    if (session === undefined || session.ended.aborted) return;
    if (!told.has(session)) {
      session.ended.addEventListener("abort", () => told.delete(session), { once: true });
    }
    const isOwn = seen !== catalog.seenBy(principal).common();
    told.set(session, { owner, principal, catalog: seen, isOwn });
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
      const seen = catalog.seenBy(caller.principal).common();
      const listener: Listener = { caller, tell, seen };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    listed: remember,
    close() {
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
    const changed = ofBefore.get(now) ?? differences(before, now);
    known.set(before, ofBefore.set(now, changed));
    return changed;
  };
}

/** The kinds that are listed otherwise to clients of any era. */
function differences(before: Catalog, now: Catalog): Set<ListKind> {
  if (before === now) return new Set();
  return new Set(
    kinds.filter((kind) =>
      (["legacy", "modern"] as const).some(
        (era) => !sameEntries(before.listings[era][kind], now.listings[era][kind]),
      ),
    ),
  );
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
