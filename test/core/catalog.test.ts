import { describe, expect, it } from "vitest";
import { byOwnName, mergeCatalog } from "../../src/core/catalog.ts";
import type { ListedServer } from "../../src/core/catalog.ts";
import { emptyListing } from "../../src/core/mcp.ts";
import type { Listing } from "../../src/core/mcp.ts";

const inputSchema = { type: "object" };
const server = (name: string, listing: Partial<Listing>, prefix: string = name): ListedServer => ({
  name,
  prefix,
  listing: { ...emptyListing, ...listing },
});

describe("tools and prompts", () => {
  it("are merged under their exposed names and lose no field", () => {
    const strange = { name: "odd", inputSchema, "x-vendor": { deep: [1, null] }, icons: [] };
    const greeting = { name: "greet", arguments: [{ name: "who", "x-new": 1 }] };
    const { listings, tools, prompts, collisions } = mergeCatalog([
      server("one", { tools: [strange], prompts: [greeting] }),
      server("two", { tools: [{ name: "plain", inputSchema }] }, ""),
    ]);
    for (const era of ["legacy", "modern"] as const) {
      expect(listings[era].tools).toEqual([
        { ...strange, name: "one__odd" },
        { name: "plain", inputSchema },
      ]);
      expect(listings[era].prompts).toEqual([{ ...greeting, name: "one__greet" }]);
    }
    expect(tools.get("one__odd")).toEqual({ server: "one", entry: strange });
    expect(tools.get("one__odd")?.entry).toBe(strange);
    expect(prompts.get("one__greet")?.entry).toBe(greeting);
    expect(collisions).toEqual([]);
    expect(strange.name).toBe("odd");
  });

  it("lead a taken name to the one that was configured first", () => {
    const first = { name: "x", inputSchema, from: "first" };
    const second = { name: "x", inputSchema, from: "second" };
    const { listings, tools, collisions } = mergeCatalog([
      server("one", { tools: [first, second] }, ""),
      server("two", { tools: [second] }, ""),
    ]);
    expect(listings.modern.tools).toEqual([first]);
    expect(tools.get("x")).toEqual({ server: "one", entry: first });
    expect(collisions).toHaveLength(2);
    expect(byOwnName([first, second]).get("x")).toBe(first);
  });
});

describe("resources and templates", () => {
  const a = { uri: "file:///a", name: "a", size: 3, "x-y": 1 };
  const template = { uriTemplate: "file:///{path}", name: "t" };

  it("stay as they are where they are unique; the first configured server keeps what several list", () => {
    const { listings, resources, templates, collisions } = mergeCatalog([
      server("one", { resources: [a], resourceTemplates: [template] }),
      server("two/ü", { resources: [a, { ...a, uri: "x:b" }], resourceTemplates: [template] }),
    ]);
    expect(listings.legacy.resources).toEqual([
      a,
      { ...a, uri: "onedoor:two%2F%C3%BC:file:///a" },
      { ...a, uri: "x:b" },
    ]);
    expect(listings.legacy.resources[0]).toBe(a);
    expect(listings.legacy.resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      "file:///{path}",
      "onedoor:two%2F%C3%BC:file:///{path}",
    ]);
    expect(resources.get("file:///a")).toEqual({ server: "one", uri: "file:///a" });
    expect(resources.get("onedoor:two%2F%C3%BC:file:///a")).toEqual({
      server: "two/ü",
      uri: "file:///a",
    });
    expect(templates.get("file:///{path}")?.server).toBe("one");
    expect(collisions).toEqual([
      'Resource "file:///a" of "two/ü" is offered as onedoor:two%2F%C3%BC:file:///a: "one" has that URI',
      'Resource template "file:///{path}" of "two/ü" is offered as onedoor:two%2F%C3%BC:file:///{path}: "one" has that URI',
    ]);
  });

  it("are listed twice by whom lists them twice, without a collision", () => {
    const { listings, collisions } = mergeCatalog([
      server("one", { resources: [a, { ...a, name: "again" }] }),
    ]);
    expect(listings.modern.resources).toHaveLength(2);
    expect(collisions).toEqual([]);
  });

  it("do not pass for another server's, whoever lists them", () => {
    const claimed = "onedoor:bank:file:///a";
    const { resources, listings } = mergeCatalog([
      server("thief", { resources: [{ ...a, uri: claimed }] }),
      server("first", { resources: [a] }),
      server("bank", { resources: [a] }),
    ]);
    expect(resources.get(claimed)).toEqual({ server: "bank", uri: "file:///a" });
    expect(listings.modern.resources[0]?.uri).toBe(`onedoor:thief:${claimed}`);
  });

  it.each(["onedoor:elsewhere:file:///a", "ONEDOOR:x", "OneDoor::", " onedoor:bank:file:///a"])(
    "are qualified where they are of the gateway's scheme, whoever %j names",
    (uri) => {
      const { resources, templates, schemes, listings, collisions } = mergeCatalog([
        server("one", {
          resources: [{ ...a, uri }],
          resourceTemplates: [{ ...template, uriTemplate: `${uri}{x}` }],
        }),
      ]);
      expect([...resources]).toEqual([[`onedoor:one:${uri}`, { server: "one", uri }]]);
      expect([...templates.keys()]).toEqual([`onedoor:one:${uri}{x}`]);
      expect(listings.legacy.resources.map((shown) => shown.uri)).toEqual([`onedoor:one:${uri}`]);
      expect(schemes.size).toBe(0);
      expect(collisions).toHaveLength(2);
      expect(collisions[0]).toMatch(/is offered as onedoor:one:.*: such URIs are the gateway's$/u);
    },
  );

  it("are all listed, but matched with no more templates of a server than anybody needs", () => {
    const resourceTemplates = Array.from({ length: 300 }, (_, index) => ({
      name: "t",
      uriTemplate: `x:${index}/{a}`,
    }));
    const { listings, templates } = mergeCatalog([
      server("one", { resourceTemplates }),
      server("two", { resourceTemplates: [template] }),
    ]);
    expect(listings.modern.resourceTemplates).toHaveLength(301);
    expect(templates.get("x:199/{a}")?.template).toBeDefined();
    expect(templates.get("x:200/{a}")).toMatchObject({ server: "one", template: undefined });
    expect(templates.get("file:///{path}")?.template).toBeDefined();
  });

  it("tell which servers have anything of a scheme, in their order", () => {
    const { schemes } = mergeCatalog([
      server("one", { resources: [{ uri: "X:1" }, { uri: "no scheme" }] }),
      server("two", { resources: [{ uri: "y:1" }], resourceTemplates: [{ uriTemplate: "x:{a}" }] }),
    ]);
    expect(Object.fromEntries(schemes)).toEqual({ x: ["one", "two"], y: ["two"] });
  });
});

