import { AppError } from "../core/errors.ts";
import type { Profile } from "../profiles/profile.ts";
import { profileId } from "../profiles/profile-id.ts";
import type { RuntimeRecord } from "../runtime/runtime-record.ts";
import type { Bearer } from "./bearer.ts";
import type { Context } from "./context.ts";
import { loginHint } from "./login-hint.ts";
import { shownTime } from "./render/shown-time.ts";
import { endsSoon, isSameToken, renewProfile, renews } from "./renew-profile.ts";
import { isMinter } from "./running-gateway.ts";
import type { AuthDependencies } from "./sign-in/dependencies.ts";

/**
 * The bearer of one saved profile, where it may be sent at all. One that is about to expire and can be got again
 * without a person is renewed first; where that fails and the token is still good, it is used, and that is said.
 * @throws AppError `auth_required` (its secret is gone), `store_unavailable`; what renewing throws, of a token that has
 *   expired
 */
export async function profileBearer(
  profile: Profile,
  runtime: RuntimeRecord | undefined,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Bearer> {
  if (profile.source === "local" && !isMinter(runtime, profile)) {
    context.io.note(
      `The token of ${profile.url} goes only to the gateway that minted it, which does not run there now`,
    );
    return { source: "none", profile };
  }
  if (renews(profile) && endsSoon(profile, context.now())) {
    const renewed = await renewedInTime(profile, context, dependencies);
    if (renewed !== undefined) return renewed;
  }
  const credential = await dependencies.openProfiles(context).credentialOf(profile);
  if (credential === undefined) {
    throw new AppError("auth_required", `The token of ${profile.url} is no longer in its store`, {
      hint: loginHint(profile),
    });
  }
  return { token: credential.token, source: "profile", profile };
}

/** Undefined where the token that there is will do. */
async function renewedInTime(
  profile: Profile,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Bearer | undefined> {
  const isGood = (current: Profile): boolean =>
    !endsSoon(current, context.now()) || !isSameToken(current, profile);
  try {
    const isUrgent = (profile.expiresAtMs ?? 0) <= context.now();
    return await renewOnce(profile, isGood, context, dependencies, isUrgent);
  } catch (error) {
    const { expiresAtMs = 0 } = profile;
    const isOver = context.signal.aborted || context.deadline.signal.aborted;
    if (isOver || !(error instanceof AppError) || expiresAtMs <= context.now()) throw error;
    const then = error.code === "auth_rejected" ? `; after that: ${loginHint(profile)}` : "";
    context.io.note(`${error.message}; it is good until ${shownTime(expiresAtMs)}${then}`);
    return undefined;
  }
}

/**
 * Another bearer after a server has refused this one (401), which it may do before its time: the clock of this machine
 * may be wrong, the token may be revoked. Once for each command, and again when what came of that is about to end.
 * @returns undefined where there is none to be had: it is no profile's, does not renew itself, or was renewed already
 * @throws what renewing throws
 */
export async function renewRefused(
  bearer: Bearer,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Bearer | undefined> {
  const { source, profile } = bearer;
  if (source !== "profile" || profile === undefined || !renews(profile)) return undefined;
  const earlier = context.renewals.get(profileId(profile));
  if (earlier !== undefined && !(await isSpent(earlier, context))) return undefined;
  return renewOnce(profile, (current) => !isSameToken(current, profile), context, dependencies);
}

/** What came of the first attempt of a command counts for all of it, but for the time of what it got. */
async function renewOnce(
  profile: Profile,
  isGood: (current: Profile) => boolean,
  context: Context,
  dependencies: AuthDependencies,
  isUrgent = true,
): Promise<Bearer | undefined> {
  const id = profileId(profile);
  const earlier = context.renewals.get(id);
  if (earlier !== undefined && !(await isSpent(earlier, context))) return earlier;
  const attempt = renewProfile(profile, isGood, context, dependencies, isUrgent).then(
    (renewed): Bearer | undefined =>
      renewed && {
        token: renewed.credential.token,
        source: "profile",
        profile: renewed.profile,
      },
  );
  context.renewals.set(id, attempt);
  return attempt;
}

/** Whether what an attempt got is about to end as well, as it does while a command runs for long. */
async function isSpent(attempt: Promise<Bearer | undefined>, { now }: Context): Promise<boolean> {
  const got = await attempt.catch(() => undefined);
  return got?.profile !== undefined && endsSoon(got.profile, now());
}
