import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { replaceFile } from "../../src/config/replace-file.ts";
import { AppError } from "../../src/core/errors.ts";
import { openSetupFile } from "../../src/hosts/setup-file.ts";
import { emptyRecord, writeSetupRecord } from "../../src/hosts/setup-record.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "onedoor-replace-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const common = {
  found: undefined,
  folderMode: 0o700,
  fileMode: 0o600,
  refuse: (reason: string) => new AppError("config_invalid", reason),
};

test("what the last look refuses leaves no draft, no lock and no folder", async () => {
  const file = join(folder, "a", "b", "mcp.json");
  const failure = new AppError("config_invalid", "was changed");
  const look = (): Promise<void> => Promise.reject(failure);
  await expect(replaceFile(file, "{}", { ...common, look })).rejects.toBe(failure);
  expect(readdirSync(folder)).toEqual([]);
  await expect(replaceFile(file, "{}", common)).resolves.toEqual([
    join(folder, "a"),
    join(folder, "a", "b"),
  ]);
  await replaceFile(file, undefined, common);
  expect(readdirSync(join(folder, "a", "b"))).toEqual([]);
});

test("of many that set up one file at once only those that saw the one before it write", async () => {
  const file = join(folder, "mcp.json");
  const opened = await Promise.all(
    Array.from({ length: 8 }, () => openSetupFile(file, folder, true)),
  );
  const done = await Promise.allSettled(opened.map((each, index) => each.save(`${index}`)));
  const written = done.flatMap(({ status }, index) => (status === "fulfilled" ? [`${index}`] : []));
  expect(written).toEqual([readFileSync(file, "utf8")]);
  expect(done.find(({ status }) => status === "rejected")).toMatchObject({
    reason: { message: expect.stringContaining("was changed meanwhile") },
  });
  expect(readdirSync(folder)).toEqual(["mcp.json"]);
});

test.each(["new", undefined])("a file that is in another's turn is not set to %j", async (text) => {
  const file = join(folder, "mcp.json");
  await replaceFile(file, "old", common);
  const opened = await openSetupFile(file, folder, true);
  // Of a process that lives: this one's parent.
  symlinkSync(`${process.ppid} 00`, join(folder, ".mcp.json.lock"));
  await expect(opened.save(text)).rejects.toThrow("is being changed by another program");
  expect(readFileSync(file, "utf8")).toBe("old");
  expect(readdirSync(folder).toSorted()).toEqual([".mcp.json.lock", "mcp.json"]);
});

test("a record that cannot be put in its place leaves no draft", async () => {
  await writeSetupRecord(folder, "/some/file", emptyRecord);
  const records = join(folder, "setup");
  const [name = ""] = readdirSync(records);
  rmSync(join(records, name));
  // A folder in its place, with something in it, is what no file can replace.
  await replaceFile(join(records, name, "something"), "", common);
  await expect(writeSetupRecord(folder, "/some/file", emptyRecord)).rejects.toThrow(
    "cannot be written",
  );
  expect(readdirSync(records)).toEqual([name]);
  expect(existsSync(join(records, name, "something"))).toBe(true);
});
