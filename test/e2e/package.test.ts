import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { realServer } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

interface PackageJson {
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  scripts: Record<string, string>;
}
const packageJson: PackageJson = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

describe("what npm would publish", () => {
  let files: { path: string; size: number; mode: number }[];
  beforeAll(async () => {
    const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: root,
    });
    const packed: { files: typeof files }[] | Record<string, { files: typeof files }> =
      JSON.parse(stdout);
    files = Object.values(packed)[0]?.files ?? [];
  });

  it("is the bundle, its licences and what npm always adds", () => {
    const others = files.map(({ path }) => path).filter((path) => !path.startsWith("dist/"));
    expect(others.toSorted()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
    const kinds = files
      .map(({ path }) => path)
      .filter((path) => path.startsWith("dist/") && !/^dist\/(?:lazy\/)?[\w-]+\.js$/u.test(path));
    // That the files are CommonJS is in the other one.
    expect(kinds.toSorted()).toEqual(["dist/THIRD-PARTY-LICENSES.txt", "dist/package.json"]);
  });

  it("has its entry ready to run", () => {
    const main = files.find(({ path }) => path === "dist/main.js");
    expect((main?.mode ?? 0) & 0o111).toBe(0o111);
    expect(readFileSync(join(root, "dist", "main.js"), "utf8")).toMatch(
      /^#!\/usr\/bin\/env node\n/u,
    );
    expect(files.map(({ path }) => path)).toContain("dist/lazy/storage-worker.js");
    expect(files.map(({ path }) => path)).toContain("dist/lazy/image-worker.js");
  });

  it("holds no source of ours or of the tests, no secret, and no path of this machine", () => {
    const text = readdirSync(join(root, "dist"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8"))
      .join("\n");
    for (const trace of [root, "sourceMappingURL", "vitest", "_authToken"]) {
      expect([trace, text.includes(trace)]).toEqual([trace, false]);
    }
    // A key in PEM, and a token of the gateway; libraries know the words around a key.
    expect(text).not.toMatch(/-----BEGIN [A-Z ]+-----\s*[A-Za-z0-9+/]{40}/u);
    expect(text).not.toMatch(/\bod_[\w-]{40}/u);
  });

  it("stays small", () => {
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    expect(bytes).toBeLessThan(8 * 1024 * 1024);
  });

  it("needs nothing but native parts, and no script at its installation", () => {
    expect(Object.keys(packageJson.dependencies)).toEqual(["libsql"]);
    expect(Object.keys(packageJson.optionalDependencies)).toEqual(["keytar"]);
    for (const script of ["preinstall", "install", "postinstall", "prepare"]) {
      expect(packageJson.scripts[script]).toBeUndefined();
    }
  });

  it("pins every dependency", () => {
    const all = {
      ...packageJson.dependencies,
      ...packageJson.optionalDependencies,
      ...packageJson.devDependencies,
    };
    const loose = Object.entries(all).filter(
      ([, wanted]) => !/^(?:npm:@[\w/.-]+@)?\d+\.\d+\.\d+$/u.test(wanted),
    );
    expect(loose).toEqual([]);
  });
});

describe("the bundle away from its checkout", () => {
  let home: Home;
  let file: string;
  beforeAll(() => {
    home = createHome();
    const folder = join(home.folder, "installed");
    cpSync(join(root, "dist"), join(folder, "dist"), { recursive: true });
    cpSync(join(root, "package.json"), join(folder, "package.json"));
    mkdirSync(join(folder, "node_modules"));
    for (const native of ["libsql", "keytar"]) {
      symlinkSync(join(root, "node_modules", native), join(folder, "node_modules", native));
    }
    file = join(folder, "dist", "main.js");
  });
  afterAll(async () => {
    await agent("serve", "--stop");
    home.remove();
  });

  function agent(...args: string[]): Promise<AgentResult> {
    return runAgent(args, { home, file });
  }

  it("starts, signs in, discovers and calls", async () => {
    home.writeConfiguration({ mcpServers: { everything: realServer("everything") } });
    const ended: [string, number | null, string][] = [];
    for (const line of [
      "serve --background --port 0",
      "auth login --store file",
      "wait",
      "inspect",
      "auth status",
      "instructions",
      "run everything/echo message=hello",
    ]) {
      const { code, stdout } = await agent(...line.split(" "));
      ended.push([line, code, stdout]);
    }
    expect(ended.filter(([, code]) => code !== 0)).toEqual([]);
    expect(ended.at(-1)?.[2]).toBe("Echo: hello\n");
    expect(statSync(join(home.stateDir, "onedoor.db")).mode & 0o777).toBe(0o600);
  });

  it("can print every page of help and every completion", async () => {
    for (const line of ["help", "auth --help", "serve --help", "run --help", "completion zsh"]) {
      expect(await agent(...line.split(" "))).toMatchObject({ code: 0, stderr: "" });
    }
  });
});
