import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { listAllTools } from "../../src/upstream/tool-listing.ts";

const tool = (name: string) => ({ name, inputSchema: {} });

describe("listing tools", () => {
  const limits = { pages: 3, tools: 4, bytes: 1000 };
  const list = (pages: Record<string, JsonObject>) =>
    listAllTools(
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
    ).resolves.toEqual({ tools: [tool("a"), tool("b"), tool("c")], problems: [] });
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
      "more than 4 tools or 1000 bytes; the rest is left out",
    ],
    [
      "too many bytes",
      { first: { tools: [tool("a"), { ...tool("b"), text: "x".repeat(1000) }, tool("c")] } },
      ["a"],
      "more than 4 tools or 1000 bytes; the rest is left out",
    ],
    [
      "entries that are no tools",
      { first: { tools: [5, { name: 1 }, { name: "x" }, tool("a")] } },
      ["a"],
      "3 entries without a name or an input schema left out",
    ],
  ])("%s: the rest is left out and told", async (_what, pages, names, problem) => {
    const { tools, problems } = await list(pages);
    expect(tools.map(({ name }) => name)).toEqual(names);
    expect(problems).toEqual([problem]);
  });

  test("no list at all is an empty one", async () => {
    await expect(list({ first: { tools: "x", nextCursor: null } })).resolves.toEqual({
      tools: [],
      problems: [],
    });
  });
});
