import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { tsSignatures } from "../../../src/cli/render/ts-signatures.ts";
import { typeOfSchema } from "../../../src/cli/render/ts-type.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import type { Tool } from "../../../src/core/mcp.ts";

const folder = mkdtempSync(join(tmpdir(), "onedoor-ts-"));
afterAll(() => rmSync(folder, { recursive: true }));
const tsc = fileURLToPath(new URL("../../../node_modules/typescript/lib/tsc.js", import.meta.url));

/** What the compiler has against a file that holds nothing but this. */
function faultsOf(text: string): string {
  const file = join(folder, "tools.ts");
  writeFileSync(file, `${text}\nexport {};\n`);
  const flags = ["--noEmit", "--ignoreConfig", "--strict", "--target", "es2022", "--types", ""];
  try {
    execFileSync(process.execPath, [tsc, ...flags, file], { stdio: "pipe" });
    return "";
  } catch (error) {
    return String(error instanceof Error && "stdout" in error ? error.stdout : error);
  }
}

const pipe = { stdoutIsTerminal: false };

test.each<[Json, string]>([
  [true, "unknown"],
  [false, "never"],
  [{}, "unknown"],
  [{ type: "integer" }, "number"],
  [{ type: ["string", "null"] }, "string | null"],
  [{ type: "string", nullable: true }, "string | null"],
  [{ enum: ["a", 1, null] }, '"a" | 1 | null'],
  [{ const: { a: [1, "b"] } }, '{ a: [1, "b"] }'],
  [{ type: "array", items: { type: "string" } }, "Array<string>"],
  [{ items: { enum: ["a", "b"] } }, 'Array<"a" | "b">'],
  [{ prefixItems: [{ type: "string" }], items: false }, "[string]"],
  [
    { type: "array", prefixItems: [{ type: "string" }, { type: "null" }], minItems: 1 },
    "[string, (null)?, ...Array<unknown>]",
  ],
  [{ anyOf: [{ type: "string" }, { type: "number" }] }, "string | number"],
  [{ type: "object", oneOf: [{ const: "a" }, { const: "b" }] }, '"a" | "b"'],
  [{ allOf: [{ enum: ["a", "b"] }, { type: "string" }] }, '("a" | "b") & string'],
  [{ type: "object" }, "Record<string, unknown>"],
  [{ type: "object", additionalProperties: false }, "Record<string, never>"],
  [{ type: "object", additionalProperties: { type: "number" } }, "{ [key: string]: number }"],
  [{ $ref: "#/$defs/a~1b", $defs: { "a/b": { type: "boolean" } } }, "boolean"],
  [{ $ref: "https://example.com/schema" }, "unknown"],
  [{ $ref: "#" }, "unknown /* # again */"],
  [
    { properties: { constructor: { type: "string" } }, required: ["constructor"] },
    "{\n  constructor: string;\n}",
  ],
])("%j", (schema, type) => {
  expect(typeOfSchema(schema)).toBe(type);
});

test("a tool: names, comments, required and optional, its result", () => {
  const tool: Tool = {
    name: "get-sum",
    description: "Adds */ up\nsecond line",
    inputSchema: {
      properties: {
        a: { type: "integer", description: "One", default: 1, minimum: 0 },
        "b-c": { type: "string", format: "uri" },
        d: { $ref: "#/$defs/node" },
      },
      required: ["a"],
      $defs: { node: { properties: { next: { $ref: "#/$defs/node" } } } },
    },
    outputSchema: { type: "object", properties: { sum: { type: "number" } }, required: ["sum"] },
  };
  const text = tsSignatures([tool, { name: "new", inputSchema: { type: "object" } }], "math", pipe);
  expect(text).toBe(`/** math */
interface Tools {
  /**
   * Adds *\\/ up
   * second line
   */
  "get-sum"(input: {
    /**
     * One
     * @type integer
     * @minimum 0
     * @default 1
     */
    a: number;
    /** @format uri */
    "b-c"?: string;
    d?: {
      next?: unknown /* #/$defs/node again */;
    };
  }): {
    sum: number;
  };
  "new"(): unknown;
}
`);
  expect(faultsOf(text)).toBe("");
  expect(faultsOf(`${text}!`)).not.toBe("");
});

test("on a terminal nothing in it acts, and it is the same TypeScript", () => {
  const tool: Tool = {
    name: "\u001b[31m",
    description: "\u202ereversed",
    inputSchema: { properties: { a: { const: "\u0007" } } },
  };
  const text = tsSignatures([tool], "x", { stdoutIsTerminal: true });
  // oxlint-disable-next-line no-control-regex -- they are what must not be there
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/u);
  expect(text).toContain(String.raw`"\u001b[31m"(input?: {`);
  expect(faultsOf(text)).toBe("");
});

const twice = (name: string): JsonObject => ({
  anyOf: [{ $ref: `#/$defs/${name}` }, { items: { $ref: `#/$defs/${name}` } }],
});

test("schemas that would be without an end are bounded", () => {
  const $defs = Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [`a${index}`, twice(`a${index + 1}`)]),
  );
  let deep: JsonObject = { type: "string" };
  for (let index = 0; index < 5000; index += 1) deep = { type: "array", items: deep };
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`p${index}`, {}]));
  const schemas: JsonObject[] = [
    { ...twice("a0"), $defs },
    { properties: { deep } },
    { properties: many },
    { properties: { a: { enum: Array.from({ length: 5000 }, (_, index) => index) } } },
  ];
  for (const inputSchema of schemas) {
    const text = tsSignatures([{ name: "big", inputSchema }], "x", pipe);
    expect(text.length).toBeLessThan(300_000);
    expect(faultsOf(text)).toBe("");
  }
});

test("whatever schemas say, it is TypeScript", () => {
  const words = fc.constantFrom("string", "integer", "null", "array", "object", "*/", "new", "a-b");
  const keys = fc.constantFrom(
    "type",
    "enum",
    "const",
    "anyOf",
    "oneOf",
    "allOf",
    "items",
    "prefixItems",
    "required",
    "properties",
    "additionalProperties",
    "$ref",
    "$defs",
    "format",
    "description",
    "default",
    "nullable",
    "minItems",
    "__proto__",
    "pattern",
    "title",
  );
  const { schema } = fc.letrec((tie) => ({
    schema: fc.dictionary(keys, tie("value"), { maxKeys: 5 }),
    value: fc.oneof(
      { maxDepth: 5, depthIdentifier: "schema" },
      words,
      fc.constantFrom("#", "#/$defs/a", "#/properties/type"),
      fc.jsonValue({ maxDepth: 1 }),
      fc.string({ unit: "binary" }),
      fc.array(tie("value"), { maxLength: 4 }),
      tie("schema"),
    ),
  }));
  const some = fc.sample(fc.tuple(fc.string({ unit: "binary" }), schema, schema), 600);
  const tools = some.map(([name, inputSchema, outputSchema]) => ({
    name,
    description: name,
    inputSchema,
    outputSchema,
  }));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made to be like it
  expect(faultsOf(tsSignatures(tools as Tool[], "any", pipe))).toBe("");
});
