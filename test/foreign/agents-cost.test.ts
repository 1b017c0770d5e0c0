import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startHundredTools } from "./support/hundred-tools.ts";
import type { HundredTools } from "./support/hundred-tools.ts";
import { byCommandLine, byDiscoverMode, byWholeList } from "./support/reading.ts";
import type { Reading, Step } from "./support/reading.ts";

let gateway: HundredTools;
beforeAll(async () => {
  gateway = await startHundredTools();
});
afterAll(() => gateway?.stop());

/** A path of a temporary folder is read as a few tokens more or fewer. */
const near = (figure: number): unknown =>
  expect.closeTo(figure, -Math.log10(Math.max(1, figure / 20)));

/** Another one each time: what is there already is not answered. */
let notes = 0;
const note = (): Step => {
  notes += 1;
  const entity = { name: `Door${notes}`, entityType: "tool", observations: ["opens"] };
  return {
    server: "memory",
    tool: "create_entities",
    args: { entities: [entity] },
    query: "create entities in the knowledge graph",
  };
};
const adding: Step = {
  server: "everything",
  tool: "get-sum",
  args: { a: 2, b: 40 },
  query: "sum of two numbers",
};
const folder = (): Step => ({
  server: "files",
  tool: "list_directory",
  args: { path: gateway.folder },
  query: "list a directory",
});
const tasks = {
  "one tool": () => [note()],
  "three tools of three servers": () => [note(), adding, folder()],
};

test("the command line costs a model at most a fifth of the whole list, as docs/agents.md says", async () => {
  const counts = Object.values(gateway.toolCounts);
  const tools = counts.reduce((all, count) => all + count, 0);
  expect(tools).toBeGreaterThanOrEqual(100);
  const rows: Row[] = [];
  for (const [task, steps] of Object.entries(tasks)) {
    const whole = await byWholeList(gateway, steps());
    const discover = await byDiscoverMode(gateway, steps());
    const commandLine = await byCommandLine(gateway, steps());
    expect(total(commandLine)).toBeLessThanOrEqual(total(whole) / 5);
    const row = (way: string, { before, steps: found }: Reading): Row => {
      const sum = before + found;
      return [task, way, before, found, sum, (100 * sum) / total(whole)];
    };
    rows.push(
      row("the whole list", whole),
      row("`mode=discover`", discover),
      row("the command line", commandLine),
    );
  }
  const page = readFileSync(new URL("../../docs/agents.md", import.meta.url), "utf8");
  expect(page).toContain(`${tools} tools of ${counts.length} servers`);
  const figures = rows.map(([task, way, ...numbers]) => [task, way, ...numbers.map(near)]);
  console.log(asTable(rows));
  expect(rowsIn(page)).toEqual(figures);
});

type Row = [task: string, way: string, before: number, steps: number, sum: number, percent: number];

const total = ({ before, steps }: Reading): number => before + steps;

/** As the page has it. */
function asTable(rows: readonly Row[]): string {
  return rows
    .map(([task, way, ...numbers]) => {
      const cells = numbers.map((number) => Math.round(number).toLocaleString("en"));
      return `| ${[task, way, ...cells].join(" | ")} % |`;
    })
    .join("\n");
}

/** The rows of the page's table of figures. */
function rowsIn(page: string): Row[] {
  return cellsIn(page).flatMap(([task = "", way = "", ...cells]): Row[] => {
    const [before = NaN, steps = NaN, sum = NaN, percent = NaN] = cells.map((cell) =>
      Number(cell.replaceAll(/[,%\s]/gu, "")),
    );
    return Number.isNaN(percent) ? [] : [[task, way, before, steps, sum, percent]];
  });
}

/** The rows of a page's tables. */
function cellsIn(page: string): string[][] {
  return page
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
