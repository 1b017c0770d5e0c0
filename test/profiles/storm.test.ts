import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openProfiles } from "../../src/profiles/open-profiles.ts";
import { processStart } from "../../src/runtime/process-start.ts";
import { buildRingProgram } from "./support/ring-process.ts";
import { expectWhole, raiseStorm } from "./support/storm.ts";

let folder: string;
let program: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "onedoor-storm-"));
  program = await buildRingProgram(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// The same over a real Secret Service is in test/keychain; 10 s of the whole program are in test/e2e/key-ring-storm.
test("50 processes that log in, refresh and log out at once leave every profile whole", async () => {
  const configDir = join(folder, "config");
  const outcome = await raiseStorm(program, {
    configDir,
    store: "file",
    processes: 50,
    ms: 3_000,
  });
  expect(outcome).toMatchObject({ errors: [], reports: [] });
  for (const operation of ["login", "refresh", "logout", "use", "logout --all"]) {
    expect(outcome.counts[operation]).toBeGreaterThan(0);
  }
  const reports: string[] = [];
  const profiles = openProfiles({
    startOf: processStart,
    configDir,
    now: Date.now,
    report: (line) => reports.push(line),
    learn: () => undefined,
    sessionBus: undefined,
  });
  await expectWhole(profiles, configDir);
  expect(reports).toEqual([]);
}, 90_000);
