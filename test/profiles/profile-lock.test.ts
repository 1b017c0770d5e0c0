import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withProfileLock } from "../../src/profiles/profile-lock.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "onedoor-lock-"));
  path = join(folder, "some.lock");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The pid of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ["-e", "0"]).pid;
}

test("one at a time", async () => {
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 20 }, () =>
      withProfileLock(path, async () => {
        most = Math.max(most, ++inside);
        await new Promise(setImmediate);
        inside -= 1;
      }),
    ),
  );
  expect(most).toBe(1);
  expect(existsSync(path)).toBe(false);
});

test("is given back when the work fails", async () => {
  const failure = new Error("failed");
  await expect(withProfileLock(path, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(await withProfileLock(path, () => Promise.resolve("next"))).toBe("next");
});

test.each([
  ["of a process that has died", () => writeFileSync(path, `${deadPid()} 00`)],
  // As in a container, whose first process always has the same one.
  ["of a process that had this one's pid", () => writeFileSync(path, `${process.pid} 00`)],
  [
    "whose maker died before it wrote its name",
    () => {
      writeFileSync(path, "");
      utimesSync(path, 0, 0);
    },
  ],
  [
    "that somebody died over while breaking it",
    () => {
      writeFileSync(path, `${deadPid()} 00`);
      writeFileSync(`${path}.breaking`, `${deadPid()} 00`);
      utimesSync(`${path}.breaking`, 0, 0);
    },
  ],
])("a lock %s is taken over", async (_, prepare) => {
  prepare();
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 10 }, () =>
      withProfileLock(path, async () => {
        most = Math.max(most, ++inside);
        await new Promise(setImmediate);
        inside -= 1;
      }),
    ),
  );
  expect(most).toBe(1);
});

test("the lock of a living process is waited for, as long as one may", async () => {
  writeFileSync(path, `${process.ppid} 00`);
  const controller = new AbortController();
  const waiting = withProfileLock(path, () => Promise.resolve(), controller.signal);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
  expect(existsSync(path)).toBe(true);
});