describe("what would cost a client the whole list", () => {
  it("is withheld, told of, and can still be called", () => {
    const good = { name: "good", inputSchema };
    const bad = { name: "bad", inputSchema, annotations: { readOnlyHint: "yes" } };
    const { listings, tools, withheld } = mergeCatalog([server("one", { tools: [bad, good] })]);
    expect(listings.legacy.tools.map(({ name }) => name)).toEqual(["one__good"]);
    expect(listings.modern.tools.map(({ name }) => name)).toEqual(["one__good"]);
    expect(withheld.get("one")).toEqual([
      expect.stringMatching(/^Tool "bad" is not listed: its annotations is not an object as MCP/u),
    ]);
    expect(tools.get("one__bad")?.entry).toBe(bad);
  });

  it("depends on the era: a property whose schema is a boolean, an output that is no object", () => {
    const lax = { name: "lax", inputSchema: { type: "object", properties: { any: true } } };
    const list = { name: "list", inputSchema, outputSchema: { type: "array" } };
    const { listings, withheld } = mergeCatalog([server("one", { tools: [lax, list] }, "")]);
    expect(listings.modern.tools).toEqual([lax, list]);
    expect(listings.legacy.tools).toEqual([{ name: "list", inputSchema }]);
    expect(withheld.get("one")).toEqual([
      expect.stringMatching(/^Tool "lax" is not listed to clients of the legacy era: its input/u),
    ]);
  });

  it("is told of for a bounded number of entries", () => {
    const tools = Array.from({ length: 500 }, (_, index) => ({
      name: `t${index}`,
      inputSchema,
      title: 5,
    }));
    expect(mergeCatalog([server("one", { tools })]).withheld.get("one")).toHaveLength(20);
  });
});

it("leaves everything as it is for a gateway of one server that hides nothing", () => {
  const listing = {
    tools: [{ name: "a.b/c", inputSchema, title: 5 }],
    prompts: [{ name: "x".repeat(100) }],
    resources: [{ uri: "onedoor:one:x" }],
    resourceTemplates: [{ uriTemplate: "{" }],
  };
  const { listings, collisions, schemes } = mergeCatalog(
    [{ name: "one", prefix: "one", listing }],
    "own",
  );
  expect([...schemes.keys()]).toEqual(["onedoor"]);
  expect(listings).toEqual({ legacy: listing, modern: listing });
  expect(collisions).toEqual([]);
});
