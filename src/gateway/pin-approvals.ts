import type { ServerConfiguration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import { managesServer, requireRole, seesServer } from "../core/permissions.ts";
import type { Principal } from "../core/principal.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { closest } from "../core/suggest.ts";
import { quotedName } from "../core/terminal-text.ts";
import type { PendingChange } from "../core/tool-pin.ts";
import { hashOfChanges } from "./approve-pins.ts";
import type { Approval } from "./approve-pins.ts";
import type { KeptToolPins } from "./create-tool-pins.ts";

/** What waits of one server. */
export interface ServerChanges {
  server: string;
  /** What an approval of all of them names; null where nothing waits. */
  hash: string | null;
  changes: readonly PendingChange[];
}

/** How a server's page tells of what waits: how much is withheld to all, and what to those who manage the server. */
export interface WaitingPart {
  withheld: number;
  changes?: readonly PendingChange[];
}

/** Who may see what waits for an approval, and approve it: who manages the server. */
export interface PinApprovals {
  /** Of all servers that are the caller's to manage, those of which something waits. @throws AppError `forbidden` */
  all(by: Principal): ServerChanges[];
  /**
   * @param tool asks of all whether there is such a tool
   * @throws AppError `not_found`; `forbidden`
   */
  changes(by: Principal, server: string, tool?: string): ServerChanges;
  /** @throws AppError as `changes`; as `ApprovePins` */
  approve(by: Principal, server: string, what: Approval): Promise<readonly PendingChange[]>;
  /** For a server that the caller was shown. */
  waiting(by: Principal, server: string): WaitingPart;
}

const managing = "Approving what servers offer";

export function createPinApprovals({
  pins,
  servers,
  renew,
}: {
  pins: Pick<KeptToolPins, "changesOf" | "approve" | "mayHave" | "namesOf">;
  servers: () => ReadonlyMap<string, ServerConfiguration>;
  /** Who it is by now; undefined: nobody any more. */
  renew: (principal: Principal) => Principal | undefined;
}): PinApprovals {
  const managed = (by: Principal, name: string): ServerConfiguration => {
    requireRole(by, "admin", managing);
    const server = servers().get(name);
    if (server === undefined || !seesServer(by, server)) throw unknownServer(by, name);
    if (managesServer(by, server)) return server;
    throw new AppError(
      "forbidden",
      `Server ${quotedName(name)} is not your organisation's alone to manage`,
      { hint: "The owner of the gateway can do it" },
    );
  };
  const unknownServer = (by: Principal, name: string): AppError => {
    const seen = [...servers().values()].filter((server) => seesServer(by, server));
    const meant = closest(
      name,
      seen.map((server) => server.name),
    );
    return new AppError("not_found", `Unknown server ${quotedName(name)}`, {
      hint: meant === undefined ? "agent inspect" : `Did you mean ${meant}?`,
    });
  };
  const changesOf = (server: ServerConfiguration): ServerChanges => {
    const changes = pins.changesOf(server);
    const hash = changes.length === 0 ? null : hashOfChanges(changes);
    return { server: server.name, hash, changes };
  };
  const isThere = (
    server: ServerConfiguration,
    { changes }: ServerChanges,
    tool: string,
  ): boolean => changes.some((change) => change.tool === tool) || pins.mayHave(server, tool);

  return {
    all(by) {
      requireRole(by, "admin", managing);
      return [...servers().values()]
        .filter((server) => seesServer(by, server) && managesServer(by, server))
        .map(changesOf)
        .filter(({ changes }) => changes.length > 0);
    },
    changes(by, name, tool) {
      const server = managed(by, name);
      const found = changesOf(server);
      if (tool !== undefined && !isThere(server, found, tool)) {
        throw unknownTool(name, tool, pins.namesOf(server));
      }
      return found;
    },
    approve(by, name, what) {
      return pins.approve(managed(by, name), what, () => {
        const principal = renew(by);
        if (principal === undefined) {
          throw new AppError("auth_rejected", "The sign-in is over; nothing was approved", {
            hint: "agent auth login",
          });
        }
        managed(principal, name);
        return principal;
      });
    },
    waiting(by, name) {
      const server = servers().get(name);
      if (server === undefined || !seesServer(by, server)) return { withheld: 0 };
      const changes = pins.changesOf(server);
      const part = { withheld: changes.filter(({ withheld }) => withheld).length };
      return managesServer(by, server) ? { ...part, changes } : part;
    },
  };
}

function unknownTool(server: string, tool: string, names: readonly string[]): AppError {
  const meant = closest(tool, names);
  return new AppError("not_found", `Server ${quotedName(server)} has no tool ${quotedName(tool)}`, {
    hint:
      meant === undefined
        ? `agent inspect ${quoteForShell(server)}`
        : `Did you mean ${quoteForShell(`${server}/${meant}`)}?`,
  });
}
