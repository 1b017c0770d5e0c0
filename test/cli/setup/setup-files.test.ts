import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AppError } from "../../../src/core/errors.ts";
import { openSetupFile } from "../../../src/hosts/setup-file.ts";
import { SetupBench } from "./bench.ts";

let bench: SetupBench;
beforeEach(() => {
  bench = new SetupBench();
});
afterEach(() => {
  bench.remove();
});

async function problemOf(work: Promise<unknown>): Promise<AppError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

const secrets = /(?:oauth|args|env)-token-of-ann/u;

describe("what is left as it is", () => {
  test("an entry of this name that is not ours, with a way out", async () => {
    const file = bench.place(bench.project, ".mcp.json");
    const text =
      '{"mcpServers": {"onedoor": {"command": "mine", "env": {"K": "env-token-of-ann"}}}}';
    writeFileSync(file, text);
    for (const undo of [false, true]) {
      const problem = await problemOf(bench.run({ scope: "project", yes: true, undo }));
      expect(problem.code).toBe("config_invalid");
      expect(problem.message).toContain("does not start agent proxy");
      expect(problem.hint).toContain("--name ");
      expect(problem.message).not.toMatch(secrets);
    }
    expect(readFileSync(file, "utf8")).toBe(text);
    await bench.run({ scope: "project", yes: true, name: "onedoor-gateway" });
    expect(Object.keys(JSON.parse(readFileSync(file, "utf8")).mcpServers)).toEqual([
      "onedoor",
      "onedoor-gateway",
    ]);
  });

  test("somebody's own skill of our name", async () => {
    const file = bench.place(bench.project, ".claude", "skills", "onedoor", "SKILL.md");
    writeFileSync(file, "# Mine\n");
    const problem = await problemOf(bench.run({ scope: "project", way: "cli", yes: true }));
    expect(problem.message).toContain("was not written by agent setup");
    expect(readFileSync(file, "utf8")).toBe("# Mine\n");
  });

  test("a file that is a folder, huge, no text, or write-protected", async () => {
    const file = bench.place(bench.project, ".mcp.json");
    const refused = async (): Promise<string> =>
      (await problemOf(bench.run({ scope: "project", yes: true }))).message;
    mkdirSync(file);
    expect(await refused()).toContain("is not a regular file");
    bench.remove();
    bench = new SetupBench();
    const again = bench.place(bench.project, ".mcp.json");
    writeFileSync(again, Buffer.alloc(4 * 1024 * 1024 + 1, 32));
    expect(await refused()).toContain("is larger than 4 MiB");
    writeFileSync(again, Buffer.from([0x7b, 0xff, 0x7d]));
    expect(await refused()).toContain("is not UTF-8 text");
    writeFileSync(again, "{}");
    chmodSync(again, 0o444);
    expect(await refused()).toContain("is write-protected");
    expect(readdirSync(bench.project)).toEqual([".mcp.json"]);
  });

  test("a file keeps its mode; a folder that is a file is said to be none", async () => {
    const file = bench.place(bench.project, ".mcp.json");
    writeFileSync(file, "{}");
    chmodSync(file, 0o640);
    await bench.run({ scope: "project", yes: true });
    expect(statSync(file).mode & 0o777).toBe(0o640);
    writeFileSync(join(bench.project, ".cursor"), "");
    const flags = { client: "cursor", scope: "project", yes: true } as const;
    const problem = await problemOf(bench.run(flags));
    expect(problem.message).toContain("cannot be read (ENOTDIR); nothing was changed");
    expect(readdirSync(bench.project)).toEqual([".cursor", ".mcp.json"]);
  });

  test("a file that somebody wrote between the reading and the writing", async () => {
    const file = bench.place(bench.home, ".claude.json");
    writeFileSync(file, "{}");
    const open = await openSetupFile(file, bench.home, true);
    writeFileSync(file, '{"numStartups": 1}');
    const problem = await problemOf(open.save('{"mcpServers": {}}'));
    expect(problem.message).toContain("was changed meanwhile; nothing was changed");
    expect((await problemOf(open.save(undefined))).message).toContain("was changed meanwhile");
    expect(readFileSync(file, "utf8")).toBe('{"numStartups": 1}');
    expect(readdirSync(bench.home)).toEqual([".claude.json"]);
  });

  test("a file that appeared meanwhile, and the folders made for it", async () => {
    const file = join(bench.home, ".cursor", "mcp.json");
    const open = await openSetupFile(file, bench.home, true);
    writeFileSync(bench.place(bench.home, ".cursor", "mcp.json"), "{}");
    expect((await problemOf(open.save("{ }"))).message).toContain("was changed meanwhile");
    expect(readFileSync(file, "utf8")).toBe("{}");
  });
});

