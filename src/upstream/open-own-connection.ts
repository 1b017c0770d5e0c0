import type { Listing } from "../core/mcp.ts";
import { createLineTail } from "./line-tail.ts";
import { openServerConnection } from "./open-server-connection.ts";
import type { ServerContext } from "./open-server-connection.ts";
import type { OwnConnectionsOptions } from "./own-connections.ts";

/** Lines of the standard error of a client's own process that are kept when it ends. */
const keptLines = 5;

/**
 * How the connection of a single client is opened: to a legacy server, in its era, and listed only when
 * somebody asks. Its standard error goes into a tail of its own, the end of which outlives it in the common one.
 */
export function ownConnectionOpener(
  context: ServerContext,
  reference: () => Listing,
): OwnConnectionsOptions["open"] {
  return async (own) => {
    const tail = createLineTail(context.scrub);
    const keepLines = (): void => {
      for (const line of tail.lines.slice(-keptLines)) context.tail.note(line);
    };
    try {
      const connection = await openServerConnection(
        { ...context, tail },
        { ...own, mode: "legacy", list: false, reference },
      );
      void connection.lost.then(keepLines);
      return connection;
    } catch (error) {
      keepLines();
      throw error;
    }
  };
}
