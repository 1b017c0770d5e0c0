import { constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "../core/system-error-code.ts";
import { maxSecretBytes } from "./credential-store.ts";
import type { CredentialStore } from "./credential-store.ts";
import { decodeCredential, ownerOf } from "./credential-text.ts";
import { parseProfile } from "./parse-profile.ts";
import { isProfileId, profileId } from "./profile-id.ts";
import type { Profile } from "./profile.ts";
import { parseRecord } from "./server-secrets.ts";
import type { StoredCredential } from "./stored-credential.ts";

const maxFileBytes = 64 * 1024;
/** Of each directory: whoever has more looks at these. */
const mostFiles = 2_000;

/** What lies in the key ring. */
export interface KeyRingSurvey {
  profiles: readonly Profile[];
  /** Files in a profile's place that are none, and why, as words behind the path. */
  broken: readonly { path: string; problem: string }[];
  /** Files and directories that group or others may do something with. */
  open: readonly { path: string; mode: number; isDirectory: boolean }[];
  /** Of profiles, whether or not there is one. */
  secretFileIds: readonly string[];
  registeredIds: readonly string[];
  /** Names of the secrets of upstream servers. */
  serverSecrets: readonly string[];
}

/**
 * Looks at all files of the key ring and changes none: neither modes nor files that are no profiles are mended, as they
 * are wherever profiles are used. Asks no keychain. Never throws for what it finds.
 */
export async function surveyKeyRing(configDir: string): Promise<KeyRingSurvey> {
  const survey = {
    profiles: new Array<Profile>(),
    broken: new Array<{ path: string; problem: string }>(),
    open: new Array<{ path: string; mode: number; isDirectory: boolean }>(),
  };
  const listed = async (name: string): Promise<string[]> => {
    const directory = join(configDir, name);
    const names = await namesIn(directory);
    for (const path of [directory, ...names.map((file) => join(directory, file))]) {
      const found = await lstat(path).catch(() => undefined);
      if (found === undefined || found.isSymbolicLink() || process.platform === "win32") continue;
      const mode = found.mode & 0o777;
      if ((mode & 0o077) !== 0) survey.open.push({ path, mode, isDirectory: found.isDirectory() });
    }
    return names;
  };

  for (const name of await listed("profiles")) {
    const id = name.endsWith(".json") ? name.slice(0, -".json".length) : "";
    if (!isProfileId(id)) continue;
    const path = join(configDir, "profiles", name);
    const found = await lookAt(path, maxFileBytes);
    if ("problem" in found) {
      survey.broken.push({ path, problem: found.problem });
      continue;
    }
    const parsed = parseProfile(found.text);
    if ("problem" in parsed) survey.broken.push({ path, problem: parsed.problem });
    else if (profileId(parsed) === id) survey.profiles.push(parsed);
    else survey.broken.push({ path, problem: "belongs to another URL or name" });
  }
  const serverSecrets: string[] = [];
  for (const name of await listed("server-secrets")) {
    if (!name.endsWith(".json")) continue;
    const found = await lookAt(join(configDir, "server-secrets", name), maxFileBytes);
    const record = "text" in found ? parseRecord(found.text) : undefined;
    if (record !== undefined) serverSecrets.push(record.name);
  }
  return {
    ...survey,
    profiles: survey.profiles.toSorted((a, b) => a.createdAtMs - b.createdAtMs),
    secretFileIds: (await listed("secrets")).filter(isProfileId),
    registeredIds: (await listed("keychain")).filter(isProfileId),
    serverSecrets,
  };
}

/**
 * What is kept for a profile, as `Profiles.credentialOf` finds it, and nothing is mended on the way.
 * @returns undefined where there is nothing, or something that is no credential of this profile
 * @throws AppError `store_unavailable`
 */
export async function lookAtCredential(
  configDir: string,
  profile: Profile,
  keychain: () => Promise<Pick<CredentialStore, "get">>,
): Promise<StoredCredential | undefined> {
  const id = profileId(profile);
  let text: string | undefined;
  if (profile.store === "keychain") text = await (await keychain()).get(id);
  else {
    const found = await lookAt(join(configDir, "secrets", id), maxSecretBytes);
    text = "text" in found ? found.text : undefined;
  }
  const decoded = text === undefined ? undefined : decodeCredential(text);
  if (decoded === undefined) return undefined;
  const { owner, credential } = decoded;
  return owner === undefined || owner === ownerOf(profile) ? credential : undefined;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).toSorted().slice(0, mostFiles);
  } catch {
    // Not there; or closed to us, which is found by looking at the directory itself.
    return [];
  }
}

async function lookAt(
  path: string,
  maxBytes: number,
): Promise<{ text: string } | { problem: string }> {
  try {
    const flags = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
    const file = await open(path, constants.O_RDONLY | flags);
    try {
      const found = await file.stat();
      if (!found.isFile()) return { problem: "is no file" };
      if (found.size > maxBytes) return { problem: "is too long" };
      return { text: await file.readFile("utf8") };
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = systemErrorCode(error) ?? "unknown";
    return { problem: code === "ELOOP" ? "is a link" : `cannot be read (${code})` };
  }
}
