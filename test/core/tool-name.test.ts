import { describe, expect, it } from "vitest";
import { exposedPrefix, exposedToolName, exposedNames } from "../../src/core/tool-name.ts";

/** A small deterministic source of text that is hard on names (mulberry32). */
function source(seed: number): { text: (longest: number) => string } {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const letters = Array.from("abzAZ09_-./ :\n\u0000äß漢🎉\u202e");
  return {
    text: (longest) =>
      Array.from(
        { length: Math.floor(next() * (longest + 1)) },
        () => letters[Math.floor(next() * letters.length)],
      ).join(""),
  };
}

describe("exposedToolName", () => {
  it("joins prefix and tool with two underscores, and leaves an empty prefix out", () => {
    expect(exposedToolName("everything", "echo")).toBe("everything__echo");
    expect(exposedToolName("", "echo")).toBe("echo");
    expect(exposedPrefix("my server")).toBe("my_server__");
    expect(exposedPrefix("")).toBe("");
  });

  it("gives whatever text 1 to 64 characters of [A-Za-z0-9_-], always the same", () => {
    const { text } = source(1);
    for (let round = 0; round < 3000; round++) {
      const prefix = text(40);
      const tool = text(120);
      const name = exposedToolName(prefix, tool);
      expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/u);
      expect(exposedToolName(prefix, tool)).toBe(name);
    }
  });

  it("keeps names of exactly 64 characters and shortens longer ones to 64, readable at the front", () => {
    expect(exposedToolName("p", "t".repeat(61))).toBe(`p__${"t".repeat(61)}`);
    const shortened = exposedToolName("p", "t".repeat(62));
    expect(shortened).toMatch(/^p__t{50}_[a-z0-9]{10}$/u);
    expect(shortened).toHaveLength(64);
  });

  it("keeps long names apart that differ anywhere, also in characters that it replaces", () => {
    const long = "x".repeat(80);
    const names = new Set(
      Array.from({ length: 5000 }, (_, index) => exposedToolName("p", `${long}${index}`)),
    );
    expect(names.size).toBe(5000);
    expect(exposedToolName("p", `${long}.`)).not.toBe(exposedToolName("p", `${long}/`));
    expect(exposedToolName("a", `b${long}`)).not.toBe(exposedToolName("ab", long));
  });
});

describe("exposedNames", () => {
  it("gives each name to one tool only, in the order of the configuration, and reports every other", () => {
    const { text } = source(7);
    const configured = ["a", "a__b", "", "a.b"].map((prefix) => ({
      name: prefix,
      prefix,
      entries: Array.from({ length: 200 }, () => ({ name: text(3) })),
    }));
    const { exposed, collisions } = exposedNames("tool", configured);
    const total = configured.reduce((sum, { entries }) => sum + entries.length, 0);
    expect(exposed.size + collisions.length).toBe(total);
    for (const [name, { server, entry }] of exposed) {
      const first = configured.find(({ prefix, entries }) =>
        entries.some((candidate) => exposedToolName(prefix, candidate.name) === name),
      );
      expect(server).toBe(first?.name);
      expect(exposedToolName(first?.prefix ?? "?", entry.name)).toBe(name);
    }
  });

  it("says in one line which tool or prompt is hidden by which", () => {
    const servers = [
      { name: "a", prefix: "a", entries: [{ name: "b__c" }] },
      { name: "a__b", prefix: "a__b", entries: [{ name: "c" }, { name: "d" }] },
    ];
    const { exposed, collisions } = exposedNames("tool", servers);
    expect([...exposed.keys()]).toEqual(["a__b__c", "a__b__d"]);
    expect(exposed.get("a__b__c")).toEqual({ server: "a", entry: { name: "b__c" } });
    const sentence = '"c" of "a__b" is not offered as a__b__c: "b__c" of "a" has that name';
    expect(collisions).toEqual([sentence]);
    expect(exposedNames("prompt", servers).collisions).toEqual([`Prompt ${sentence}`]);
  });

  it("reports a tool that its own server lists twice", () => {
    const { exposed, collisions } = exposedNames("tool", [
      { name: "a", prefix: "a", entries: [{ name: "x" }, { name: "x" }] },
    ]);
    expect(exposed.size).toBe(1);
    expect(collisions).toHaveLength(1);
  });
});
