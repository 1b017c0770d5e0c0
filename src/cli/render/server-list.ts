import type { Inventory, ServerRow } from "../../client/tool-server.ts";
import type { Io } from "../context.ts";
import { fittingTable } from "./fitting-table.ts";
import { inLine } from "./foreign-text.ts";
import type { OnePage } from "./one-page.ts";

/**
 * `inspect --json` without a target:
 * `{servers: [{name, state: "ready"|"starting"|"unavailable", reason: string|null, toolCount,
 * counts: {prompts, resources, resourceTemplates}|null, tags, withheld: how many of its tools wait for an approval
 * (only where some do)}], collisions: [string], nextCursor: string|null}`.
 */
export function serverListJson(inventory: Inventory, page: OnePage<ServerRow>): object {
  return {
    servers: page.entries.map((row) => serverRowJson(row)),
    collisions: inventory.collisions,
    nextCursor: page.nextCursor ?? null,
  };
}

/** `{name, state, reason, toolCount, counts, tags}`, the same wherever a server is listed. */
export function serverRowJson(row: ServerRow): object {
  const { name, state, reason, toolCount, counts, tags, withheld } = row;
  return {
    name,
    state,
    reason: reason ?? null,
    toolCount,
    counts: counts ?? null,
    tags,
    ...(withheld !== undefined && { withheld }),
  };
}

/**
 * `inspect --format toon` without a target: the same with one flat row for each server, because TOON writes such a list
 * as a table. Tags are joined by commas, and what no server has (null, 0, no tags, no collisions) is left out.
 */
export function serverListFlat(inventory: Inventory, page: OnePage<ServerRow>): object {
  const rows = page.entries.map(({ name, state, reason, toolCount, counts, tags, withheld }) => ({
    name,
    state,
    toolCount,
    prompts: counts?.prompts ?? 0,
    resources: counts?.resources ?? 0,
    resourceTemplates: counts?.resourceTemplates ?? 0,
    withheld: withheld ?? 0,
    tags: tags.join(","),
    reason: reason ?? "",
  }));
  const kept = (
    ["prompts", "resources", "resourceTemplates", "withheld", "tags", "reason"] as const
  ).filter((key) => rows.some((row) => row[key] !== 0 && row[key] !== ""));
  const { collisions } = inventory;
  return {
    servers: rows.map((row) =>
      Object.fromEntries(
        (["name", "state", "toolCount", ...kept] as const).map((key) => [key, row[key]]),
      ),
    ),
    ...(collisions.length > 0 && { collisions }),
    ...(page.nextCursor !== undefined && { nextCursor: page.nextCursor }),
  };
}

/** What servers may have beside tools, in the order in which it is shown. */
export const otherKinds = [
  { kind: "prompts", one: "prompt", many: "prompts" },
  { kind: "resources", one: "resource", many: "resources" },
  { kind: "resourceTemplates", one: "resource template", many: "resource templates" },
] as const;

/**
 * A table for people; one that is down shows its reason, and what no server has gets no column: on a narrow terminal the
 * reason needs the place.
 */
export function serverTable(
  rows: readonly ServerRow[],
  io: Pick<Io, "foreign" | "stdoutIsTerminal" | "columns">,
): string {
  const reasons = rows.some(({ reason }) => reason !== undefined);
  const isReady = rows.some(({ state }) => state === "ready");
  const tagged = rows.some(({ tags }) => tags.length > 0);
  const others = otherKinds.filter(({ kind }) => rows.some(({ counts }) => counts?.[kind]));
  const table = [
    [
      "NAME",
      "STATE",
      ...(isReady ? ["TOOLS"] : []),
      ...others.map(({ many }) => many.replace("resource ", "").toUpperCase()),
      ...(tagged ? ["TAGS"] : []),
      ...(reasons ? ["REASON"] : []),
    ],
    ...rows.map(({ name, state, reason, toolCount, counts, tags }) => [
      inLine(name, io, 100),
      state,
      ...[...(isReady ? [toolCount] : []), ...others.map(({ kind }) => counts?.[kind] ?? 0)].map(
        (count) => (state === "ready" ? String(count) : "-"),
      ),
      ...(tagged ? [tags.length === 0 ? "-" : inLine(tags.join(","), io, 100)] : []),
      ...(reasons ? [inLine(reason ?? "", io)] : []),
    ]),
  ];
  // The name is there to be pasted.
  return fittingTable(table, io, [0]);
}
