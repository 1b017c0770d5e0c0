import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { parseServerUrl } from "../../src/core/url.ts";
import type { CredentialStore } from "../../src/profiles/credential-store.ts";
import { createFileStore } from "../../src/profiles/file-store.ts";
import type { Keychain } from "../../src/profiles/keychain-store.ts";
import { openProfiles } from "../../src/profiles/open-profiles.ts";
import type { Profiles } from "../../src/profiles/open-profiles.ts";
import { profileId } from "../../src/profiles/profile-id.ts";
import type { ProfileDraft } from "../../src/profiles/profile.ts";
import type { KeychainState } from "../../src/profiles/secret-service.ts";
import { processStart } from "../../src/runtime/process-start.ts";

// A folder of profiles of its own for each test, and a keychain in memory.

export let configDir: string;
export let reports: string[];
export let learned: Set<string>;
let clock: number;
const absent: KeychainState = { kind: "absent", reason: "there is no session bus" };

beforeEach(() => {
  configDir = mkdtempSync(join(tmpdir(), "onedoor-profiles-"));
  reports = [];
  learned = new Set();
  clock = 1000;
});
afterEach(() => rmSync(configDir, { recursive: true, force: true }));

/** A keychain in memory that is in the state given. */
export function fakeKeychain(state: KeychainState): Keychain {
  const files = createFileStore(join(configDir, "keychain"), () => undefined);
  const store: CredentialStore = { ...files };
  // A keychain keeps no room.
  delete store.reserve;
  return {
    ...store,
    kind: "keychain",
    description: "the system keychain",
    forget: () => Promise.resolve(),
    state: () => Promise.resolve(state),
    tryOut: () => Promise.resolve(),
    unlock: () => (state.kind === "present" && state.locked ? refuse() : Promise.resolve()),
  };
}

export function open(keychain: Keychain = fakeKeychain(absent)): Profiles {
  return openProfiles({
    startOf: processStart,
    learn: (secret) => learned.add(secret),
    configDir,
    now: () => clock++,
    report: (line) => reports.push(line),
    sessionBus: undefined,
    keychain,
  });
}

export function draft(
  url: string,
  name = "default",
  more: Partial<ProfileDraft> = {},
): ProfileDraft {
  const { canonical, endpoint } = parseServerUrl(url);
  return { url: canonical, name, endpoint, source: "option", ...more };
}

export async function save(
  profiles: Profiles,
  profile: ProfileDraft,
  secret = "od_secret",
): Promise<void> {
  const { store } = await profiles.storeFor(profile, "file");
  await profiles.save(profile, { token: secret }, store);
}

export function folder(): string {
  return join(configDir, "profiles");
}

export function refuse(): Promise<never> {
  return Promise.reject(new AppError("store_unavailable", "locked"));
}

export function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

export function fileOf(profile: ProfileDraft): string {
  return join(folder(), `${profileId(profile)}.json`);
}
