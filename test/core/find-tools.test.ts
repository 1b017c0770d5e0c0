import { describe, expect, it } from "vitest";
import { findTools } from "../../src/core/find-tools.ts";
import type { Tool } from "../../src/core/mcp.ts";

const tool = (name: string, description?: string, more: object = {}): Tool => ({
  name,
  inputSchema: { type: "object" },
  ...(description !== undefined && { description }),
  ...more,
});
const entries = [
  { server: "files", tool: tool("files__read_file", "Reads the whole of a text") },
  { server: "files", tool: tool("files__writeFile", "Puts text into a place of the disk") },
  { server: "web", tool: tool("web__fetch", "Gets a page; may read a file, too") },
  { server: "web", tool: tool("web__x", "Nothing", { title: "Search the Web" }) },
  { server: "bare", tool: tool("look") },
];
const namesFor = (query: string) =>
  findTools(entries, query).tools.map(({ tool: { name } }) => name);

describe("findTools", () => {
  it.each([
    ["read file", ["files__read_file", "web__fetch"]],
    ["READ   File", ["files__read_file", "web__fetch"]],
    ["write", ["files__writeFile"]],
    ["writefile", ["files__writeFile"]],
    ["searching", []],
    ["search", ["web__x"]],
    ["disk", ["files__writeFile"]],
    ["bare", ["look"]],
    ["a tool to read the file", ["files__read_file", "web__fetch"]],
    ["files__read_file", ["files__read_file", "files__writeFile", "web__fetch"].slice(0, 1)],
  ])("finds %j", (query, names) => {
    expect(namesFor(query)).toEqual(names);
  });

  it("takes those that have some of the words where none has all, the best first", () => {
    expect(namesFor("fetch page upside")).toEqual(["web__fetch"]);
    expect(namesFor("page disk place")).toEqual(["files__writeFile", "web__fetch"]);
  });

  it("looks for what is spelt alike where nothing fits, and says so", () => {
    const { tools, instead } = findTools(entries, "ftech");
    expect(tools.map(({ tool: { name } }) => name)).toEqual(["web__fetch"]);
    expect(instead).toBe("fetch");
    expect(findTools(entries, "zzzzzzzzz")).toEqual({ tools: [] });
  });

  it.each(["", "***", "\u0000", "‮"])("finds nothing for %j", (query) => {
    expect(namesFor(query)).toEqual([]);
  });

  it("reads no more of hostile names, texts and queries than there is room for", () => {
    const long = tool("x".repeat(100_000), "y ".repeat(1_000_000));
    expect(findTools([{ server: "s", tool: long }], "y".repeat(1_000_000)).tools).toEqual([]);
    const late = tool("t", `${"y ".repeat(2_000)} needle`);
    expect(findTools([{ server: "s", tool: late }], "needle").tools).toEqual([]);
  });

  it("looks at less of each description the more there is to look through, and at every tool", () => {
    const late = `${"filler ".repeat(60)} needle`;
    const unknown = Array.from("bcdfghjkl")
      .map((one) => one.repeat(9))
      .join(" ");
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ server: "s", tool: tool(`t${index}`, late) }));
    const found = (count: number, query: string) => findTools(many(count), query).tools.length;
    expect(found(1_000, "needle")).toBe(1_000);
    expect(found(1_000, `needle ${unknown}`)).toBe(1_000);
    expect(found(5_000, "needle")).toBe(5_000);
    expect(found(5_000, `needle ${unknown}`)).toBe(0);
    expect(found(5_000, `filler ${unknown}`)).toBe(5_000);
  });

  it("looks at some places of each text where a word is part of others, fewer of many texts", () => {
    const parts = `${"xgox ".repeat(40)}go`;
    const found = (count: number) => {
      const all = Array.from({ length: count }, (_, index) => ({
        server: "s",
        tool: tool(`t${index}`, parts),
      }));
      return findTools(all, "go").tools.length;
    };
    expect(found(100)).toBe(100);
    expect(found(10_000)).toBe(0);
  });

  it("guesses for three words, and no longer than one search may take", () => {
    expect(findTools(entries, "ftech wriet raed")).toMatchObject({
      instead: "fetch write read",
    });
    expect(findTools(entries, "ftech wriet flies raed")).toMatchObject({
      instead: "fetch write files raed",
    });
    const letters = "abcdefghij";
    const all = Array.from({ length: 3_000 }, (_, index) => ({
      server: "s",
      tool: tool(`${letters.repeat(2)}${index}`),
    }));
    const last = { server: "s", tool: tool("zyxwvutsrqponmlkjihgfedcba") };
    expect(findTools([last, ...all], "zyxwvutsrqponmlkjihgfedcbb").tools).toEqual([last]);
    expect(findTools([...all, last], "zyxwvutsrqponmlkjihgfedcbb").tools).toEqual([]);
  });
});
