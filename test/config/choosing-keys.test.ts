import { describe, expect, test } from "vitest";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { paths, load, problem } = useConfigurationFolder();

const servers = {
  files: { command: "x", tags: ["local"] },
  shop: { url: "https://shop.example/mcp", tags: ["web", "slow"], disabled: true },
};
const withPreset = (preset: object): object => ({ mcpServers: servers, presets: { dev: preset } });
const withTools = (tools: object): object => ({ mcpServers: { files: { command: "x", tools } } });

async function doubtsOf(written: object): Promise<string[]> {
  const doubts: string[] = [];
  await load(written, { onDoubt: (doubt) => doubts.push(doubt) });
  return doubts.map((doubt) => doubt.replace(paths.file, "FILE").replace(/^FILE:\d+: /u, ""));
}

describe("presets", () => {
  test("are taken over as written, and there are none unless written", async () => {
    const dev = { servers: ["files", "shop"], tags: ["web"], filter: "web and not local" };
    expect((await load(withPreset(dev))).presets).toEqual(new Map([["dev", dev]]));
    expect((await load({})).presets).toEqual(new Map());
    expect(await doubtsOf(withPreset(dev))).toEqual([]);
  });

  test.each<[what: string, preset: object, message: RegExp]>([
    [
      "a filter that ends too early",
      { filter: "web and" },
      /^FILE:\d+: presets\.dev\.filter: character 8: a tag is missing here$/u,
    ],
    [
      "an open bracket",
      { filter: "(web" },
      /^FILE:\d+: presets\.dev\.filter: character 5: a closing bracket is missing here$/u,
    ],
    ["a misspelt key", { tag: ["web"] }, /presets\.dev\.tag: unknown key; did you mean tags\?$/u],
    ["an empty filter", { filter: "" }, /presets\.dev\.filter: must not be empty$/u],
    ["servers that are no list", { servers: "files" }, /presets\.dev\.servers: expected a list/u],
  ])("refuses %s", async (_what, preset, message) => {
    expect((await problem(withPreset(preset)))[0]).toMatch(message);
  });

  test("say at which line of the file a filter is wrong", async () => {
    const text = JSON.stringify(withPreset({ servers: ["files"], filter: "a b" }), null, 2);
    const line = text.split("\n").findIndex((each) => each.includes('"filter"')) + 1;
    const [message] = await problem(withPreset({ servers: ["files"], filter: "a b" }));
    expect(message).toBe(
      `FILE:${line}: presets.dev.filter: character 3: and, or are missing before this`,
    );
  });

  test.each<[name: string, reason: string]>([
    [" dev", "a preset's name must not begin or end with a space"],
    [" ", "the preset's name must not be empty"],
    ["a\u202eb", "a preset's name must not hold control or invisible characters"],
    ["x".repeat(65), "a preset's name has at most 64 characters"],
  ])("refuse the name %j", async (name, reason) => {
    expect((await problem({ presets: { [name]: {} } }))[0]).toContain(reason);
  });

  test.each<[what: string, preset: object, doubt: string]>([
    [
      "a server that is not there",
      { servers: ["files", "flies"] },
      'presets.dev.servers[1]: there is no such server: did you mean "files"?',
    ],
    ["a tag that no server has", { tags: ["beta"] }, "presets.dev.tags[0]: no server has this tag"],
    [
      "such a tag in a filter",
      { filter: "local and not webb" },
      'presets.dev.filter: no server has the tag "webb": did you mean "web"?',
    ],
    ["no server", { servers: [] }, "presets.dev.servers: is empty, so the preset chooses nothing"],
    ["nothing at all", {}, "presets.dev: says nothing, so it chooses every server"],
  ])("doubt %s", async (_what, preset, doubt) => {
    expect(await doubtsOf(withPreset(preset))).toEqual([doubt]);
  });
});

describe("tools of a server", () => {
  test("are all offered as they are, unless written otherwise", async () => {
    const { servers: plain } = await load({ mcpServers: { files: { command: "x" } } });
    expect(plain.get("files")?.tools).toEqual({ allow: [], deny: [], descriptions: {} });
    const tools = { allow: ["read_*"], deny: ["read_all"], descriptions: { read_one: "Reads" } };
    expect((await load(withTools(tools))).servers.get("files")?.tools).toEqual(tools);
  });

  test.each<[tools: object, doubt: string]>([
    [
      { allow: [] },
      'mcpServers.files.tools.allow: is empty, which offers every tool: for none write "deny": ["*"]',
    ],
    [
      { allow: ["a", "b"], deny: ["b"] },
      "mcpServers.files.tools.allow[1]: stands in deny as well, and deny wins: leave it out of one",
    ],
  ])("%j is doubted", async (tools, doubt) => {
    expect(await doubtsOf(withTools(tools))).toEqual([doubt]);
  });

  test("refuse a misspelt key", async () => {
    expect((await problem(withTools({ denyy: [] })))[0]).toContain(
      "mcpServers.files.tools.denyy: unknown key; did you mean deny?",
    );
  });
});
