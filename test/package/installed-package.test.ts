import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAgent } from "../e2e/support/agent.ts";
import type { AgentResult } from "../e2e/support/agent.ts";
import { realServer } from "../e2e/support/gateway.ts";
import { createHome } from "../e2e/support/home.ts";
import type { Home } from "../e2e/support/home.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

let home: Home;
let folder: string;
beforeAll(async () => {
  home = createHome();
  folder = join(home.folder, "empty");
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{"private": true}');
  // npm's own settings (its registry, its cache) are this machine's; ours are not.
  const { stdout } = await run(
    "npm",
    ["pack", "--json", "--ignore-scripts", "--pack-destination", folder],
    {
      cwd: root,
    },
  );
  const packed: Record<string, { filename: string }> = JSON.parse(stdout);
  const tarball = join(folder, Object.values(packed)[0]?.filename ?? "");
  await run(
    "npm",
    [
      "install",
      tarball,
      "--omit=dev",
      "--ignore-scripts",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
    ],
    { cwd: folder },
  );
});
afterAll(async () => {
  await agent("serve", "--stop");
  home.remove();
});

function agent(...args: string[]): Promise<AgentResult> {
  // The link that npm made, as a shell finds it.
  return runAgent(args, { home, file: join(folder, "node_modules", ".bin", "agent") });
}

/** Every package that came along, by its name. */
function installed(below = join(folder, "node_modules")): string[] {
  return readdirSync(below)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) =>
      name.startsWith("@")
        ? readdirSync(join(below, name)).map((part) => `${name}/${part}`)
        : [name],
    );
}

describe("the installed package", () => {
  it("brings native parts and nothing else", () => {
    const others = installed().filter(
      (name) =>
        !/^(?:@onedoor\/agent|libsql|@libsql\/.*|@neon-rs\/load|detect-libc|keytar|@napi-rs\/keyring-.*)$/u.test(
          name,
        ),
    );
    expect(others).toEqual([]);
    expect(installed()).toEqual(expect.arrayContaining(["@onedoor/agent", "libsql", "keytar"]));
  });

  it("has both names, and its version", async () => {
    const { version }: { version: string } = JSON.parse(
      readFileSync(join(root, "package.json"), "utf8"),
    );
    for (const name of ["agent", "onedoor"]) {
      const file = join(folder, "node_modules", ".bin", name);
      expect(await runAgent(["--version"], { home, file })).toMatchObject({
        code: 0,
        stdout: `${version}\n`,
      });
      const { stdout } = await run(file, ["--version"]);
      expect(stdout).toBe(`${version}\n`);
    }
  });

  it("goes the whole way", async () => {
    home.writeConfiguration({ mcpServers: { everything: realServer("everything") } });
    const steps: [string, number | null][] = [];
    let last = "";
    for (const line of [
      "serve --background --port 0",
      "auth login",
      "auth status",
      "wait",
      "inspect everything",
      "run everything/echo message=hello",
      "auth logout",
      "serve --stop",
    ]) {
      const result = await agent(...line.split(" "));
      steps.push([line, result.code]);
      if (line.startsWith("run")) last = result.stdout;
    }
    expect(steps.filter(([, code]) => code !== 0)).toEqual([]);
    expect(last).toBe("Echo: hello\n");
  });
});
