import { createHash } from "node:crypto";
import type { ProfileKey } from "./profile.ts";

/**
 * The name of a profile's files: a hash of URL and name, so that any name fits any file system. It tells
 * nothing about the token.
 */
export function profileId(key: ProfileKey): string {
  return createHash("sha256").update(`${key.url}\n${key.name}`).digest("hex").slice(0, 32);
}

/** Whether a word has the form of a profile id. */
export function isProfileId(word: string): boolean {
  return /^[\da-f]{32}$/u.test(word);
}
