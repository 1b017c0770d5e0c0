import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { benches } from "../bench/bench.mjs";
import type { Row } from "../bench/bench.mjs";
import { commands } from "../bench/command-line.mjs";
import { interleave, median, ratioOf } from "../bench/interleave.mjs";
import { readMachine } from "../bench/machine.mjs";
import { drawPicture } from "../bench/picture.mjs";
import { createReport } from "../bench/report.mjs";
import { chooseBenches, runBenches } from "../bench/run-benches.mjs";
import { runProgram } from "../bench/run-program.mjs";
import { formatTable, isAllMet, verdictOf } from "../bench/table.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

const version: Row = {
  what: "agent --version",
  value: 1.1,
  unit: "×",
  target: { most: 1.15 },
  detail: "49.1 ms against 44.6 ms of node -e 0, 21 pairs",
  figures: { measured: 49.123_456, base: 44.6 },
};
const throughput: Row = {
  what: "throughput <32> & more",
  value: 0.57,
  unit: "×",
  target: { least: 0.7 },
  detail: "",
};
const size: Row = { what: "size", value: 30.71, unit: "MB", detail: "" };
const results = [
  { name: "start", seconds: 17.4, rows: [version] },
  { name: "call", seconds: 60, rows: [throughput, size] },
];

describe("pairs", () => {
  it("have a median", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it("are compared each with its own other", () => {
    // The machine was slow in the second round: the ratio of the medians would say 1.
    expect(ratioOf([2, 40, 3], [1, 20, 1.5])).toBe(2);
    expect(ratioOf([1, 2], [1])).toBeNaN();
  });

  it("are measured in turn, the other way round every other time, and first once to warm up", async () => {
    const order: string[] = [];
    const rounds: number[] = [];
    const measured = (name: string) => () => Promise.resolve(order.push(name));
    const figures = await interleave({
      pairs: 2,
      runs: { a: measured("a"), b: measured("b") },
      onRound: (round) => rounds.push(round),
    });
    expect(order.join("")).toBe("abbaab");
    expect(figures).toEqual({ a: [4, 5], b: [3, 6] });
    expect(rounds).toEqual([1, 2]);
  });

  it("end with the first that fails", async () => {
    let others = 0;
    const runs = {
      fails: () => Promise.reject(new Error("an error answer")),
      other: () => Promise.resolve(++others),
    };
    await expect(interleave({ pairs: 3, runs })).rejects.toThrow("an error answer");
    expect(others).toBe(0);
  });
});

describe("the table", () => {
  it("says of each figure whether it met its target", () => {
    expect(verdictOf(version)).toBe("met");
    expect(verdictOf({ ...version, value: 1.15 })).toBe("met");
    expect(verdictOf({ ...version, value: 1.151 })).toBe("MISSED");
    expect(verdictOf(throughput)).toBe("MISSED");
    expect(verdictOf({ ...throughput, value: 0.7 })).toBe("met");
    expect(verdictOf(size)).toBe("");
    expect(verdictOf({ ...version, value: Number.NaN })).toBe("MISSED");
  });

  it("has a line for each figure, and what failed", () => {
    const failed = { name: "package", seconds: 0.4, rows: [], error: "Error: no\n  at x" };
    expect(formatTable([...results, failed]).split("\n")).toEqual([
      "start (17 s)",
      "  agent --version           1.10×  ≤ 1.15×  met     49.1 ms against 44.6 ms of node -e 0, 21 pairs",
      "call (60 s)",
      "  throughput <32> & more    0.57×  ≥ 0.7×   MISSED",
      "  size                    30.7 MB",
      "package (0 s)",
      "  FAILED: Error: no",
      "      at x",
    ]);
    expect(isAllMet([{ name: "start", seconds: 1, rows: [version, size] }])).toBe(true);
    expect(isAllMet(results)).toBe(false);
    expect(isAllMet([failed])).toBe(false);
  });
});

describe("a benchmark", () => {
  it("that gets an error answer has failed, and the next one runs", async () => {
    const good = { run: () => Promise.resolve([version]) };
    const all = {
      refused: { run: () => Promise.reject(new Error("answered 500")) },
      empty: { run: () => Promise.resolve([]) },
      good,
    };
    const found = await runBenches({ benches: all, pairs: 1, progress: () => undefined });
    expect(found.map(({ name, rows, error }) => [name, rows, error?.split("\n")[0]])).toEqual([
      ["refused", [], "Error: answered 500"],
      ["empty", [], "Error: It measured nothing"],
      ["good", [version], undefined],
    ]);
  });

  it("of a program fails when that fails or takes too long", async () => {
    const options = { cwd: tmpdir(), env: {} };
    const node = (text: string, more = {}) =>
      runProgram(process.execPath, ["-e", text], { ...options, ...more });
    await expect(node("console.error('no'); process.exitCode = 3")).rejects.toThrow(
      /ended with 3 after \d+ ms:\nno/u,
    );
    await expect(node("setInterval(() => {}, 1000)", { timeoutMs: 100 })).rejects.toThrow(
      "SIGKILL",
    );
    await expect(runProgram("/nowhere/x", [], options)).rejects.toThrow("ENOENT");
    const { stdout, aside } = await node("console.log(1); require('fs').writeSync(3, '2')");
    expect([stdout, aside]).toEqual(["1\n", "2"]);
  });

  it("of a command takes no other answer for the right one", () => {
    const fooled = commands.filter(({ isRight }) => isRight("") || isRight("agent: no\n"));
    expect(fooled).toEqual([]);
    const status = commands.find(({ name }) => name === "agent auth status");
    expect(status?.isRight("store    file\nresult   ok\n")).toBe(true);
    expect(status?.isRight("store    file\nresult   rejected\n")).toBe(false);
    const inspect = commands.find(({ name }) => name === "agent inspect");
    const ready = "everything  ready  13\nfilesystem  ready  14\n";
    expect(inspect?.isRight(`${ready}memory      ready  9\n`)).toBe(true);
    expect(inspect?.isRight(`${ready}memory      starting  0\n`)).toBe(false);
  });

  it("is chosen by its name, in the order of the table", () => {
    const all = { a: 1, b: 2, c: 3 };
    expect(chooseBenches(all, [])).toEqual({ chosen: all, unknown: [] });
    const { chosen } = chooseBenches(all, ["c", "a"]);
    expect(Object.keys(chosen)).toEqual(["a", "c"]);
    expect(chooseBenches(all, ["b,c", "toString"])).toEqual({
      chosen: { b: 2, c: 3 },
      unknown: ["toString"],
    });
  });
});

describe("the report", () => {
  const machine = { cores: 2, cpu: "a CPU", memoryGiB: 8, system: "Linux x64", node: "v20.20.2" };
  const facts = {
    version: "0.1.0",
    commit: "abc",
    date: "2026-11-22T04:00:00.000Z",
    machine,
    pairs: 11,
  };
  const about = { start: { about: "commands" }, call: { about: "a call" } };
  const report = createReport({ results, benches: about, facts });

  it("says what was measured, where and when", () => {
    expect(report).toEqual({
      ...facts,
      seconds: 77,
      benchmarks: [
        {
          name: "start",
          about: "commands",
          seconds: 17,
          rows: [{ ...version, verdict: "met", figures: { measured: 49.123, base: 44.6 } }],
        },
        {
          name: "call",
          about: "a call",
          seconds: 60,
          rows: [
            { ...throughput, verdict: "missed" },
            { ...size, verdict: null },
          ],
        },
      ],
    });
    const outside = createReport({
      results,
      benches: about,
      facts: { ...facts, commit: undefined },
    });
    expect("commit" in outside).toBe(false);
  });

  it("says of the machine only what there is to compare", () => {
    const found = readMachine();
    expect(Object.keys(found).toSorted()).toEqual(["cores", "cpu", "memoryGiB", "node", "system"]);
    expect(found.cores).toBeGreaterThan(0);
    expect(found.memoryGiB).toBeGreaterThan(0);
  });

  it("is drawn as well-formed XML that names every row", () => {
    const svg = drawPicture(report);
    expect(openTags(svg)).toEqual([]);
    for (const what of ["agent --version", "throughput &lt;32&gt; &amp; more", "size"])
      expect(svg).toContain(`>${what}</text>`);
    expect(svg).toContain("prefers-color-scheme: dark");
    // Half of the target's line for each of the two rows that have one, and no bar for the other.
    expect(svg.match(/<line class="target"/gu)).toHaveLength(2);
    expect(svg.match(/<rect class="track"/gu)).toHaveLength(2);
  });
});

describe("npm run bench", () => {
  it("names every benchmark", async () => {
    const { stdout } = await script("--help");
    for (const [name, { about }] of Object.entries(benches)) {
      expect(stdout).toMatch(new RegExp(`^  ${name} +\\S`, "mu"));
      expect(stdout).toContain(about);
    }
  });

  it.each([["--only", "nothing"], ["--fast"], ["start"]])(
    "refuses %s %s as misuse, and says what there is",
    async (...args) => {
      await expect(script(...args)).rejects.toMatchObject({
        code: 2,
        stdout: "",
        stderr: expect.stringContaining("npm run bench -- [--only <name>]..."),
      });
    },
  );
});

function script(...args: string[]) {
  return run(process.execPath, ["scripts/bench.mjs", ...args], { cwd: root });
}

/** What is left open, or is closed without having been opened, or is no XML: nothing of a well-formed document. */
function openTags(xml: string): string[] {
  const open: string[] = [];
  const rest = xml.replaceAll(
    /<(\/?)([a-z]+)((?: [a-zA-Z0-9:]+="[^"<&]*")*)(\/?)>/gu,
    (_, end: string, name: string, _attributes, single: string) => {
      if (end !== "") {
        if (open.pop() !== name) open.push(`</${name}>`);
      } else if (single === "") open.push(name);
      return "";
    },
  );
  return [...open, ...(rest.match(/<|&(?!(?:amp|lt|gt);)/gu) ?? [])];
}
