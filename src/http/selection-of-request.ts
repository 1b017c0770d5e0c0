import type { IncomingMessage } from "node:http";
import * as z from "zod";
import { AppError } from "../core/errors.ts";
import type { Selection } from "../core/selection.ts";
import { splitTags } from "../core/split-tags.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { queryOf } from "./query-of.ts";

/** For the shape of a query in which a selection may stand; it is read by `selectionOfRequest`. */
export const selectionQuery = {
  preset: z.unknown().optional(),
  tags: z.unknown().optional(),
  filter: z.unknown().optional(),
};

/**
 * Which servers a request is about, as its query says: `preset`, `tags` (with commas between them, or several times) and
 * `filter`; undefined: it says nothing of it.
 * @throws AppError `usage` for what cannot be read, or stands there twice; `not_found` for an unknown preset
 */
export function selectionOfRequest(
  gateway: Pick<Gateway, "selectionOf">,
  request: Pick<IncomingMessage, "url">,
): Selection | undefined {
  const query = queryOf(request);
  if (query === undefined) return undefined;
  const preset = single(query, "preset");
  const filter = single(query, "filter");
  const given = query.getAll("tags");
  if (preset === undefined && filter === undefined && given.length === 0) return undefined;
  const tags = splitTags(given);
  return gateway.selectionOf({ preset, filter, tags: given.length === 0 ? undefined : tags });
}

function single(query: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = query.getAll(name);
  if (others.length === 0) return value;
  throw new AppError("usage", `${name} stands in the query more than once`, {
    hint: name === "filter" ? "Join them with and, or" : "Give one",
  });
}
