import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { detailedTable } from "../../../src/cli/render/detailed-table.ts";
import { fittingTable } from "../../../src/cli/render/fitting-table.ts";
import { serverTable } from "../../../src/cli/render/server-list.ts";
import { fitsWidth } from "../../../src/cli/render/text-table.ts";
import { serverCostTable } from "../../../src/cli/tokens/show-costs.ts";
import { textWidth } from "../../../src/core/text-width.ts";

const terminal = { stdoutIsTerminal: true, columns: 80, foreign: (text: string) => text };
const reason = "Process ended before it answered ".repeat(8);
const row = { name: "日本語サーバー", state: "unavailable", toolCount: 0, tags: ["a"] } as const;

test("the servers fit the terminal, and a pipe gets the reason whole", () => {
  const rows = [
    { ...row, reason },
    { ...row, name: "plain", reason: "gone" },
  ];
  const shown = serverTable(rows, terminal);
  expect(fitsWidth(shown, 80)).toBe(true);
  expect(shown).toContain("日本語サーバー");
  expect(shown).toContain("…");
  expect(serverTable(rows, { ...terminal, stdoutIsTerminal: false })).toContain(reason.trim());
});

test("columns stand below each other whatever is in them, and within the width", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", "日", "👍", "é", "e\u0301") });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
      const lines = fittingTable(
        rows.map(([one, two]) => [`${one}|`, two, "#"]),
        { ...terminal, columns: 40 },
      ).split("\n");
      const ends = lines.slice(0, -1).map((line) => textWidth(line));
      expect(new Set(ends).size).toBe(1);
      expect(ends[0]).toBeLessThanOrEqual(40);
    }),
  );
});

const states = ["ready", "unavailable", "starting"] as const;
const names = ["everything", "github-enterprise-cloud", "db"];

const widest = (text: string): number =>
  Math.max(...text.split("\n").map((line) => textWidth(line)));

describe.each([40, 50, 60, 80])("at %i columns", (columns) => {
  const io = { ...terminal, columns };

  test("servers", () => {
    const shown = serverTable(
      names.map((name, index) => ({
        name,
        state: states[index] ?? "ready",
        ...(index === 1 && { reason }),
        toolCount: 13,
        counts: { prompts: 4, resources: 107, resourceTemplates: 2 },
        tags: ["demo", "development"],
      })),
      io,
    );
    expect(widest(shown)).toBeLessThanOrEqual(columns);
    // Numbers are whole.
    expect(shown).toMatch(/ 13 .* 107 /u);
    expect(shown.includes("github-enterprise-cloud")).toBe(columns >= 60);
  });

  test("costs", () => {
    const costs = names.map((name, index) => ({
      name,
      state: states[index] ?? "ready",
      tools: Array.from({ length: 26 }, () => ({ name: "x", tokens: 480 })),
      toolTokens: 12_480,
      instructionTokens: 388,
      total: 12_868,
    }));
    const shown = serverCostTable(costs, io);
    expect(widest(shown)).toBeLessThanOrEqual(columns);
    expect(shown).toMatch(/ 26 +12480 +388 +12868 /u);
    expect(shown).toMatch(/^everyth/mu);
  });

  test("rows with ids and a line below", () => {
    const rows = [
      ["ID", "NAME", "EXPIRES"],
      ["0198f2c4-7d7e-7c3a-9a5e-2f6a8f0d1b11", "ci", "2026-12-31"],
    ];
    const shown = detailedTable(rows, ["alice in acme: ".repeat(12).trim()], io, [0, 2]);
    expect(widest(shown)).toBeLessThanOrEqual(columns);
    expect(shown.replaceAll(/\s+/gu, " ")).toContain("alice in acme: ".repeat(12).trim());
    expect(shown.includes("0198f2c4-7d7e-7c3a-9a5e-2f6a8f0d1b11  ")).toBe(columns >= 50);
  });
});
