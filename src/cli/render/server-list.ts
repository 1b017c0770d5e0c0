import type { Inventory, ServerRow } from "../../client/tool-server.ts";
import type { Io } from "../context.ts";
import { inLine } from "./foreign-text.ts";
import type { OnePage } from "./one-page.ts";
import { textTable } from "./text-table.ts";

/**
 * `inspect --json` without a target:
 * `{servers: [{name, state: "ready"|"starting"|"unavailable", reason: string|null, toolCount, tags}],
 * collisions: [string], nextCursor: string|null}`.
 */
export function serverListJson(inventory: Inventory, page: OnePage<ServerRow>): object {
  return {
    servers: page.entries.map((row) => serverRowJson(row)),
    collisions: inventory.collisions,
    nextCursor: page.nextCursor ?? null,
  };
}

/** `{name, state, reason, toolCount, tags}`, the same wherever a server is listed. */
export function serverRowJson({ name, state, reason, toolCount, tags }: ServerRow): object {
  return { name, state, reason: reason ?? null, toolCount, tags };
}

/** A table for people; one that is down shows its reason. */
export function serverTable(rows: readonly ServerRow[], io: Pick<Io, "foreign">): string {
  const reasons = rows.some(({ reason }) => reason !== undefined);
  return textTable([
    ["NAME", "STATE", "TOOLS", "TAGS", ...(reasons ? ["REASON"] : [])],
    ...rows.map(({ name, state, reason, toolCount, tags }) => [
      inLine(name, io, 100),
      state,
      state === "ready" ? String(toolCount) : "-",
      tags.length === 0 ? "-" : inLine(tags.join(","), io, 100),
      ...(reasons ? [inLine(reason ?? "", io)] : []),
    ]),
  ]);
}
