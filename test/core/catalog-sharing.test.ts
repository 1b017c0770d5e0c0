import { expect, it } from "vitest";
import { mergeCatalog } from "../../src/core/catalog.ts";
import type { Catalog, ListedServer, NameRule } from "../../src/core/catalog.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Listing, Tool } from "../../src/core/mcp.ts";

let seed = 20_261_204;
const next = (below: number): number => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % below;
};
const one = <T>(all: readonly [T, ...T[]]): T => all[next(all.length)] ?? all[0];
const several = <T>(most: number, make: () => T): T[] =>
  Array.from({ length: next(most + 1) }, make);

const tool = (): Tool => ({
  name: one(["echo", "b__c", "c", "x y", "x_y", "long".repeat(30)]),
  inputSchema: one<JsonObject>([
    { type: "object" },
    { type: "array" },
    { type: "object", properties: { a: true } },
  ]),
  ...(next(3) === 0 && { outputSchema: one([{ type: "object" }, { type: "string" }]) }),
  ...(next(4) === 0 && { title: one<string | number>(["Title", 7]) }),
});
const listing = (): Listing => ({
  tools: several(5, tool),
  prompts: several(3, () => ({ name: one(["greet", "c", "x y"]) })),
  resources: several(4, () => ({
    uri: one(["file:///a", "file:///b", "onedoor:n0:file:///a", "x:c"]),
    name: one(["a", "b"]),
    ...(next(4) === 0 && { size: one<string | number>([1, "big"]) }),
  })),
  resourceTemplates: several(3, () => ({ uriTemplate: one(["file:///{p}", "x:{y}"]), name: "t" })),
});

/** Everything of it, in its order; what templates match by. */
const contents = ({
  tools,
  prompts,
  resources,
  templates,
  schemes,
  withheld,
  ...rest
}: Catalog) => ({
  ...rest,
  tools: [...tools],
  prompts: [...prompts],
  resources: [...resources],
  templates: [...templates].map(([text, { template, ...route }]) => [
    text,
    route,
    template?.fixedLength,
    template?.matches("file:///a"),
  ]),
  schemes: [...schemes],
  withheld: [...withheld],
});

it("a catalog that shares its entries with others is the same as one of its own", () => {
  const faults: unknown[] = [];
  for (let world = 0; world < 60; world++) {
    const listings = Array.from({ length: 4 }, listing);
    for (let round = 0; round < 12; round++) {
      const chosen: ListedServer[] = listings.flatMap((its, index) =>
        next(3) === 0
          ? []
          : [{ name: `n${index}`, prefix: one([`n${index}`, "", "same", "n0__b"]), listing: its }],
      );
      if (next(2) === 0) chosen.reverse();
      const names: NameRule = next(4) === 0 ? "own" : "prefixed";
      const shared = contents(mergeCatalog(chosen, names));
      const alone = contents(mergeCatalog(structuredClone(chosen), names));
      expect(shared).toEqual(alone);
      faults.push(...shared.withheld, ...shared.collisions);
    }
  }
  expect(faults.length).toBeGreaterThan(500);
});

it("and its entries are the same objects in all catalogs, in either era where they do not differ", () => {
  const its: Listing = {
    tools: [
      { name: "echo", inputSchema: { type: "object" } },
      { name: "list", inputSchema: { type: "object" }, outputSchema: { type: "array" } },
    ],
    prompts: [{ name: "greet" }],
    resources: [{ uri: "file:///a", name: "a" }],
    resourceTemplates: [{ uriTemplate: "file:///{p}", name: "t" }],
  };
  const first = { name: "first", prefix: "first", listing: structuredClone(its) };
  const second = { name: "second", prefix: "second", listing: its };
  const merged = mergeCatalog([first, second]);
  const other = mergeCatalog([
    first,
    second,
    { name: "third", prefix: "third", listing: first.listing },
  ]);
  for (const era of ["legacy", "modern"] as const) {
    for (const kind of ["tools", "prompts", "resources", "resourceTemplates"] as const) {
      const [here, there] = [merged.listings[era][kind], other.listings[era][kind]];
      expect(here.length).toBeGreaterThan(1);
      for (const [index, entry] of here.entries()) expect(there[index]).toBe(entry);
    }
  }
  expect(merged.listings.legacy.tools[0]).toBe(merged.listings.modern.tools[0]);
  expect(merged.listings.legacy.tools[1]).not.toHaveProperty("outputSchema");
  expect(merged.listings.modern.prompts).toBe(merged.listings.legacy.prompts);
  for (const [name, holder] of merged.tools) expect(other.tools.get(name)).toBe(holder);
  for (const [uri, route] of merged.resources) expect(other.resources.get(uri)).toBe(route);
  for (const [text, route] of merged.templates) expect(other.templates.get(text)).toBe(route);
});
