import { expect, test } from "vitest";
import { splitTarget } from "../../src/core/target.ts";

test.each([
  ["everything", { server: "everything" }],
  ["everything/echo", { server: "everything", tool: "echo" }],
  ["files/read/whole", { server: "files", tool: "read/whole" }],
  ["everything/", { server: "everything" }],
])("%s", (text, target) => {
  expect(splitTarget(text)).toEqual(target);
});

test.each(["/echo", "", "/"])("%j names no server", (text) => {
  expect(() => splitTarget(text)).toThrow("The server's name is missing");
});
