import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { profileId } from "../../src/profiles/profile-id.ts";
import type { Profile } from "../../src/profiles/profile.ts";
import type { Profiles } from "../../src/profiles/open-profiles.ts";
import { draft, folder, open, refuse, save } from "./bench.ts";

const key = draft("https://gw.example.com");
type Change = (profiles: Profiles, profile: Profile, signal: AbortSignal) => Promise<unknown>;
test.each<[string, Change]>([
  [
    "save",
    async (profiles, profile, signal) => {
      const { store } = await profiles.storeFor(profile, "file");
      return profiles.save(key, { token: "od_new" }, store, signal);
    },
  ],
  ["choose", (profiles, profile, signal) => profiles.choose(profile, signal)],
  ["remove", (profiles, profile, signal) => profiles.remove(profile, undefined, signal)],
  ["removeOrphans", (profiles, _, signal) => profiles.removeOrphans(signal)],
  ["renew", (profiles, profile, signal) => profiles.renew(profile, () => false, refuse, signal)],
])(
  "%s: the wait for another process ends with the command's time, and says so",
  async (_, change) => {
    await save(open(), key);
    const [profile] = await open().list();
    if (!profile) throw new Error("lost");
    mkdirSync(folder(), { recursive: true });
    symlinkSync(`${process.ppid} 00`, join(folder(), `${profileId(key)}.lock`));
    const over = new AppError("timeout", "No answer within 30 s");
    await expect(change(open(), profile, AbortSignal.abort(over))).rejects.toBe(over);
    expect(await open().list()).toEqual([profile]);
    expect(readdirSync(folder())).toHaveLength(2);
  },
);
