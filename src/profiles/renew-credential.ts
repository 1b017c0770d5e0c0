import type { KeptCredentials } from "./kept-credentials.ts";
import type { ProfileFiles } from "./profile-files.ts";
import { profileId } from "./profile-id.ts";
import type { Profile, ProfileDraft, ProfileKey } from "./profile.ts";
import { canRenew } from "./stored-credential.ts";
import type { StoredCredential } from "./stored-credential.ts";

/** A profile and what its store keeps for it, as they stand under its lock. */
export interface KeptProfile {
  profile: Profile;
  credential: StoredCredential | undefined;
}

/** A new credential, and what changes in the profile with it. */
export type Renewal = { credential: StoredCredential } & Partial<ProfileDraft>;

/**
 * Replaces a profile's credential, under its lock; `Profiles.renew` says how.
 * @param now milliseconds since the epoch
 */
export async function renewCredential(
  key: ProfileKey,
  isGood: (current: Profile) => boolean,
  fetch: (current: KeptProfile) => Promise<Renewal>,
  { files, kept, now }: { files: ProfileFiles; kept: KeptCredentials; now: () => number },
): Promise<{ profile: Profile; credential: StoredCredential } | undefined> {
  const current = await files.read(profileId(key));
  if (!current) return undefined;
  const earlier = await kept.read(current);
  if (earlier !== undefined && isGood(current)) return { profile: current, credential: earlier };
  // What a server ends when it is asked must not be all there is.
  const room = await kept.reserve(current, earlier);
  try {
    const { credential, ...changes } = await fetch({ profile: current, credential: earlier });
    const profile: Profile = {
      ...current,
      ...changes,
      // What it is, where it lies and how old it is are no renewal's to change.
      url: current.url,
      name: current.name,
      store: current.store,
      createdAtMs: current.createdAtMs,
      renewedAtMs: now(),
      renews: canRenew(credential),
    };
    await kept.writeRenewed(profile, credential, room);
    return { profile, credential };
  } finally {
    await room.release();
  }
}
