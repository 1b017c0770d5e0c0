import { execFile } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mayImport, overrides } from "../../scripts/import-directions.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

let copy: string;
beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), "onedoor-lint-"));
  copyFileSync(join(root, ".oxlintrc.json"), join(copy, ".oxlintrc.json"));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
});
afterEach(() => {
  rmSync(copy, { recursive: true, force: true });
});

/** What oxlint, as `npm run check` has it, says about files that hold only an import. */
async function lint(files: Readonly<Record<string, string>>): Promise<string> {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), text);
  }
  try {
    const { stdout } = await run(
      join(root, "node_modules", ".bin", "oxlint"),
      ["--deny-warnings"],
      {
        cwd: copy,
      },
    );
    return stdout;
  } catch (error) {
    return String(error instanceof Error && "stdout" in error ? error.stdout : error);
  }
}

const value = "export const value = 1;\n";
const uses = (from: string): string =>
  `import { value } from "${from}";\n\nexport const copy = value;\n`;

describe("the linter lets pass", () => {
  it("what the table allows", async () => {
    const said = await lint({
      "src/core/value.ts": value,
      "src/core/deep/uses.ts": uses("../value.ts"),
      "src/gateway/uses.ts": uses("../core/value.ts"),
      "src/cli/uses.ts": uses("../core/value.ts"),
      "src/http/routes/uses.ts": uses("../../core/value.ts"),
      "src/core/checks.ts": uses("ajv/dist/2020.js"),
      "src/auth/compares.ts": uses("node:crypto"),
      "src/mcp-client/reads.ts": uses("eventsource-parser"),
      "src/gateway/signs.ts": uses("node:crypto"),
      "src/client/reads.ts": uses("node:http"),
      "src/config/environment.ts": "export const all = process.env;\n",
    });
    expect(said).toContain("0 errors");
  });
});

describe("the linter catches", () => {
  const planted: [room: string, file: string, from: string][] = [];
  const rooms: Readonly<Record<string, { rooms: readonly string[] }>> = mayImport;
  for (const [room, allowed] of Object.entries(rooms)) {
    const forbidden = Object.keys(rooms).filter(
      (other) => other !== room && !allowed.rooms.includes(other),
    );
    for (const other of forbidden) {
      planted.push(
        [room, `src/${room}/to-${other}.ts`, `../${other}/value.ts`],
        [room, `src/${room}/deep/to-${other}.ts`, `../../${other}/value.ts`],
        [room, `src/${room}/round-to-${other}.ts`, `../../src/${other}/value.ts`],
      );
    }
  }

  it("every import that goes against the table", async () => {
    const said = await lint({
      ...Object.fromEntries(Object.keys(rooms).map((room) => [`src/${room}/value.ts`, value])),
      ...Object.fromEntries(planted.map(([, file, from]) => [file, uses(from)])),
    });
    expect(planted.length).toBeGreaterThan(100);
    expect(planted.filter(([, file]) => !said.includes(file))).toEqual([]);
  });

  it.each([
    ["core", "node:fs"],
    ["core", "node:timers/promises"],
    ["core", "@modelcontextprotocol/core"],
    ["core", "@modelcontextprotocol/sdk/types.js"],
    ["core", "fastify"],
    ["core", "kysely"],
    ["gateway", "node:fs"],
    ["gateway", "node:fs/promises"],
    ["gateway", "@modelcontextprotocol/server"],
    ["auth", "node:fs"],
    ["profiles", "@modelcontextprotocol/client"],
    ["runtime", "@modelcontextprotocol/client"],
    ["client", "@modelcontextprotocol/client"],
    ["mcp-client", "@modelcontextprotocol/client"],
    ["upstream", "@modelcontextprotocol/client"],
    ["mcp", "@modelcontextprotocol/server"],
    ["client", "eventsource-parser"],
    ["http", "@modelcontextprotocol/server"],
    ["http", "kysely"],
    ["upstream", "node:process"],
    ["cli", "fastify"],
  ])("in %s an import of %s", async (room, from) => {
    const said = await lint({ [`src/${room}/deep/planted.ts`]: uses(from) });
    expect(said).toContain(`src/${room}/deep/planted.ts`);
    expect(said).toContain("no-restricted-imports");
  });

  it.each([
    ["core", "Date.now()", "no-restricted-properties"],
    ["core", "Math.random()", "no-restricted-properties"],
    ["core", "process.pid", "no-restricted-globals"],
    ["core", "globalThis.process", "no-restricted-globals"],
    ["upstream", "process.env", "no-restricted-properties"],
    ["cli", 'process.env["ONEDOOR_URL"]', "no-restricted-properties"],
    ["http", "globalThis.process.env", "no-restricted-properties"],
  ])("in %s %s", async (room, text, rule) => {
    const said = await lint({ [`src/${room}/planted.ts`]: `export const value = ${text};\n` });
    expect(said).toContain(`src/${room}/planted.ts`);
    expect(said).toContain(rule);
  });

  it("the environment taken apart", async () => {
    const said = await lint({ "src/client/planted.ts": "export const { env } = process;\n" });
    expect(said).toContain("no-restricted-properties");
  });

  it("a lazy import whose name is put together", async () => {
    const text = "export const load = (n: string): Promise<unknown> => import(`../cli/${n}.ts`);\n";
    expect(await lint({ "src/core/planted.ts": text })).toContain("no-dynamic-require");
  });

  it.each([
    ["a lazy import", 'export const load = (): Promise<unknown> => import("../cli/value.ts");\n'],
    ["a re-export", 'export { value } from "../cli/value.ts";\n'],
    ["a module of Node's under its bare name", 'import fs from "fs";\n\nexport const copy = fs;\n'],
  ])("%s that goes against the table", async (_name, text) => {
    const said = await lint({ "src/cli/value.ts": value, "src/core/sneaky.ts": text });
    expect(said).toContain("src/core/sneaky.ts");
  });

  it("process.exit", async () => {
    const said = await lint({ "src/cli/ends.ts": "export const end = () => process.exit(1);\n" });
    expect(said).toContain("no-process-exit");
  });
});

it("the lint configuration is what the table makes of it", () => {
  const config: { overrides: object[] } = JSON.parse(
    readFileSync(join(root, ".oxlintrc.json"), "utf8"),
  );
  for (const entry of overrides) expect(config.overrides).toContainEqual(entry);
});

it("every lazy import names its file in plain quotes, which is what the linter reads", () => {
  const folder = join(root, "src");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const strange = names
    .filter((name) => name.endsWith(".ts"))
    .flatMap(
      (name) => readFileSync(join(folder, name), "utf8").match(/\bimport\((?!")[^\n]*/gu) ?? [],
    );
  expect(strange).toEqual([]);
});
