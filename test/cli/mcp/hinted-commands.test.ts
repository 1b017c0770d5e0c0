import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseCommandLine } from "../../../src/cli/parse.ts";
import { commandTable } from "../../../src/cli/table.ts";
import { keepSecretCommand } from "../../../src/core/secret-reference.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const sources = ["src/cli/mcp", "src/cli/commands/mcp"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file)),
);

/** Every command in a text of the program's own, to where its sentence goes on; what is put in counts as one word. */
function commandsIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w`@/.])agent ((?:mcp|serve)[^"`;,\n]*)/gu)].map(
    ([, words = ""]) =>
      words
        .replaceAll(/\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/gu, "word")
        .replaceAll(/<[^<>]*>/gu, "word")
        .replaceAll(/\[[^[\]]*\]/gu, "word")
        .replaceAll(/'[^']*'/gu, "word")
        .replace(/(?: (?:keeps?|takes?|brings?|prints) |:|\)| \|).*$/u, "")
        .trim(),
  );
}

const kept = [
  keepSecretCommand("a/KEY"),
  keepSecretCommand("a/X-Api-Key", "headers"),
  keepSecretCommand("a/b/c"),
];
const found = [
  ...sources.flatMap((file) => commandsIn(readFileSync(join(root, file), "utf8"))),
  ...kept.flatMap(commandsIn),
];

it.each([...new Set(found)])("agent %s is a command", async (words) => {
  // Its name alone is spoken of, and not to be typed.
  if (commandTable.some(({ path }) => path.join(" ") === words)) return;
  const invocation = await parseCommandLine(words.split(" "), commandTable, {});
  expect(invocation.kind).toBe("run");
});

it("and there are some", () => {
  expect(found).toContain("mcp add word --env word --replace");
  expect(found.length).toBeGreaterThan(10);
});
