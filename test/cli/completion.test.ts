import { expect, it } from "vitest";
import { describeCompletion, shells } from "./support/shell-completion.ts";

// zsh and fish have a script of their own: npm run test:shells.
describeCompletion("bash");

it("bash completes a value after =, which it splits off", async () => {
  expect(await shells.bash(["agent", "inspect", "--format", "=", "j"])).toEqual(["json"]);
  expect(await shells.bash(["agent", "inspect", "--format", "="])).toEqual([
    "text",
    "json",
    "toon",
    "ts",
  ]);
});
