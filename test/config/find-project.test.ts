import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findProject } from "../../src/config/find-project.ts";
import { readProjectFile } from "../../src/config/project-file.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(realpathSync(tmpdir()), "onedoor-project-"));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

/** Makes a folder below the home, with a project file where `text` is given. */
function folder(path: string, text?: string): string {
  const made = join(home, path);
  mkdirSync(made, { recursive: true });
  if (text !== undefined) writeFileSync(join(made, ".onedoorrc"), text);
  return made;
}

const named = (project: string): string => JSON.stringify({ project });

const nameOf = async (at: string, below: string): Promise<string | undefined> =>
  (await findProject(at, below)).project;

describe("findProject", () => {
  it("takes the nearest file's word, else the repository's name", async () => {
    folder("shop/.git");
    const deep = folder("shop/src/deep");
    expect(await nameOf(deep, home)).toBe("shop");
    folder("shop", named("the shop"));
    expect(await nameOf(deep, home)).toBe("the shop");
    folder("shop/src", named("its source"));
    expect(await nameOf(deep, home)).toBe("its source");
    expect(await nameOf(folder("shop"), home)).toBe("the shop");
  });

  it("takes the repository's name where the file names no project", async () => {
    folder("shop/.git");
    expect(await nameOf(folder("shop", '{"tags": ["a"]}'), home)).toBe("shop");
  });

  it("tells which servers are of use there, and what says so", async () => {
    folder("shop/.git");
    const at = folder("shop", '{"preset": "dev", "tags": ["a"]}');
    expect(await findProject(folder("shop/src"), home)).toEqual({
      project: "shop",
      preset: "dev",
      tags: ["a"],
      file: join(at, ".onedoorrc"),
    });
  });

  it("knows a worktree, whose .git is a file", async () => {
    writeFileSync(join(folder("tree"), ".git"), "gitdir: elsewhere");
    expect(await nameOf(folder("tree/src"), home)).toBe("tree");
  });

  it("looks neither above the repository nor above the home", async () => {
    folder(".", named("everything"));
    folder("shop/.git");
    expect(await nameOf(folder("shop/src"), home)).toBe("shop");
    expect(await nameOf(folder("notes/deep"), home)).toBe("everything");
    expect(await nameOf(folder("notes/deep"), join(home, "notes"))).toBe(undefined);
  });

  it("outside of both takes the folder's own file alone: above it may be anybody's", async () => {
    const elsewhere = join(home, "home");
    folder("work", named("planted"));
    const deep = folder("work/deep");
    expect(await nameOf(deep, elsewhere)).toBe(undefined);
    folder("work/deep", named("mine"));
    expect(await nameOf(deep, elsewhere)).toBe("mine");
  });

  it("knows a home that is reached by a link", async () => {
    folder("real/notes");
    folder("real", named("home"));
    symlinkSync(join(home, "real"), join(home, "link"));
    const at = join(home, "real/notes");
    expect(await nameOf(at, join(home, "link"))).toBe("home");
  });

  it("refuses a wrong file on the way, and none that it does not read", async () => {
    folder("shop/.git");
    folder(".", "no JSON");
    const at = folder("shop", "{");
    await expect(findProject(at, home)).rejects.toMatchObject({ code: "config_invalid" });
    folder("shop", "{}");
    expect(await nameOf(at, home)).toBe("shop");
  });
});

function write(content: string | Uint8Array): string {
  const file = join(home, ".onedoorrc");
  writeFileSync(file, content);
  return file;
}

describe("readProjectFile", () => {
  it("reads JSON with comments", async () => {
    const text =
      '// ours\n{"project": "Läden", "preset": "p", "tags": ["a", "b"], "filter": "not c",}';
    expect(await readProjectFile(write(text))).toEqual({
      project: "Läden",
      preset: "p",
      tags: ["a", "b"],
      filter: "not c",
    });
    expect(await readProjectFile(write("\ufeff{}"))).toEqual({});
  });

  const long = "x".repeat(101);
  it.each([
    ["", ": the file is empty"],
    ["{", ": not valid JSON"],
    ["[]", ":1: must be a JSON object"],
    ["null", ":1: must be a JSON object"],
    ['{\n"url": "https://x"}', ":2: url: is no key of a project's file"],
    ['{"token": "od_x"}', ":1: token: is no key"],
    ['{"mcpServers": {}}', ":1: mcpServers: is no key"],
    ['{"constructor": 1}', ":1: constructor: is no key"],
    ['{"__proto__": {}}', ":1: __proto__: this name cannot be used"],
    ['{"project": "a", "project": "b"}', ":1: project: stands here twice"],
    ['{"project": ""}', ":1: project: must be a text"],
    ['{"project": "  "}', ":1: project: must be a text"],
    ['{"project": 1}', ":1: project: must be a text"],
    ['{"project": null}', ":1: project: must be a text"],
    [String.raw`{"project": "a\nb"}`, ":1: project: must be a text"],
    [String.raw`{"project": "a\u202eb"}`, ":1: project: must be a text"],
    [String.raw`{"project": "\ud800"}`, ":1: project: must be a text"],
    [`{"project": "${long}"}`, ":1: project: must be a text"],
    ['{"preset": ["a"]}', ":1: preset: must be a text"],
    ['{"filter": 1}', ":1: filter: must be a boolean expression"],
    ['{"filter": "a and"}', ":1: filter: is wrong at character 6: a tag is missing here"],
    ['{"tags": "a"}', ":1: tags: must be a list"],
    ['{"tags": ["a", 1]}', ":1: tags: must be a list"],
    [`{"tags": ["${long}"]}`, ":1: tags: must be a list"],
    [JSON.stringify({ tags: Array(101).fill("a") }), ":1: tags: must be a list"],
    [`{"project": "a"}${" ".repeat(64 * 1024)}`, ": is larger than 64 KiB"],
    ["[".repeat(60_000), ": nested too deeply"],
    [Uint8Array.from([0x7b, 0xff, 0x7d]), ": is not UTF-8 text"],
  ])("refuses %j, naming the file and the key", async (content, message) => {
    const file = write(content);
    const error: unknown = await readProjectFile(file).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "config_invalid" });
    const told = error instanceof Error ? error.message : "";
    expect(told.startsWith(`${file}:`)).toBe(true);
    expect(told).toContain(message);
    expect(told).not.toContain("od_x");
  });

  it("refuses what is no file, without waiting for it", async () => {
    const path = join(home, ".onedoorrc");
    mkdirSync(path);
    await expect(readProjectFile(path)).rejects.toThrow(`${path}: is not a regular file`);
    rmSync(path, { recursive: true });
    execFileSync("mkfifo", [path]);
    await expect(readProjectFile(path)).rejects.toThrow(`${path}: is not a regular file`);
    rmSync(path);
    await expect(readProjectFile(path)).rejects.toThrow(`${path}: cannot be read (ENOENT)`);
  });

  it("names the file that looks like one and cannot be read", async () => {
    const path = join(folder("shop/.git/.."), ".onedoorrc");
    symlinkSync("/proc/self/mem", path);
    for (const reading of [readProjectFile(path), findProject(join(home, "shop"), home)]) {
      await expect(reading).rejects.toMatchObject({
        code: "config_invalid",
        message: `${path}: cannot be read (EIO)`,
      });
    }
  });
});
