import { lstat, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { parseProfile } from "./parse-profile.ts";
import {
  ensurePrivateDirectory,
  mendDirectory,
  notOurs,
  readPrivateFile,
  removeFile,
  storeError,
} from "./private-file.ts";
import { isProfileId, profileId } from "./profile-id.ts";
import type { Profile } from "./profile.ts";

/** A profile's metadata is some hundred bytes. */
const maxProfileBytes = 64 * 1024;

/**
 * What was set aside, what `conf` had written and not yet renamed when its process was killed, and the mark of who
 * was about to take a lock over.
 */
const remains = /^([\da-f]{32})\.(?:json\.(?:corrupt|tmp)-.*|lock\.breaking)$/u;

/** The metadata files of the key ring: `<directory>/<id>.json`, one for each profile. */
export interface ProfileFiles {
  /** In the order of their making. A file that is no profile is reported, set aside and left out. */
  list(): Promise<Profile[]>;
  read(id: string): Promise<Profile | undefined>;
  write(profile: Profile): Promise<void>;
  /** False when there was none. */
  remove(id: string): Promise<boolean>;
  /** Of all files here, whatever became of them. */
  ids(): Promise<string[]>;
  /** Removes what was set aside of one profile, and what killed processes left of it. */
  removeRemains(id: string): Promise<void>;
  /** The lock file of one profile; makes the directory. */
  lockPath(id: string): Promise<string>;
}

/**
 * Reads plainly; the library that writes is loaded at the first write only.
 * @param report told of every file that was mended or set aside
 */
export function createProfileFiles(
  directory: string,
  now: () => number,
  report: (line: string) => void,
): ProfileFiles {
  const pathOf = (id: string): string => join(directory, `${id}.json`);

  async function entries(): Promise<string[]> {
    try {
      const found = await readdir(directory);
      await mendDirectory(directory, report);
      return found;
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return [];
      throw storeError("read", directory, error);
    }
  }

  /** Moves a file that is no profile out of the way, its content kept. */
  async function putAside(path: string, problem: string): Promise<void> {
    const time = new Date(now()).toISOString().replaceAll(/[:.]/gu, "-");
    const kept = `${path}.corrupt-${time}`;
    try {
      await rename(path, kept);
      report(`${path} ${problem}; its content is kept in ${kept}`);
    } catch (error) {
      // Another process was faster, and reports it.
      if (systemErrorCode(error) !== "ENOENT") throw storeError("rename", path, error);
    }
  }

  async function read(id: string): Promise<Profile | undefined> {
    const path = pathOf(id);
    let text: string | undefined;
    try {
      text = await readPrivateFile(path, { maxBytes: maxProfileBytes, report });
    } catch (error) {
      const problem = notOurs(error);
      if (problem === undefined) throw error;
      await putAside(path, problem);
      return undefined;
    }
    if (text === undefined) return undefined;
    const parsed = parseProfile(text);
    if ("problem" in parsed) await putAside(path, parsed.problem);
    else if (profileId(parsed) !== id) await putAside(path, "belongs to another URL or name");
    else return parsed;
    return undefined;
  }

  /** As `read`, but one file that cannot be read does not hide the others. */
  async function readOrReport(id: string): Promise<Profile | undefined> {
    try {
      return await read(id);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      report(error.message);
      return undefined;
    }
  }

  return {
    read,
    async list() {
      const ids = (await entries())
        .filter((name) => name.endsWith(".json"))
        .map((name) => name.slice(0, -".json".length))
        .filter(isProfileId);
      const found = await Promise.all(ids.map(readOrReport));
      return found
        .filter((profile) => profile !== undefined)
        .toSorted(
          (a, b) => a.createdAtMs - b.createdAtMs || (profileId(a) < profileId(b) ? -1 : 1),
        );
    },
    async write(profile) {
      await ensurePrivateDirectory(directory, report);
      const { writeProfileFile } = await import("./write-profile-file.ts");
      try {
        writeProfileFile(directory, profileId(profile), profile);
      } catch (error) {
        throw storeError("write", pathOf(profileId(profile)), error);
      }
    },
    remove: (id) => removeFile(pathOf(id)),
    async ids() {
      const found = (await entries())
        .map((name) => name.split(".", 1)[0] ?? "")
        .filter(isProfileId);
      return [...new Set(found)];
    },
    async removeRemains(id) {
      const names = (await entries()).filter((name) => remains.exec(name)?.[1] === id);
      await Promise.all(names.map((name) => removeIfFile(join(directory, name))));
    },
    async lockPath(id) {
      await ensurePrivateDirectory(directory, report);
      return join(directory, `${id}.lock`);
    },
  };
}

/** A directory that somebody made here may hold anything: it is left alone. */
async function removeIfFile(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) await removeFile(path);
}
