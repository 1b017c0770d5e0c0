import { expect, test } from "vitest";
import { resultParts } from "../../../src/cli/render/tool-result.ts";

const png = { kind: "binary", bytes: Buffer.from("png"), mimeType: "image/png" };
const base64 = Buffer.from("png").toString("base64");

test.each([
  ["text", { type: "text", text: "a\nb" }, { kind: "text", text: "a\nb" }],
  ["an image", { type: "image", data: base64, mimeType: "image/png" }, png],
  ["audio", { type: "audio", data: base64, mimeType: "image/png" }, png],
  [
    "a text resource",
    { type: "resource", resource: { uri: "x:y", text: "t" } },
    { kind: "text", text: "t" },
  ],
  [
    "a blob without a type",
    { type: "resource", resource: { uri: "x:y", blob: base64 } },
    { ...png, mimeType: "application/octet-stream" },
  ],
  [
    "a link",
    {
      type: "resource_link",
      uri: "file:///a",
      name: "A",
      description: "first\nletter",
      mimeType: "text/plain",
    },
    { kind: "text", text: "file:///a  A  first letter  text/plain" },
  ],
])("%s", (_what, block, part) => {
  expect(resultParts({ content: [block] })).toEqual([part]);
});

test.each([
  [{ type: "hologram", frames: [1] }],
  [{ type: "text" }],
  [{ type: "image", data: "no base64!" }],
  [{ type: "resource", resource: { uri: "x:y" } }],
  [42],
])("what is of no known kind is shown as JSON: %j", (block) => {
  expect(resultParts({ content: [block] })).toEqual([
    { kind: "text", text: JSON.stringify(block, null, 2) },
  ]);
});

test("structured content is the answer where there is no other", () => {
  const structuredContent = { a: 1 };
  expect(resultParts({ content: [], structuredContent })).toEqual([
    { kind: "text", text: '{\n  "a": 1\n}' },
  ]);
  const content = [{ type: "text", text: "a is 1" }];
  expect(resultParts({ content, structuredContent })).toEqual([{ kind: "text", text: "a is 1" }]);
});

test("nothing is nothing, and a result of another kind is shown whole", () => {
  expect(resultParts({ content: [] })).toEqual([]);
  expect(resultParts({ toolResult: 1 })).toEqual([
    { kind: "text", text: '{\n  "toolResult": 1\n}' },
  ]);
});
