import type { SelectionRequest } from "../core/selection.ts";
import { splitTags } from "../core/split-tags.ts";

/** A choice of servers as a gateway's addresses take it; empty: all. */
export function selectionQuery({ preset, tags, filter }: SelectionRequest): URLSearchParams {
  const query = new URLSearchParams();
  if (preset !== undefined) query.set("preset", preset);
  // There a comma stands between two tags, and so one that holds a comma goes as a filter.
  const isPlain = tags?.every((tag) => !tag.includes(",") && tag === tag.trim()) ?? true;
  if (tags !== undefined && isPlain) query.set("tags", tags.join(","));
  const anyTag = tags === undefined || isPlain ? undefined : tags.map(quoted).join(" or ");
  const both = [anyTag, filter].filter((part) => part !== undefined);
  if (both.length === 1) query.set("filter", both.join(""));
  if (both.length === 2) query.set("filter", both.map((part) => `(${part})`).join(" and "));
  return query;
}

function quoted(tag: string): string {
  return `"${tag.replaceAll(/["\\]/gu, String.raw`\$&`)}"`;
}

const keys = ["preset", "tags", "filter"] as const;

/** What an address that somebody gave chooses by its query; undefined: nothing in particular. */
export function selectionInUrl(address: string): SelectionRequest | undefined {
  const { searchParams } = new URL(address);
  if (!keys.some((key) => searchParams.has(key))) return undefined;
  return {
    preset: searchParams.get("preset") ?? undefined,
    filter: searchParams.get("filter") ?? undefined,
    tags: searchParams.has("tags") ? splitTags(searchParams.getAll("tags")) : undefined,
  };
}
