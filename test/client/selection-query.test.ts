import { expect, test } from "vitest";
import { selectionInUrl, selectionQuery } from "../../src/client/selection-query.ts";
import { parseTagFilter } from "../../src/core/tag-filter.ts";

test("a choice goes into a query and comes back", () => {
  const choice = { preset: "dev & co", tags: ["a", "ü"], filter: 'a and not "b c"' };
  const address = `http://127.0.0.1:3050/mcp?x=1&${selectionQuery(choice).toString()}`;
  expect(selectionInUrl(address)).toEqual(choice);
  expect(selectionQuery({}).size).toBe(0);
  expect(selectionInUrl("http://127.0.0.1:3050/mcp?x=1")).toBe(undefined);
});

test("tags that a list of tags cannot hold go as a filter that means the same", () => {
  const query = selectionQuery({ tags: ["a,b", 'c"\\', "d"], filter: "e or f" });
  expect(query.has("tags")).toBe(false);
  const filter = parseTagFilter(query.get("filter") ?? "");
  expect(filter.matches(["a,b", "e"])).toBe(true);
  expect(filter.matches(['c"\\', "f"])).toBe(true);
  expect(filter.matches(["a", "e"])).toBe(false);
  expect(filter.matches(["a,b"])).toBe(false);
});
