import type { Inventory, ServerRow } from "../../client/tool-server.ts";
import type { Io } from "../context.ts";
import { inLine } from "./foreign-text.ts";
import type { OnePage } from "./one-page.ts";
import { textTable } from "./text-table.ts";

/**
 * `inspect --json` without a target:
 * `{servers: [{name, state: "ready"|"starting"|"unavailable", reason: string|null, toolCount,
 * counts: {prompts, resources, resourceTemplates}|null, tags}], collisions: [string], nextCursor: string|null}`.
 */
export function serverListJson(inventory: Inventory, page: OnePage<ServerRow>): object {
  return {
    servers: page.entries.map((row) => serverRowJson(row)),
    collisions: inventory.collisions,
    nextCursor: page.nextCursor ?? null,
  };
}

/** `{name, state, reason, toolCount, counts, tags}`, the same wherever a server is listed. */
export function serverRowJson({ name, state, reason, toolCount, counts, tags }: ServerRow): object {
  return { name, state, reason: reason ?? null, toolCount, counts: counts ?? null, tags };
}

/** What servers may have beside tools, in the order in which it is shown. */
export const otherKinds = [
  { kind: "prompts", one: "prompt", many: "prompts" },
  { kind: "resources", one: "resource", many: "resources" },
  { kind: "resourceTemplates", one: "resource template", many: "resource templates" },
] as const;

/** A table for people; one that is down shows its reason, and what no server has gets no column. */
export function serverTable(rows: readonly ServerRow[], io: Pick<Io, "foreign">): string {
  const reasons = rows.some(({ reason }) => reason !== undefined);
  const others = otherKinds.filter(({ kind }) => rows.some(({ counts }) => counts?.[kind]));
  return textTable([
    [
      "NAME",
      "STATE",
      "TOOLS",
      ...others.map(({ many }) => many.replace("resource ", "").toUpperCase()),
      "TAGS",
      ...(reasons ? ["REASON"] : []),
    ],
    ...rows.map(({ name, state, reason, toolCount, counts, tags }) => [
      inLine(name, io, 100),
      state,
      ...[toolCount, ...others.map(({ kind }) => counts?.[kind] ?? 0)].map((count) =>
        state === "ready" ? String(count) : "-",
      ),
      tags.length === 0 ? "-" : inLine(tags.join(","), io, 100),
      ...(reasons ? [inLine(reason ?? "", io)] : []),
    ]),
  ]);
}
