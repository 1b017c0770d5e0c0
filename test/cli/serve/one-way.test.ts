import { expect, test } from "vitest";
import { parseCommandLine } from "../../../src/cli/parse.ts";
import { commandTable } from "../../../src/cli/table.ts";

test("--auth given twice does not let the last one win", async () => {
  const words = ["serve", "--auth", "local", "--auth", "none"];
  await expect(parseCommandLine(words, commandTable, {})).rejects.toMatchObject({
    code: "usage",
    message: "--auth can be given only once",
    hint: 'For several ways list them under "auth" in the configuration, and leave --auth out',
  });
});

test("and wins over its twin in the environment", async () => {
  const parsed = parseCommandLine(["serve", "--auth", "local"], commandTable, {
    ONEDOOR_AUTH: "none",
  });
  await expect(parsed).resolves.toMatchObject({ options: { auth: "local" } });
});
