import { afterAll, beforeAll, expect, test } from "vitest";
import { startSignedInGateway } from "./run-bench.ts";
import type { SignedInGateway } from "./run-bench.ts";

let up: SignedInGateway;
beforeAll(async () => {
  up = await startSignedInGateway();
});
afterAll(async () => {
  await up.stop();
});

test("prints playbook, summary and details; what servers say is a quotation", async () => {
  const { code, stdout } = await up.agent(["instructions"]);
  expect(code).toBe(0);
  const headings = stdout.split("\n").filter((line) => line.startsWith("==="));
  expect(headings).toEqual([
    "=== PLAYBOOK ===",
    "=== SERVER SUMMARY ===",
    "=== SERVER DETAILS ===",
  ]);
  expect(stdout).toContain("everything/echo message=<string>");
  expect(stdout).toMatch(/Said by .*everything.*\n\s*\| # Everything Server/u);
});

test("the same as JSON, and for a reader who leaves", async () => {
  const { stdout } = await up.agent(["instructions", "--json"]);
  expect(JSON.parse(stdout)).toEqual({ instructions: expect.stringContaining("=== PLAYBOOK ===") });
  const { codes, stdout: first, stderr } = await up.bash("agent -q instructions | head -1");
  expect({ codes, first, stderr }).toEqual({
    codes: [0, 0],
    first: "=== PLAYBOOK ===\n",
    stderr: "",
  });
});
