import {
  PromptSchema,
  ResourceSchema,
  ResourceTemplateSchema,
  ToolSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, it } from "vitest";
import { listingFault } from "../../src/core/listing-fault.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import type { ListKind } from "../../src/core/mcp.ts";

const whole: Record<ListKind, JsonObject> = {
  tools: {
    name: "t",
    title: "T",
    description: "d",
    inputSchema: { type: "object", properties: { a: {} }, required: ["a"], "x-y": 1 },
    outputSchema: { type: "object", properties: {}, required: [] },
    annotations: { title: "x", readOnlyHint: true, openWorldHint: false, "x-new": 1 },
    execution: { taskSupport: "optional" },
    icons: [{ src: "data:,", sizes: ["any"], theme: "dark", mimeType: "image/png" }],
    _meta: { "a/b": null },
    "x-unknown": [null],
  },
  prompts: {
    name: "p",
    title: "P",
    description: "d",
    arguments: [{ name: "a", description: "d", required: true, "x-new": 1 }],
    icons: [],
    _meta: {},
  },
  resources: {
    uri: "x:1",
    name: "r",
    title: "R",
    description: "d",
    mimeType: "text/plain",
    size: 3,
    annotations: { audience: ["user"], priority: 0.5, lastModified: "2025-01-12T15:00:58Z" },
    icons: [],
    _meta: {},
  },
  resourceTemplates: {
    uriTemplate: "x:{a}",
    name: "r",
    title: "R",
    description: "d",
    mimeType: "text/plain",
    annotations: { audience: ["assistant"] },
    icons: [],
    _meta: {},
  },
};

const schemas = {
  tools: ToolSchema,
  prompts: PromptSchema,
  resources: ResourceSchema,
  resourceTemplates: ResourceTemplateSchema,
};

const strange: (Json | undefined)[] = [
  undefined,
  null,
  true,
  5,
  "text",
  [],
  {},
  [null],
  ["text"],
  [{}],
  { type: "array" },
  { type: "object" },
  { type: "object", properties: [] },
  { type: "object", properties: { a: true } },
  { type: "object", properties: { a: [] } },
  { type: "object", required: "a" },
  { title: 1 },
  { readOnlyHint: "yes" },
  { audience: ["user", "nobody"] },
  { priority: 2 },
  { lastModified: "yesterday" },
  { taskSupport: "often" },
  [{ src: 1 }],
  [{ src: "x", sizes: "any" }],
  [{ name: "a", required: "yes" }],
];

const kinds = ["tools", "prompts", "resources", "resourceTemplates"] as const;

describe.each(kinds)("an entry of %s", (kind) => {
  it("is taken as its revision describes it, with whatever it has beside", () => {
    expect(listingFault(kind, whole[kind], "legacy")).toBeUndefined();
    expect(listingFault(kind, whole[kind], "modern")).toBeUndefined();
  });

  it("is faulty where a widely used strict client refuses it, and nowhere else", () => {
    for (const member of Object.keys(whole[kind])) {
      for (const value of strange) {
        const { [member]: _left, ...rest } = whole[kind];
        const entry = value === undefined ? rest : { ...rest, [member]: value };
        const fault = listingFault(kind, entry, "legacy");
        const accepted = schemas[kind].safeParse(entry).success;
        const said = fault?.startsWith(`its ${member} is not `) ?? "nothing";
        expect([member, value, said]).toEqual([member, value, accepted ? "nothing" : true]);
      }
    }
  });
});
