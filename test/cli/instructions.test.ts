import { expect, test } from "vitest";
import { createInstructions } from "../../src/cli/commands/instructions.ts";
import { Bench } from "./calling/bench.ts";

test("prints the text as it is, escaped on a terminal, ended by a line end", async () => {
  const bench = new Bench();
  await bench.run(createInstructions(bench.source), {});
  expect(bench.stdout).toBe("=== PLAYBOOK ===\n\u001b[31m\n");
  bench.stdout = "";
  bench.terminal = true;
  await bench.run(createInstructions(bench.source), {});
  expect(bench.stdout).toBe(`=== PLAYBOOK ===\n${String.raw`\x1b[31m`}\n`);
});

test("as JSON", async () => {
  const bench = new Bench();
  await bench.run(createInstructions(bench.source), { format: "json" });
  expect(JSON.parse(bench.stdout)).toEqual({ instructions: "=== PLAYBOOK ===\n\u001b[31m" });
});
