import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { backUpFile } from "../../../../src/cli/mcp/import/back-up-file.ts";
import { plainSecrets, withReferences } from "../../../../src/cli/mcp/import/plain-secrets.ts";
import { readChoice } from "../../../../src/cli/mcp/import/read-choice.ts";

describe("a choice by numbers", () => {
  it.each<[string, number[] | undefined]>([
    ["", [0, 1, 2, 3]],
    ["all", [0, 1, 2, 3]],
    [" None ", []],
    ["1,3-4", [0, 2, 3]],
    ["4 2 2", [1, 3]],
    ["5", undefined],
    ["0-2", undefined],
    ["3-1", undefined],
    ["1,x", undefined],
    [",", undefined],
    ["1-99999999", undefined],
  ])("%j", (line, expected) => {
    expect(readChoice(line, 4)).toEqual(expected);
  });
});

describe("secrets that stand in an entry", () => {
  const entry = {
    command: "x",
    env: {
      API_KEY: "abcdef123456",
      PLAIN: "eu-west-1",
      FORM: "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
      EMPTY_TOKEN: "",
      SHORT_TOKEN: "abc",
      USE_TOKEN: "true",
      README_TOKEN: "<YOUR_TOKEN>",
      MORE_TOKEN: "YOUR_API_KEY",
      KEPT_TOKEN: "${TOKEN}",
    },
    headers: { Authorization: "Bearer abcdef123456" },
  };

  it("are found by name and form; what is none stays", () => {
    expect(plainSecrets("my-server", entry).map(({ name, value }) => [name, value])).toEqual([
      ["my-server/API_KEY", "abcdef123456"],
      ["my-server/FORM", entry.env.FORM],
      ["my-server/SHORT_TOKEN", "abc"],
      ["my-server/Authorization", "abcdef123456"],
    ]);
  });

  it("are replaced by references", () => {
    expect(withReferences(entry, plainSecrets("s", entry))).toEqual({
      command: "x",
      env: {
        ...entry.env,
        API_KEY: "${secret:s/API_KEY}",
        FORM: "${secret:s/FORM}",
        SHORT_TOKEN: "${secret:s/SHORT_TOKEN}",
      },
      headers: { Authorization: "Bearer ${secret:s/Authorization}" },
    });
  });
});

describe("a backup", () => {
  it("is for its owner alone, never written into what is there, and kept ten times", async () => {
    const folder = mkdtempSync(join(tmpdir(), "onedoor-backup-"));
    const file = join(folder, "mcp.json");
    const start = Date.UTC(2026, 10, 22, 1, 2, 3, 456);
    try {
      writeFileSync(file, "first", { mode: 0o644 });
      writeFileSync(join(folder, "mcp.json.mine.bak"), "other");
      const victim = join(folder, "victim");
      symlinkSync(victim, `${file}.20261122T010203Z.bak`);
      const copy = await backUpFile(file, start);
      expect(copy).toBe(`${file}.20261122T010203Z-2.bak`);
      expect(readFileSync(copy, "utf8")).toBe("first");
      expect(statSync(copy).mode & 0o777).toBe(0o600);
      expect(readdirSync(folder)).not.toContain("victim");
      for (let second = 1; second <= 12; second += 1) {
        writeFileSync(file, String(second));
        await backUpFile(file, start + second * 1000);
      }
      const kept = readdirSync(folder).filter((name) => /\d\.bak$|Z(?:-2)?\.bak$/u.test(name));
      expect(kept).toHaveLength(10);
      expect(readFileSync(`${file}.20261122T010215Z.bak`, "utf8")).toBe("12");
      expect(readdirSync(folder)).toContain("mcp.json.mine.bak");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
