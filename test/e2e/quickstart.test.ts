import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

let home: Home;
let checkout: string;
let temporary: string;
beforeEach(() => {
  home = createHome();
  // A checkout of its own: the quickstart builds, and other tests use the build that is there.
  checkout = join(home.folder, "checkout");
  mkdirSync(checkout);
  for (const part of ["package.json", "tsconfig.json", "scripts", "src"]) {
    cpSync(join(root, part), join(checkout, part), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
  temporary = join(home.folder, "tmp");
  mkdirSync(temporary);
});
afterEach(() => {
  home.remove();
});

/** What a run has left, of files and of processes. */
function leftovers(): string[] {
  const folders = readdirSync(home.folder).filter(
    (name) => !["checkout", "run", "tmp"].includes(name),
  );
  return [...readdirSync(temporary), ...folders, ...processesOf(temporary)];
}

/** The command lines of living processes that name this folder. */
function processesOf(folder: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8")];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(folder));
}

function start(env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, ["scripts/quickstart.mjs"], {
    cwd: checkout,
    env: { ...home.env, TMPDIR: temporary, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function endOf(child: ChildProcess): Promise<{ code: number | null; text: string }> {
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  child.stderr?.resume();
  await once(child, "close");
  return { code: child.exitCode, text };
}

/** Resolves once the output holds the text. */
function shown(child: ChildProcess, wanted: string): Promise<void> {
  return new Promise((resolve) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer | string) => {
      text += chunk.toString();
      if (text.includes(wanted)) resolve();
    });
  });
}

describe("npm run quickstart", () => {
  it("shows every command and the tool's answer, and ends with what to type next", async () => {
    // What the user has set for OneDoor is not meant for it.
    const { code, text } = await endOf(
      start({ ONEDOOR_URL: "http://127.0.0.1:1", ONEDOOR_TOKEN: "x" }),
    );
    expect(code).toBe(0);
    expect(leftovers()).toEqual([]);
    const commands = text.split("\n").filter((line) => line.startsWith("$ npx agent "));
    expect(commands.map((line) => line.split(" ").slice(3, 5).join(" "))).toEqual([
      "serve --background",
      "auth login",
      "wait --config-dir",
      "inspect --config-dir",
      "run everything/echo",
      "serve --stop",
    ]);
    expect(text).toContain("\nEcho: hello\n");
    expect(text.trimEnd().split("\n").slice(-3)).toEqual([
      "  npx agent serve --background",
      "  npx agent auth login",
      "  npx agent inspect",
    ]);
  });

  it.each(["serve --background", "auth login", "wait", "run everything/echo"])(
    "interrupted at %s, it cleans up all the same",
    async (command) => {
      const child = start();
      const ended = endOf(child);
      await shown(child, `$ npx agent ${command}`);
      child.kill("SIGINT");
      expect((await ended).code).toBe(130);
      expect(leftovers()).toEqual([]);
    },
  );

  it("fails when the tool's answer is another one", async () => {
    const script = join(checkout, "scripts", "quickstart.mjs");
    const changed = readFileSync(script, "utf8").replace("message=hello", "message=goodbye");
    writeFileSync(script, changed);
    const { code, text } = await endOf(start());
    expect(code).toBe(1);
    expect(leftovers()).toEqual([]);
    expect(text).toContain("Echo: goodbye");
    expect(text).not.toContain("It works");
  });
});
