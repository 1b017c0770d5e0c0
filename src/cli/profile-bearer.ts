import type { Deadline } from "../client/deadline.ts";
import { AppError } from "../core/errors.ts";
import type { Profile } from "../profiles/profile.ts";
import { profileId } from "../profiles/profile-id.ts";
import type { RuntimeRecord } from "../runtime/runtime-record.ts";
import type { Context } from "./context.ts";
import { loginHint } from "./login-hint.ts";
import { shownTime } from "./render/shown-time.ts";
import { endsSoon, isSameToken, renewProfile, renews } from "./renew-profile.ts";
import { isMinter } from "./running-gateway.ts";
import type { AuthDependencies } from "./sign-in/dependencies.ts";

/** What a request shows, and where that comes from. */
export interface Bearer {
  token?: string | undefined;
  source: "option" | "environment" | "profile" | "none";
  profile?: Profile | undefined;
}

/**
 * What became of renewing, for each profile, under one deadline, which is what a command has one of: a server that
 * always refuses, or an authorization server that is away, is not asked again and again.
 */
const attempts = new WeakMap<Deadline, Map<string, Promise<Bearer | undefined>>>();

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
    return await renewOnce(profile, isGood, context, dependencies);
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
 * may be wrong, the token may be revoked. Once for each command.
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
  if (attempts.get(context.deadline)?.has(profileId(profile)) === true) return undefined;
  return renewOnce(profile, (current) => !isSameToken(current, profile), context, dependencies);
}

/** The first attempt of a command is its only one; what came of it counts for all of it. */
function renewOnce(
  profile: Profile,
  isGood: (current: Profile) => boolean,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Bearer | undefined> {
  const made = attempts.get(context.deadline) ?? new Map<string, Promise<Bearer | undefined>>();
  attempts.set(context.deadline, made);
  const id = profileId(profile);
  const earlier = made.get(id);
  if (earlier !== undefined) return earlier;
  const attempt = renewProfile(profile, isGood, context, dependencies).then(
    (renewed): Bearer | undefined =>
      renewed && {
        token: renewed.credential.token,
        source: "profile",
        profile: renewed.profile,
      },
  );
  made.set(id, attempt);
  return attempt;
}
