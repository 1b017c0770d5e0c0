import type { Catalog } from "../core/catalog.ts";
import type { ClientPort, ClientSession } from "../core/client-port.ts";
import type { ListKind } from "../core/mcp.ts";
import { sameEntries } from "../core/same-json.ts";
import type { UpstreamPool } from "../upstream/upstream.ts";
import type { ListsChanged } from "./gateway.ts";
import type { LiveCatalog } from "./live-catalog.ts";

/** Tells when what clients were listed is no longer so; servers that come and go together are told of once. */
export interface ListChanges {
  onChanged(listener: ListsChanged): () => void;
  /** What a client was listed: changes for its session alone are measured against this. */
  listed(client: ClientPort, catalog: Catalog): void;
  close(): void;
}

/** Long enough for a server's lists to come in one after the other; milliseconds. */
const settleMs = 100;
const kinds: readonly ListKind[] = ["tools", "prompts", "resources", "resourceTemplates"];

export function createListChanges(
  pool: UpstreamPool,
  catalog: LiveCatalog,
  /** Called with the common catalog when it has changed. */
  onCommon: (catalog: Catalog) => void,
): ListChanges {
  /** With the common catalog as it was when each last heard of it: who comes later has nothing to unlearn. */
  const listeners = new Map<ListsChanged, Catalog>();
  const told = new WeakMap<ClientSession, { owner: string; catalog: Catalog }>();
  const changedSessions = new Set<ClientSession>();
  let common = catalog.common();
  let settling: NodeJS.Timeout | undefined;

  const tellCommon = (now: Catalog): void => {
    const changes = new Map<Catalog, ReadonlySet<ListKind>>();
    for (const [listener, before] of listeners) {
      const changed = changes.get(before) ?? differences(before, now);
      changes.set(before, changed);
      listeners.set(listener, now);
      if (changed.size > 0) listener(changed, undefined);
    }
  };

  const look = async (): Promise<void> => {
    settling = undefined;
    const before = common;
    common = catalog.common();
    if (common !== before) onCommon(common);
    tellCommon(common);
    const sessions = [...changedSessions];
    changedSessions.clear();
    await Promise.all(sessions.map(lookAt));
  };

  const lookAt = async (session: ClientSession): Promise<void> => {
    if (session.ended.aborted) return;
    const before = told.get(session);
    // Who was listed nothing yet has nothing to unlearn.
    if (before === undefined) return;
    const now = await catalog.view(portOf(session, before.owner));
    told.set(session, { owner: before.owner, catalog: now });
    const changed = differences(before.catalog, now);
    if (changed.size === 0) return;
    for (const listener of listeners.keys()) listener(changed, session);
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
    onChanged(listener) {
      listeners.set(listener, catalog.common());
      return () => void listeners.delete(listener);
    },
    listed({ session, owner }, seen) {
      if (session !== undefined) told.set(session, { owner, catalog: seen });
    },
    close() {
      clearTimeout(settling);
      for (const stop of stopListening) stop();
    },
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
    capabilities: session.capabilities,
    session,
    logLevel: session.logLevel,
    request: (method, params, signal) => session.request(method, params, signal),
    notify: (method, params) => {
      session.notify(method, params);
    },
  };
}
