import { beforeEach, describe, expect, it } from "vitest";
import type { Preset, Presets } from "../../src/core/configuration.ts";
import { createSelections } from "../../src/core/selection.ts";
import type { Selection, SelectionRequest, Selections } from "../../src/core/selection.ts";

const presetsOf = (written: Record<string, Preset>): Presets => new Map(Object.entries(written));
const presets = presetsOf({
  dev: { servers: ["files", "git"], filter: "not slow" },
  web: { tags: ["web"] },
});
const servers = [
  { name: "files", tags: ["local"] },
  { name: "git", tags: ["local", "slow"] },
  { name: "shop", tags: ["web"] },
  { name: "news", tags: ["web", "slow"] },
];

let now: Presets;
let selections: Selections;
beforeEach(() => {
  now = presets;
  selections = createSelections(() => now);
});

function select(request: SelectionRequest, from: Presets = presets): Selection {
  now = from;
  const selection = selections.of(request);
  if (selection === undefined) throw new Error("it chooses nothing in particular");
  return selection;
}
function after(selection: Selection, loaded: Presets): Selection {
  now = loaded;
  return selections.now(selection);
}
const says = (request: SelectionRequest): string => select(request).says;
const chosen = (selection: Selection): string[] =>
  servers.filter((server) => selection.covers(server)).map(({ name }) => name);

describe("a selection", () => {
  it.each<[request: SelectionRequest, names: string[]]>([
    [{ preset: "dev" }, ["files"]],
    [{ preset: "web" }, ["shop", "news"]],
    [{ tags: ["local", "nobody"] }, ["files", "git"]],
    [{ filter: "web and slow" }, ["news"]],
    [{ preset: "web", filter: "not slow" }, ["shop"]],
    [{ preset: "web", tags: ["slow"] }, ["news"]],
    [{ preset: "web", tags: ["local"] }, []],
  ])("%j", (request, names) => {
    expect(chosen(select(request))).toEqual(names);
  });

  it("is none where nothing is asked", () => {
    expect(selections.of({})).toBeUndefined();
  });

  it("is one object for equal requests, of the same presets only", () => {
    const request = { preset: "web", tags: ["slow"], filter: "web" };
    expect(select({ ...request })).toBe(select(request));
    expect(select(request, new Map(presets))).not.toBe(select(request));
  });

  it("has one key however it was asked for", () => {
    const { key } = select({ preset: "web" });
    expect(select({ tags: ["web"] }).key).toBe(key);
    expect(select({ filter: '("web")' }).key).toBe(key);
    expect(select({ filter: "web", preset: "web" }).key).toBe(key);
    expect(select({ preset: "dev" }).key).not.toBe(key);
    expect(select({ filter: "slow" }).key).not.toBe(key);
  });

  it("says what was asked, in one line", () => {
    expect(says({ preset: "web", tags: ["a", "b"], filter: "c\nand d" })).toBe(
      'preset "web" and tags a, b and filter c and d',
    );
    expect(says({ filter: "a".repeat(900) }).length).toBeLessThanOrEqual(200);
  });

  it.each<[request: SelectionRequest, code: string, message: string, hint: string]>([
    [{ preset: "wbe" }, "not_found", 'Unknown preset "wbe"', 'Did you mean "web"?'],
    [{ preset: "zzzz" }, "not_found", 'Unknown preset "zzzz"', "agent preset list"],
    [{ preset: "__proto__" }, "not_found", 'Unknown preset "__proto__"', "agent preset list"],
    [{ preset: "" }, "usage", "The name of a preset must not be empty", "agent preset list"],
    [
      { preset: "x".repeat(201) },
      "usage",
      "The name of a preset has 200 characters at most",
      "agent preset list",
    ],
    [{ tags: [] }, "usage", "A tag must not be empty", "agent preset list"],
    [{ tags: ["a", ""] }, "usage", "A tag must not be empty", "agent preset list"],
    [
      { tags: Array.from({ length: 101 }, String) },
      "usage",
      "There may be 100 tags at most, of 2000 characters together",
      "agent preset list",
    ],
    [
      { tags: ["x".repeat(2_001)] },
      "usage",
      "There may be 100 tags at most, of 2000 characters together",
      "agent preset list",
    ],
    [
      { filter: "a and" },
      "usage",
      "The filter is wrong at character 6: a tag is missing here",
      "A filter reads like this: web and not (beta or slow)",
    ],
  ])("%j is refused", (request, code, message, hint) => {
    expect(() => selections.of(request)).toThrowError(
      expect.objectContaining({ code, message, hint }),
    );
  });

  it("remembers no more requests than so many", () => {
    const first = select({ tags: ["first"] });
    for (let n = 0; n < 300; n++) select({ tags: [`t${n}`] });
    expect(select({ tags: ["first"] })).not.toBe(first);
    expect(select({ tags: ["first"] }).key).toBe(first.key);
  });
});

describe("a selection after a reload", () => {
  it("means what its preset means now", () => {
    const before = select({ preset: "web", filter: "not slow" });
    const loaded = presetsOf({ web: { servers: ["git", "files"] } });
    expect(chosen(after(before, loaded))).toEqual(["files"]);
    expect(chosen(before)).toEqual(["shop"]);
  });

  it("chooses nothing once its preset is gone, and again when it is back", () => {
    const before = select({ preset: "web" });
    const gone = after(before, new Map());
    expect(chosen(gone)).toEqual([]);
    expect(gone.key).not.toBe(before.key);
    for (const one of [before, gone]) {
      expect(chosen(after(one, presetsOf({ web: {} })))).toHaveLength(servers.length);
    }
  });

  it("means that wherever it was made", () => {
    const elsewhere = createSelections(() => presets).of({ preset: "web" });
    if (elsewhere === undefined) throw new Error("it chooses nothing in particular");
    expect(chosen(after(elsewhere, presetsOf({ web: { servers: ["git"] } })))).toEqual(["git"]);
  });

  it("stays as it is without a preset, and while the presets are the same", () => {
    const tags = select({ tags: ["web"] });
    expect(after(tags, new Map())).toBe(tags);
    const preset = select({ preset: "web" });
    expect(after(preset, presets)).toBe(preset);
  });
});
