import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ratioRow } from "../ratio-row.mjs";
import { echoTool } from "../real-servers.mjs";
import { runProgram } from "../run-program.mjs";
import { commandLines } from "./command-lines.mjs";
import { measureEach, resultOf } from "./measure.mjs";
import { endMarked, environmentOf, firstLine, markOf, reasonOf } from "./programs.mjs";

/** @typedef {import("./measure.mjs").Failures} Failures */
/** @typedef {import("../table.mjs").Result} Result */
/** A package that is there, with the Node that runs it. @typedef {{installed: import("./install.mjs").Installed, node: string, nodeName: string}} Ready */
/** How long it took, or what it held at most. @typedef {"ms" | "MiB"} Unit */
/** Runs a program to its end and measures that. @typedef {(args: readonly string[], unit: Unit) => Promise<{figure: number, stdout: string}>} Run */
/** @typedef {ReturnType<typeof linesOf>[number]} Line */

const sayPeakMemory = fileURLToPath(new URL("../programs/say-peak-memory.cjs", import.meta.url));

/**
 * What one start of a command line takes, from nothing to its end, each against `node -e 0` of the same Node: how
 * long, and how much memory at most. For `--version`, and for one call of a tool.
 * @param {object} options
 * @param {Readonly<Record<string, Ready>>} options.ready by the key of the package
 * @param {string} options.folder for the homes
 * @param {{url: string, stdio: string[]}} options.everything the server that is called
 * @param {number} options.pairs
 * @param {(text: string) => void} options.progress
 * @returns {Promise<Result[]>}
 */
export async function measureCommandLines({ ready, folder, everything, pairs, progress }) {
  const lines = linesOf(ready, folder);
  const bare = bareOf(lines, folder);

  /**
   * @param {string} name
   * @param {readonly Line[]} measured
   * @param {Failures} unprepared
   * @param {(line: Line) => {args: readonly string[], isRight: (stdout: string) => boolean, note?: string}} taskOf
   */
  const measureTask = async (name, measured, unprepared, taskOf) => {
    const results = [];
    for (const unit of /** @type {const} */ (["ms", "MiB"])) {
      const begun = performance.now();
      const failures = new Map(unprepared);
      const part = `${name}, ${unit === "ms" ? "the whole process" : "memory at most"}`;
      /** @param {Line} line */
      const runOf = (line) => async () => {
        const { args, isRight } = taskOf(line);
        const { figure, stdout } = await line.run(args, unit);
        if (!isRight(stdout)) throw new Error(`a wrong answer: ${firstLine(stdout)}`);
        return figure;
      };
      const figures = await measureEach({
        pairs,
        failures,
        onRound: (round) => progress(`${part}, ${round} of ${pairs} rounds`),
        runs: Object.fromEntries([
          ...[...bare].map(([node, run]) => [node, async () => (await run(unit)).figure]),
          ...measured.map((line) => [line.title, runOf(line)]),
        ]),
      });
      const rows = measured.flatMap((line) => {
        const own = figures[line.title];
        const base = figures[line.nodeName];
        if (own === undefined || base === undefined) return [];
        const { note } = taskOf(line);
        const how = {
          unit,
          digits: 1,
          against: line.nodeName,
          ...(note !== undefined && { note }),
        };
        return [ratioRow(`${line.title} ${line.version}`, own, base, how)];
      });
      results.push(resultOf(`${part}, against node -e 0`, { rows, failures, begun }));
    }
    return results;
  };

  const versions = await measureTask("--version", lines, new Map(), ({ version }) => ({
    args: ["--version"],
    isRight: (stdout) => stdout.includes(version),
  }));

  const callers = lines.filter(({ call }) => call !== undefined);
  if (callers.length < 2) return versions;
  /** @type {Failures} */
  const unprepared = new Map();
  let calls = 0;
  try {
    for (const line of callers) {
      progress(`connecting ${line.title}`);
      try {
        for (const args of line.prepare({ home: line.home, ...everything }))
          await line.run(args, "ms");
      } catch (error) {
        unprepared.set(line.title, `it could not be connected: ${reasonOf(error)}`);
      }
    }
    const ofCalls = await measureTask("one tool call", callers, unprepared, ({ call, route }) => {
      const message = `n${++calls}`;
      return {
        args: call?.(message) ?? [],
        isRight: (stdout) => stdout.includes(echoTool.answer(message)),
        note: route,
      };
    });
    return [...versions, ...ofCalls];
  } finally {
    for (const { finish, run, home } of callers) {
      // One that does not end what it started is ended.
      for (const args of finish) await run(args, "ms").catch(() => undefined);
      await endMarked(markOf(home));
    }
  }
}

/**
 * The command lines whose package is there, each with a home of its own.
 * @param {Readonly<Record<string, Ready>>} ready
 * @param {string} folder
 */
function linesOf(ready, folder) {
  return commandLines.flatMap((line) => {
    const found = ready[line.package];
    if (found === undefined) return [];
    const { installed, node, nodeName } = found;
    const home = join(folder, line.title.replaceAll(/\W+/gu, "-"));
    const env = { ...environmentOf(home), ...line.env?.(home) };
    const bin = installed.bin(line.bin);
    const run = createRun({ node, bin: [bin], home, env });
    return [{ ...line, version: installed.version, home, node, nodeName, run }];
  });
}

/**
 * `node -e 0` of every Node that runs one of them, by its name.
 * @param {readonly Line[]} lines
 * @param {string} folder
 */
function bareOf(lines, folder) {
  const home = join(folder, "bare");
  const env = environmentOf(home);
  return new Map(
    lines.map(({ node, nodeName }) => {
      const run = createRun({ node, bin: [], home, env });
      return [nodeName, (/** @type {Unit} */ unit) => run(["-e", "0"], unit)];
    }),
  );
}

/**
 * @param {{node: string, bin: string[], home: string, env: NodeJS.ProcessEnv}} program
 * @returns {Run}
 */
function createRun({ node, bin, home, env }) {
  return async (args, unit) => {
    // What asks for the memory takes time, and so does not belong where time is measured.
    const flags = unit === "MiB" ? ["--require", sayPeakMemory] : [];
    const options = { cwd: home, env };
    const { ms, stdout, aside } = await runProgram(node, [...flags, ...bin, ...args], options);
    if (unit === "ms") return { figure: ms, stdout };
    const KiB = Number(aside);
    if (!(KiB > 0)) throw new Error(`it said of its memory: "${aside}"`);
    return { figure: KiB / 1024, stdout };
  };
}
