import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { fingerprint, watchConfiguration } from "../../src/config/watch-configuration.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "onedoor-watch-"));
  file = join(folder, "mcp.json");
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

/** Counts changes; `seen` waits until there was one more than when it was last asked. */
function watchFile(path = file, read = fingerprint(path)) {
  let count = 0;
  let asked = 0;
  const watcher = watchConfiguration(path, () => count++, {
    onError: () => undefined,
    seen: read,
  });
  onTestFinished(() => watcher.close());
  return {
    watcher,
    get count() {
      return count;
    },
    /** Resolves with true. */
    async seen() {
      await vi.waitFor(() => expect(count).toBeGreaterThan(asked), { timeout: 5000 });
      asked = count;
      return true;
    },
  };
}

describe("watching the configuration", () => {
  test("notices writing, replacing by rename, and coming back after removal", async () => {
    writeFileSync(file, "1");
    const watched = watchFile();
    writeFileSync(file, "22");
    expect(await watched.seen()).toBe(true);
    writeFileSync(`${file}.new`, "333");
    renameSync(`${file}.new`, file);
    expect(await watched.seen()).toBe(true);
    writeFileSync(`${file}.new`, "4444");
    renameSync(`${file}.new`, file);
    expect(await watched.seen()).toBe(true);
    unlinkSync(file);
    writeFileSync(file, "55555");
    expect(await watched.seen()).toBe(true);
  });

  test("notices what was written between reading the file and watching it", async () => {
    writeFileSync(file, "1");
    const read = fingerprint(file);
    writeFileSync(`${file}.new`, "22");
    renameSync(`${file}.new`, file);
    expect(await watchFile(file, read).seen()).toBe(true);
  });

  test("notices a file that was not there before", async () => {
    const watched = watchFile();
    writeFileSync(file, "1");
    expect(await watched.seen()).toBe(true);
  });

  test("notices a change behind a symbolic link", async () => {
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, "real.json"), "1");
    symlinkSync(join(elsewhere, "real.json"), file);
    const watched = watchFile();
    writeFileSync(join(elsewhere, "real.json"), "22");
    expect(await watched.seen()).toBe(true);
  });

  test("does not take another file of the folder for it", async () => {
    writeFileSync(file, "1");
    const watched = watchFile();
    const other = watchFile(join(folder, "other.json"));
    writeFileSync(join(folder, "other.json"), "1");
    // The watch on the other file saw it; this one had the same events and the same quiet time.
    expect(await other.seen()).toBe(true);
    writeFileSync(join(folder, "other.json"), "22");
    expect(await other.seen()).toBe(true);
    expect(watched.count).toBe(0);
  });

  test("ends with close, and says when the folder cannot be watched", async () => {
    writeFileSync(file, "1");
    const watched = watchFile();
    watched.watcher.close();
    const other = watchFile();
    writeFileSync(file, "22");
    expect(await other.seen()).toBe(true);
    expect(watched.count).toBe(0);
    expect(() => watchFile(join(folder, "no", "mcp.json"))).toThrow("ENOENT");
  });
});
