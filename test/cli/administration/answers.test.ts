import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { createOrg } from "../../../src/cli/commands/org.ts";
import { createTokenCommands } from "../../../src/cli/commands/token.ts";
import { exitCodeOf } from "../../../src/cli/exit-code.ts";
import { acme, AdministrationBench, refusal, tokenRow } from "./fake-gateway.ts";

let bench: AdministrationBench;
beforeEach(async () => {
  bench = await AdministrationBench.start();
});
afterEach(() => bench.stop());

test.each([
  [400, "usage", 2],
  [403, "forbidden", 4],
  [404, "not_found", 2],
  [409, "usage", 2],
  [429, "rate_limited", 6],
  [500, "store_unavailable", 1],
  [401, "auth_rejected", 4],
])("a gateway's own refusal stays what it is: %i %s", async (status, code, exitCode) => {
  bench.answer = () => refusal(status, code, "Here is why\u001b[2J");
  const { add } = createOrg(bench.dependencies);
  const failure = await bench.failure(add, { id: "acme" });
  expect(failure.code).toBe(code);
  expect(exitCodeOf(failure.code)).toBe(exitCode);
  expect(failure.message).toContain("Here is why");
  expect(bench.stdout).toBe("");
});

describe("an answer that is none", () => {
  const hostile: readonly [string, unknown][] = [
    ["no JSON", "<html>"],
    ["null", null],
    ["an array", [acme]],
    ["an empty object", {}],
    ["no id", { ...acme, id: undefined }],
    ["a number as id", { ...acme, id: 1 }],
    ["no time", { ...acme, createdAt: "soon" }],
    ["a time that is none", { ...acme, createdAt: "1".repeat(1_000_000) }],
    ["a missing null", { ...acme, deletedAt: undefined }],
  ];
  it.each(hostile)("is refused: %s", async (_what, body) => {
    const { add, list } = createOrg(bench.dependencies);
    bench.answer = () => [200, body];
    expect((await bench.failure(add, { id: "acme" })).code).toBe("unreachable");
    bench.answer = () => [200, { organizations: [acme, body], next: null }];
    expect((await bench.failure(list, { deleted: false })).code).toBe("unreachable");
    expect(bench.stdout).toBe("");
  });

  it("is a list without end, or one that is longer than was asked for", async () => {
    const { list } = createOrg(bench.dependencies);
    bench.answer = () => [200, { organizations: [acme], next: "acme" }];
    expect((await bench.failure(list, { deleted: false })).message).toContain("without end");
    expect(bench.asked).toHaveLength(2);
    bench.answer = () => [200, { organizations: Array(1001).fill(acme), next: null }];
    expect((await bench.failure(list, { deleted: false })).code).toBe("unreachable");
  });

  it.each(["od_a b", "", "od_\u001b[2J", "od_a\nod_b", 7, null])(
    "is a token that is none: %j",
    async (token) => {
      const { create, rotate } = createTokenCommands(bench.dependencies);
      bench.answer = () => [201, { token, details: tokenRow }];
      expect((await bench.failure(create, { name: "ci", scope: [] })).code).toBe("unreachable");
      expect((await bench.failure(rotate, { id: "t1" })).code).toBe("unreachable");
      expect(bench.stdout).toBe("");
    },
  );

  it("shows what is foreign as one line", async () => {
    const { list } = createOrg(bench.dependencies);
    bench.answer = () => [
      200,
      { organizations: [{ ...acme, name: `two\r\nlines ${"x".repeat(5000)}` }], next: null },
    ];
    await bench.run(list, { deleted: false });
    expect(bench.stdout.split("\n")).toHaveLength(3);
    expect(bench.stdout.length).toBeLessThan(300);
    bench.columns = 60;
    bench.stdout = "";
    await bench.run(list, { deleted: false });
    expect(Math.max(...bench.stdout.split("\n").map((line) => line.length))).toBe(60);
  });
});
