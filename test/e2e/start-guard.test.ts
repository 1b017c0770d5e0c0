// What makes a command start fast is how little it loads. This holds the commands that are run all day to what they
// load today, in numbers that do not depend on the machine; `npm run bench` measures the time.
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSignedInGateway } from "./run-bench.ts";
import type { SignedInGateway } from "./run-bench.ts";

interface Loaded {
  /** Files of the program. */
  files: number;
  /** Bytes in them. */
  bytes: number;
  /** Node's own modules, beyond those that an empty program has. */
  builtIns: number;
}

const commands: Readonly<Record<string, readonly string[]>> = {
  "--version": ["--version"],
  "auth status": ["auth", "status"],
  run: ["run", "everything/echo", "message=hi"],
};

/** How Node divides itself into modules differs from one version to the next; the figures are of this one. */
const figuresOfNode = "20";

const figuresFile = fileURLToPath(new URL("start-figures.json", import.meta.url));
const hook = fileURLToPath(new URL("../fixtures/note-built-ins.cjs", import.meta.url));
const renewWith = "RENEW_START_FIGURES=1 npx vitest run --config test/vitest.config.ts start-guard";

let up: SignedInGateway;
const loaded: Record<string, Loaded> = {};
beforeAll(async () => {
  up = await startSignedInGateway();
  for (const [name, args] of Object.entries(commands)) loaded[name] = await loadedBy(args);
  if (process.env["RENEW_START_FIGURES"] === "1") {
    writeFileSync(figuresFile, `${JSON.stringify(loaded, undefined, 2)}\n`);
  }
});
afterAll(async () => {
  await up.stop();
});

async function loadedBy(args: readonly string[]): Promise<Loaded> {
  const folder = mkdtempSync(join(up.home.folder, "loaded-"));
  expect(await up.agent(args, { env: { NODE_V8_COVERAGE: folder } })).toMatchObject({ code: 0 });
  const files = new Set<string>();
  for (const name of readdirSync(folder)) {
    const report: { result: { url: string }[] } = JSON.parse(
      readFileSync(join(folder, name), "utf8"),
    );
    for (const { url } of report.result) {
      if (url.includes("/dist/")) files.add(fileURLToPath(url));
    }
  }
  const note = join(folder, "built-ins.json");
  const env = { NODE_OPTIONS: `--require ${JSON.stringify(hook)}`, NOTE_BUILT_INS: note };
  expect(await up.agent(args, { env })).toMatchObject({ code: 0 });
  const builtIns: string[] = JSON.parse(readFileSync(note, "utf8"));
  return {
    files: files.size,
    bytes: [...files].reduce((sum, file) => sum + statSync(file).size, 0),
    builtIns: builtIns.length,
  };
}

describe("what a command loads", () => {
  it.each(Object.keys(commands))("has not grown by a fifth: %s", (name) => {
    const figures: Record<string, Loaded> = JSON.parse(readFileSync(figuresFile, "utf8"));
    const now = loaded[name];
    const was = figures[name];
    const sameNode = process.versions.node.startsWith(`${figuresOfNode}.`);
    const grown = (["files", "bytes", "builtIns"] as const)
      .filter((what) => sameNode || what !== "builtIns")
      .filter((what) => (now?.[what] ?? Infinity) > (was?.[what] ?? 0) * 1.2)
      .map((what) => `${what}: ${now?.[what]}, were ${was?.[what]}`);
    expect(grown, `agent ${name} loads more. On purpose? ${renewWith}`).toEqual([]);
  });
});
