import { EventEmitter, once } from "node:events";
import {
  lstatSync,
  lutimesSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inOwnTurn } from "../../src/config/own-turn.ts";

let folder: string;
let file: string;
let lock: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "onedoor-turn-"));
  file = join(folder, "mcp.json");
  lock = join(folder, ".mcp.json.lock");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("one at a time, and nothing is left behind", async () => {
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await new Promise(setImmediate);
    inside -= 1;
  };
  const done = await Promise.all(Array.from({ length: 20 }, () => inOwnTurn(file, work)));
  expect(done).toEqual(Array.from({ length: 20 }, () => true));
  expect(most).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

test("a turn whose holder lives is not taken from it, however long ago it began", async () => {
  const gate = new EventEmitter();
  const first = inOwnTurn(file, async () => {
    await once(gate, "open");
  });
  await expect.poll(() => readdirSync(folder)).toEqual([".mcp.json.lock"]);
  lutimesSync(lock, 0, 0);
  let ran = false;
  const second = inOwnTurn(file, () => {
    ran = true;
    return Promise.resolve();
  });
  expect(await second).toBe(false);
  expect(ran).toBe(false);
  gate.emit("open");
  expect(await first).toBe(true);
  expect(readdirSync(folder)).toEqual([]);
});

test("a turn that was taken away by hand ends without taking the next one's", async () => {
  const next = `${process.ppid} 00`;
  await inOwnTurn(file, () => {
    rmSync(lock);
    symlinkSync(next, lock);
    return Promise.resolve();
  });
  expect(lstatSync(lock).isSymbolicLink()).toBe(true);
  expect(readlinkSync(lock)).toBe(next);
});

test.each([
  ["by a process that had this one's pid", () => symlinkSync(`${process.pid} 00`, lock)],
  [
    "by one of an earlier version",
    () => {
      writeFileSync(lock, "");
      utimesSync(lock, 0, 0);
    },
  ],
])("a turn that was left %s is taken over, by one of many", async (_, prepare) => {
  prepare();
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await new Promise(setImmediate);
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 10 }, () => inOwnTurn(file, work)));
  expect(most).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});
