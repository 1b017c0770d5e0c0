import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { underLock } from "./support/under-lock.ts";
import { processStart } from "../../src/runtime/process-start.ts";

// A stand-in for Windows and for file systems that have no links: symlink(2) fails with EPERM there.
vi.mock("node:fs", async (actual) => ({
  ...(await actual<object>()),
  symlinkSync() {
    throw Object.assign(new Error("not permitted"), { code: "EPERM" });
  },
}));

test("where there are no links the lock is a file, for one at a time", async () => {
  const folder = mkdtempSync(join(tmpdir(), "onedoor-lock-"));
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 20 }, () =>
      underLock(
        join(folder, "some.lock"),
        async () => {
          most = Math.max(most, ++inside);
          await new Promise(setImmediate);
          inside -= 1;
        },
        { startOf: processStart },
      ),
    ),
  );
  expect(most).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});