describe("links", () => {
  test("one that a manager of dotfiles laid within the home is followed and stays", async () => {
    const target = bench.place(bench.home, "dotfiles", "claude.json");
    writeFileSync(target, "{}\n");
    const link = bench.place(bench.home, ".claude.json");
    symlinkSync(target, link);
    await bench.run({ yes: true });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, "utf8")).toContain("proxy");
    expect(bench.stdout).toContain(target);
    await bench.run({ undo: true, yes: true });
    expect(readFileSync(target, "utf8")).toBe("{}\n");
  });

  test.each([".claude.json", "folder"])(
    "out of the home, by %s, nothing is written",
    async (kind) => {
      const outside = bench.place(bench.base, "elsewhere", "mcp.json");
      writeFileSync(outside, "{}");
      if (kind === "folder")
        symlinkSync(join(bench.base, "elsewhere"), join(bench.home, ".cursor"));
      else symlinkSync(outside, join(bench.home, ".claude.json"));
      const client = kind === "folder" ? "cursor" : "claude";
      const problem = await problemOf(bench.run({ client, yes: true }));
      expect(problem.message).toContain(`a link leads to ${outside}, outside of ${bench.home}`);
      expect(readFileSync(outside, "utf8")).toBe("{}");
    },
  );

  test("a project's link to a file of the user, and one to nothing", async () => {
    const own = bench.place(bench.home, ".claude.json");
    writeFileSync(own, "{}");
    const link = bench.place(bench.project, ".mcp.json");
    symlinkSync(own, link);
    const problem = await problemOf(bench.run({ scope: "project", yes: true }));
    expect(problem.message).toContain(`outside of ${bench.project}`);
    expect(readFileSync(own, "utf8")).toBe("{}");
    symlinkSync(
      join(bench.project, "gone.toml"),
      bench.place(bench.project, ".codex", "config.toml"),
    );
    const dangling = await problemOf(bench.run({ client: "codex", scope: "project", yes: true }));
    expect(dangling.message).toContain("where nothing is");
    expect(existsSync(join(bench.project, "gone.toml"))).toBe(false);
  });

  test("a file of somebody else behind a link", async () => {
    const target = bench.place(bench.home, "dotfiles", "claude.json");
    writeFileSync(target, "{}\n");
    const link = bench.place(bench.home, ".claude.json");
    symlinkSync(target, link);
    const somebody = statSync(target).uid + 1;
    const problem = await problemOf(openSetupFile(link, bench.home, true, somebody));
    expect(problem.message).toContain("belongs to another user");
    linkSync(target, join(bench.home, "hard.json"));
    expect((await openSetupFile(join(bench.home, "hard.json"), bench.home, true)).text).toBe(
      "{}\n",
    );
  });

  test("a home that is itself reached by a link is the home", async () => {
    const alias = join(bench.base, "alias");
    symlinkSync(bench.home, alias);
    const open = await openSetupFile(join(alias, ".cursor", "mcp.json"), alias, true);
    expect(open).toMatchObject({ path: join(bench.home, ".cursor", "mcp.json"), text: undefined });
  });
});
