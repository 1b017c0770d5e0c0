import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readRegularFile } from "../../src/config/read-regular-file.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "onedoor-read-"));
  file = join(folder, "file");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const mostBytes = 200_000;

test.each([1, 65_536, 65_537, mostBytes])("reads %d bytes, and no byte more", async (length) => {
  writeFileSync(file, "a".repeat(length));
  const read = await readRegularFile(file, { mostBytes });
  expect(read).toMatchObject({ kind: "read", text: "a".repeat(length), status: { size: length } });
  const less = { mostBytes: length - 1 };
  await expect(readRegularFile(file, less)).resolves.toMatchObject({ kind: "too-large" });
});

test("a byte order mark stays, and what is no UTF-8 is no text", async () => {
  writeFileSync(file, "\u{feff}{}");
  await expect(readRegularFile(file, { mostBytes })).resolves.toMatchObject({
    text: "\u{feff}{}",
  });
  writeFileSync(file, Buffer.from([0xc3, 0x28]));
  await expect(readRegularFile(file, { mostBytes })).resolves.toMatchObject({ kind: "no-text" });
});

test("what is no regular file is not waited for, and a link is followed where it may be", async () => {
  const gone = { kind: "absent", code: "ENOENT" };
  await expect(readRegularFile(file, { mostBytes })).resolves.toEqual(gone);
  execFileSync("mkfifo", [file]);
  await expect(readRegularFile(file, { mostBytes })).resolves.toEqual({ kind: "irregular" });
  mkdirSync(join(folder, "sub"));
  await expect(readRegularFile(join(folder, "sub"), { mostBytes })).resolves.toEqual({
    kind: "irregular",
  });
  writeFileSync(join(folder, "text"), "text");
  symlinkSync("text", join(folder, "link"));
  const link = join(folder, "link");
  await expect(readRegularFile(link, { mostBytes })).resolves.toMatchObject({ text: "text" });
  await expect(readRegularFile(link, { mostBytes, noFollow: true })).resolves.toEqual({
    kind: "unreadable",
    code: "ELOOP",
  });
});
