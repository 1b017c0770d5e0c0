import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { profileId } from "../../../src/profiles/profile-id.ts";
import type { Profiles } from "../../../src/profiles/open-profiles.ts";
import { startRingProcess } from "./ring-process.ts";
import type { RingOutcome, RingTask } from "./ring-tasks.ts";

const urls = Array.from({ length: 6 }, (_, index) => `https://gw${index}.example.com`);

/**
 * Many processes that log in, refresh and log out at once on a few profiles.
 * @returns the sum of what they did
 */
export async function raiseStorm(
  file: string,
  options: { processes: number; ms: number } & Omit<RingTask, "job">,
): Promise<RingOutcome> {
  const { processes, ms, ...task } = options;
  const started = Array.from({ length: processes }, () =>
    startRingProcess(file, { ...task, job: { kind: "storm", urls, ms } }),
  );
  await Promise.all(started.map(({ ready }) => ready));
  for (const each of started) each.go();
  const ended = await Promise.all(started.map((each) => each.ended));

  expect(ended.map(({ stderr }) => stderr).join("")).toBe("");
  const outcomes = ended.flatMap(({ outcome }) => outcome ?? []);
  expect(outcomes).toHaveLength(processes);
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) {
    for (const [name, count] of Object.entries(outcome.counts)) {
      counts[name] = (counts[name] ?? 0) + count;
    }
  }
  return {
    counts,
    errors: outcomes.flatMap(({ errors }) => errors),
    reports: outcomes.flatMap(({ reports }) => reports),
  };
}

/** Every profile has a secret, and its own; beside them nothing is left, and all of it is private. */
export async function expectWhole(profiles: Profiles, configDir: string): Promise<void> {
  const saved = await profiles.list();
  const ids = saved.map(profileId).toSorted();
  for (const profile of saved) {
    const credential = await profiles.credentialOf(profile);
    expect(credential?.token).toBe(`od_${profile.tokenId}`);
  }
  const inFolder = (name: string): string[] => {
    try {
      return readdirSync(join(configDir, name)).toSorted();
    } catch {
      return [];
    }
  };
  const idsIn = (store: string): string[] =>
    saved
      .filter((profile) => profile.store === store)
      .map(profileId)
      .toSorted();
  expect(inFolder("profiles")).toEqual(ids.map((id) => `${id}.json`));
  expect(inFolder("secrets")).toEqual(idsIn("file"));
  expect(inFolder("keychain")).toEqual(idsIn("keychain"));
  for (const entry of readdirSync(configDir, { recursive: true, withFileTypes: true })) {
    const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
    expect(mode).toBe(entry.isDirectory() ? 0o700 : 0o600);
  }
}
