import { expect, test } from "vitest";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { toolSignature } from "../../src/core/signature.ts";

function signature(properties: JsonObject, required: Json[] = [], name = "tool"): string {
  return toolSignature("server", { name, inputSchema: { type: "object", properties, required } });
}

test("required parameters come first, optional ones stand in brackets", () => {
  expect(
    signature({ b: { type: "number" }, a: { type: "string" }, c: { type: "boolean" } }, ["a"]),
  ).toBe("server/tool a=<string> [b=<number>] [c=<boolean>]");
});

test("a tool without parameters, and one without a server", () => {
  expect(signature({})).toBe("server/tool");
  expect(toolSignature(undefined, { name: "echo", inputSchema: {} })).toBe("echo");
});

test("lists, objects and parameters without a type are given as JSON", () => {
  expect(signature({ a: { type: "array" }, b: { type: "object" }, c: {} }, ["a", "b", "c"])).toBe(
    "server/tool a:=<array> b:=<object> c:=<json>",
  );
});

test("short choices are shown, in quotes because of the pipe", () => {
  expect(signature({ level: { enum: ["debug", "info"] } })).toBe(
    "server/tool [level='<debug|info>']",
  );
});

test("foreign names and choices cannot act on a shell or a terminal", () => {
  expect(signature({ "a b;$(x)": { type: "string" } }, ["a b;$(x)"], "t`id`")).toBe(
    "'server/t`id`' 'a b;$(x)'=<string>",
  );
  expect(signature({ a: { type: "string", enum: ["$(x)"] } }, ["a"])).toBe(
    "server/tool a=<string>",
  );
  expect(signature({ a: { type: ["string", "$(x)", "null"] } }, ["a"])).toBe(
    "server/tool a='<string|null>'",
  );
  expect(signature({}, [], "\x1b[2J")).toBe(String.raw`'server/\x1b[2J'`);
});

test("a required parameter that the schema does not describe is still asked for", () => {
  expect(signature({}, ["toString"])).toBe("server/tool toString:=<json>");
});
