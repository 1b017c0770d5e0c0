import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { listKind } from "../../src/upstream/list-kind.ts";

const tool = (name: string) => ({ name, inputSchema: {} });

describe("one kind of list", () => {
  const limits = { pages: 3, entries: 4, bytes: 1000 };
  const list = (pages: Record<string, JsonObject>) =>
    listKind(
      "tools",
      ({ cursor }) => Promise.resolve(pages[typeof cursor === "string" ? cursor : "first"] ?? {}),
      limits,
    );

  test("follows the cursors and keeps the order", async () => {
    await expect(
      list({
        first: { tools: [tool("a")], nextCursor: "2" },
        "2": { tools: [tool("b")], nextCursor: "3" },
        "3": { tools: [tool("c")] },
      }),
    ).resolves.toEqual({ entries: [tool("a"), tool("b"), tool("c")], problems: [] });
  });

  test.each<[what: string, pages: Record<string, JsonObject>, names: string[], problem: string]>([
    [
      "too many pages",
      {
        first: { tools: [tool("a")], nextCursor: "2" },
        "2": { tools: [tool("b")], nextCursor: "3" },
        "3": { tools: [tool("c")], nextCursor: "4" },
        "4": { tools: [tool("d")] },
      },
      ["a", "b", "c"],
      "more than 3 pages",
    ],
    [
      "too many tools",
      { first: { tools: ["a", "b", "c", "d", "e"].map(tool) } },
      ["a", "b", "c", "d"],
      "more than 4 entries or 1000 bytes; the rest is left out",
    ],
    [
      "too many bytes",
      { first: { tools: [tool("a"), { ...tool("b"), text: "x".repeat(1000) }, tool("c")] } },
      ["a"],
      "more than 4 entries or 1000 bytes; the rest is left out",
    ],
    [
      "entries that are no tools",
      { first: { tools: [5, { name: 1 }, { name: "x" }, tool("a")] } },
      ["a"],
      "3 entries without a name or an input schema left out",
    ],
  ])("%s: the rest is left out and told", async (_what, pages, names, problem) => {
    const { entries, problems } = await list(pages);
    expect(entries.map(({ name }) => name)).toEqual(names);
    expect(problems).toEqual([problem]);
  });

  test("no list at all is an empty one", async () => {
    await expect(list({ first: { tools: "x", nextCursor: null } })).resolves.toEqual({
      entries: [],
      problems: [],
    });
  });
});
