import {
  lstatSync,
  lutimesSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { underLock } from "./support/under-lock.ts";
import { processStart } from "../../src/runtime/process-start.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "onedoor-lock-"));
  path = join(folder, "some.lock");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const startOf = processStart;
const tomorrow = Date.now() / 1000 + 86_400;

/** The pid of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ["-e", "0"]).pid;
}

test("one at a time", async () => {
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 20 }, () =>
      underLock(
        path,
        async () => {
          most = Math.max(most, ++inside);
          await new Promise(setImmediate);
          inside -= 1;
        },
        { startOf },
      ),
    ),
  );
  expect(most).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

test("is given back when the work fails", async () => {
  const failure = new Error("failed");
  await expect(underLock(path, () => Promise.reject(failure), { startOf })).rejects.toBe(failure);
  expect(await underLock(path, () => Promise.resolve("next"), { startOf })).toBe("next");
});

test.each([
  ["of a process that has died", () => symlinkSync(`${deadPid()} 00`, path)],
  ["of a process that has died, as a file", () => writeFileSync(path, `${deadPid()} 00`)],
  // As in a container, whose first process always has the same one.
  ["of a process that had this one's pid", () => symlinkSync(`${process.pid} 00`, path)],
  [
    "of a process that had the pid of one that runs",
    () => symlinkSync(`${process.ppid} 00 other-boot/1`, path),
  ],
  [
    "whose maker died before it wrote its name",
    () => {
      writeFileSync(path, "");
      utimesSync(path, 0, 0);
    },
  ],
  [
    "whose maker died before it wrote its name, by a clock that was ahead",
    () => {
      writeFileSync(path, "");
      utimesSync(path, tomorrow, tomorrow);
    },
  ],
  [
    "that somebody died over while breaking it",
    () => {
      symlinkSync(`${deadPid()} 00`, path);
      symlinkSync(`${deadPid()} 00`, `${path}.breaking`);
      lutimesSync(`${path}.breaking`, 0, 0);
    },
  ],
  [
    "that somebody died over while breaking it, by a clock that was ahead",
    () => {
      symlinkSync(`${deadPid()} 00`, path);
      symlinkSync(`${deadPid()} 00`, `${path}.breaking`);
      lutimesSync(`${path}.breaking`, tomorrow, tomorrow);
    },
  ],
])("a lock %s is taken over", async (_, prepare) => {
  prepare();
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 10 }, () =>
      underLock(
        path,
        async () => {
          most = Math.max(most, ++inside);
          await new Promise(setImmediate);
          inside -= 1;
        },
        { startOf },
      ),
    ),
  );
  expect(most).toBe(1);
});

test.each([
  ["that names its start", async () => `${process.ppid} 00 ${await processStart(process.ppid)}`],
  ["that names no start", () => `${process.ppid} 00`],
])("the lock of a living process %s is waited for, as long as one may", async (_, mark) => {
  symlinkSync(await mark(), path);
  const controller = new AbortController();
  const { signal } = controller;
  const waiting = underLock(path, () => Promise.resolve(), { startOf, signal });
  const over = new AppError("timeout", "No answer within 30 s");
  setImmediate(() => controller.abort(over));
  await expect(waiting).rejects.toBe(over);
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
});

test("where nobody can say when a process started, its pid alone counts", async () => {
  symlinkSync(`${process.ppid} 00 other-boot/1`, path);
  const waiting = underLock(path, () => Promise.resolve(), {
    startOf: () => Promise.resolve(null),
    signal: AbortSignal.timeout(100),
  });
  await expect(waiting).rejects.toMatchObject({ name: "TimeoutError" });
});
