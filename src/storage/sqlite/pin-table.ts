import type { Kysely, Selectable } from "kysely";
import { isJsonObject } from "../../core/json.ts";
import type { StorageTransaction } from "../../core/storage.ts";
import type { StoredPin } from "../../core/tool-pin.ts";
import { storableText } from "../storable.ts";
import type { Schema } from "./schema.ts";
import type { StorageWorker } from "./storage-worker.ts";

/** Written by hand, as the audit's: a server may list a thousand tools at once. */
const putRow = `INSERT INTO tool_pins (server, identity, tool, hash, definition, pinned_at, said_hashes)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (server, identity, tool) DO UPDATE SET
    hash = excluded.hash, definition = excluded.definition, pinned_at = excluded.pinned_at,
    said_hashes = excluded.said_hashes`;

/** `tool_pins`, inside the transaction given, which must be the one open in `worker`. */
export function createPinTable(
  db: Kysely<Schema>,
  worker: Pick<StorageWorker, "executeMany">,
): StorageTransaction["toolPins"] {
  return {
    async all() {
      const rows = await db
        .selectFrom("tool_pins")
        .selectAll()
        .orderBy("server")
        .orderBy("identity")
        .orderBy("tool")
        .execute();
      return rows.map(pinOf);
    },
    async putAll(pins) {
      const rows = pins.map((pin) => [
        storableText(pin.server),
        pin.identity,
        JSON.stringify(pin.tool),
        pin.hash,
        pin.definition === null ? null : JSON.stringify(pin.definition),
        pin.pinnedAtMs,
        JSON.stringify(pin.saidHashes),
      ]);
      await worker.executeMany(putRow, rows);
    },
    async removeAll(owners) {
      for (const { server, identity } of owners) {
        await db
          .deleteFrom("tool_pins")
          .where("server", "=", storableText(server))
          .where("identity", "=", identity)
          .execute();
      }
    },
  };
}

function pinOf(row: Selectable<Schema["tool_pins"]>): StoredPin {
  const tool: unknown = JSON.parse(row.tool);
  const definition: unknown = row.definition === null ? null : JSON.parse(row.definition);
  const said: unknown = JSON.parse(row.said_hashes);
  return {
    server: row.server,
    identity: row.identity,
    tool: typeof tool === "string" ? tool : null,
    hash: row.hash,
    definition: isJsonObject(definition) ? definition : null,
    pinnedAtMs: row.pinned_at,
    saidHashes: Array.isArray(said) ? said.filter((hash) => typeof hash === "string") : [],
  };
}
