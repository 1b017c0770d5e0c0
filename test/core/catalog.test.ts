import { expect, it } from "vitest";
import { mergeCatalog, toolsByName } from "../../src/core/catalog.ts";

const inputSchema = { type: "object" };

it("merges tools under their exposed names and loses no field of them", () => {
  const strange = { name: "odd", inputSchema, "x-vendor": { deep: [1, null] }, icons: [] };
  const { tools, routes, collisions } = mergeCatalog([
    { name: "one", prefix: "one", tools: [strange] },
    { name: "two", prefix: "", tools: [{ name: "plain", inputSchema }] },
  ]);
  expect(tools).toEqual([
    { ...strange, name: "one__odd" },
    { name: "plain", inputSchema },
  ]);
  expect(routes.get("one__odd")?.tool).toBe(strange);
  expect(routes.get("one__odd")?.server).toBe("one");
  expect(collisions).toEqual([]);
  expect(strange.name).toBe("odd");
});

it("leads a taken name to the tool that was configured first", () => {
  const first = { name: "x", inputSchema, from: "first" };
  const second = { name: "x", inputSchema, from: "second" };
  const { tools, routes, collisions } = mergeCatalog([
    { name: "one", prefix: "", tools: [first, second] },
    { name: "two", prefix: "", tools: [second] },
  ]);
  expect(tools).toEqual([first]);
  expect(routes.get("x")).toEqual({ server: "one", tool: first });
  expect(collisions).toHaveLength(2);
  expect(toolsByName([first, second]).get("x")).toBe(first);
});
