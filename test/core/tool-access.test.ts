import { describe, expect, it } from "vitest";
import type { ServerAccess } from "../../src/core/configuration.ts";
import { parseJson } from "../../src/core/json.ts";
import type { Tool } from "../../src/core/mcp.ts";
import { toolAccess } from "../../src/core/tool-access.ts";

const trusted: ServerAccess = { read: [], write: [], organizations: [], trustHints: true };
const distrusted: ServerAccess = { ...trusted, trustHints: false };

/** As it would come from a server. */
const tool = (annotations?: string, name = "files_write"): Tool =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- servers list what they like
  parseJson(
    JSON.stringify({ name, inputSchema: {} }).replace(
      /\}$/u,
      annotations === undefined ? "}" : `,"annotations":${annotations}}`,
    ),
  ) as Tool;

describe("without a word in the configuration", () => {
  it.each([
    ["nothing", undefined],
    ["empty annotations", "{}"],
    ["a hint that it changes things", '{"readOnlyHint":false}'],
    ["both hints", '{"readOnlyHint":true,"destructiveHint":true}'],
    ["only that it destroys nothing", '{"destructiveHint":false}'],
    ["the word true", '{"readOnlyHint":"true"}'],
    ["the number 1", '{"readOnlyHint":1}'],
    ["a list", '{"readOnlyHint":[true]}'],
    ["an object", '{"readOnlyHint":{}}'],
    ["doubt about destruction: a word", '{"readOnlyHint":true,"destructiveHint":"true"}'],
    ["doubt about destruction: a number", '{"readOnlyHint":true,"destructiveHint":1}'],
    ["doubt about destruction: an empty word", '{"readOnlyHint":true,"destructiveHint":""}'],
    ["the hint under a prototype's name", '{"__proto__":{"readOnlyHint":true}}'],
    ["the hint in capitals", '{"ReadOnlyHint":true}'],
    ["annotations that are a list", '[{"readOnlyHint":true}]'],
    ["annotations that are text", '"readOnlyHint"'],
    ["annotations that are null", "null"],
    ["annotations that are true", "true"],
  ])("a tool that says %s changes things", (_what, annotations) => {
    expect(toolAccess(trusted, tool(annotations))).toBe("write");
  });

  it.each([
    ["that it only reads", '{"readOnlyHint":true}'],
    ["so twice", '{"readOnlyHint":true,"destructiveHint":false}'],
    ["so, and nothing of destruction", '{"readOnlyHint":true,"destructiveHint":null}'],
    ["more beside it", '{"title":5,"readOnlyHint":true,"openWorldHint":"x"}'],
  ])("a tool that says %s reads, where it is believed", (_what, annotations) => {
    expect(toolAccess(trusted, tool(annotations))).toBe("read");
    expect(toolAccess(distrusted, tool(annotations))).toBe("write");
  });

  it("believes nothing that is inherited", () => {
    const inherited: Tool = Object.assign(Object.create({ annotations: { readOnlyHint: true } }), {
      name: "x",
      inputSchema: {},
    });
    const annotations: Tool["annotations"] = Object.create({ readOnlyHint: true });
    expect(toolAccess(trusted, inherited)).toBe("write");
    expect(toolAccess(trusted, { ...tool(), annotations: annotations ?? null })).toBe("write");
  });
});

describe("the configuration", () => {
  const reads = '{"readOnlyHint":true}';
  it.each<[string, Partial<ServerAccess>, string | undefined, "read" | "write"]>([
    ["read, against no hint", { read: ["files_*"] }, undefined, "read"],
    ["read, where hints are not believed", { read: ["*"], trustHints: false }, undefined, "read"],
    [
      "read, against a hint of destruction",
      { read: ["files_write"] },
      '{"destructiveHint":true}',
      "read",
    ],
    ["write, against a hint", { write: ["files_*"] }, reads, "write"],
    ["write before read", { write: ["*_write"], read: ["files_write"] }, reads, "write"],
    ["something of others", { write: ["git_*"], read: ["Files_*"] }, undefined, "write"],
    ["something of others: the hint counts", { write: ["git_*", "file?"] }, reads, "read"],
    ["a part of the name", { read: ["files"] }, undefined, "write"],
    ["an exposed name", { read: ["server__files_write"] }, undefined, "write"],
    ["one letter", { read: ["files?write"] }, undefined, "read"],
  ])("says %s", (_what, access, annotations, expected) => {
    expect(toolAccess({ ...trusted, ...access }, tool(annotations))).toBe(expected);
  });
});
