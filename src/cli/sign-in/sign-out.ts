import { AppError } from "../../core/errors.ts";
import { timeLimit } from "../../core/time-limit.ts";
import { addressOf } from "../../profiles/profile.ts";
import type { Profile } from "../../profiles/profile.ts";
import type { StoredCredential } from "../../profiles/stored-credential.ts";
import type { RuntimeRecord } from "../../runtime/runtime-record.ts";
import type { Context } from "../context.ts";
import { isMinter } from "../running-gateway.ts";
import type { Revocation } from "./credential-keeping.ts";
import type { AuthDependencies } from "./dependencies.ts";

/** What became of one profile. `kept` says why it is still there. */
export interface Removal {
  profile: Profile;
  revocation: Revocation;
  kept?: AppError;
}

/** How long a server may take to revoke, in milliseconds: one that is dead holds up nobody for longer. */
const revocationMs = 10_000;

/**
 * Revokes where that can be done, then removes the profile in any case.
 * @param runtime the running gateway of this user: local tokens go to it alone
 * @throws what Ctrl-C aborts with
 */
export async function signOut(
  profile: Profile,
  runtime: RuntimeRecord | undefined,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Removal> {
  const profiles = dependencies.openProfiles(context);
  let revocation: Removal["revocation"] = "not asked";
  try {
    const end = async (credential: StoredCredential): Promise<void> => {
      revocation = await revoke(profile, credential, runtime, context, dependencies);
    };
    await profiles.remove(profile, end, context.deadline.signal);
    return { profile, revocation };
  } catch (error) {
    if (context.signal.aborted || !(error instanceof AppError)) throw error;
    return { profile, revocation, kept: error };
  }
}

/** An OAuth grant ends at its authorization server; a local token is shown to nobody but its minter. */
async function revoke(
  profile: Profile,
  credential: StoredCredential,
  runtime: RuntimeRecord | undefined,
  context: Context,
  { keeping }: AuthDependencies,
): Promise<Revocation> {
  const signal = timeLimit(revocationMs, context.deadline.signal);
  const { session } = credential;
  let shown = credential;
  try {
    // A server ends a session by its access token, and takes none that has expired.
    if (session !== undefined && (profile.expiresAtMs ?? Infinity) <= context.now()) {
      const { refreshToken } = session;
      const at = addressOf(profile);
      const renewed = await keeping.refreshSession(at, refreshToken, context, signal);
      shown = renewed.credential;
      context.secrets.add(shown.token);
    }
    const endpoint = revocationEndpoint(profile, runtime);
    const ended = await keeping.end(shown, endpoint, context, signal);
    return ended === "not asked" && profile.source === "local" ? "unreachable" : ended;
  } catch (error) {
    const isOwnLimit = signal.aborted && !context.signal.aborted;
    if (!isOwnLimit && !(error instanceof AppError)) throw error;
    return error instanceof AppError && error.code === "auth_rejected" ? "invalid" : "unreachable";
  }
}

/** Where the token can be revoked; undefined where nobody can, or may be asked to. */
function revocationEndpoint(
  profile: Profile,
  runtime: RuntimeRecord | undefined,
): string | undefined {
  if (profile.source === "local") return isMinter(runtime, profile) ? runtime.url : undefined;
  return profile.server === "onedoor" ? addressOf(profile) : undefined;
}
