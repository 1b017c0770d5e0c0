import { AppError } from "../core/errors.ts";
import { timeLimit } from "../core/time-limit.ts";
import { renewsItself } from "../oauth/oauth.ts";
import { addressOf } from "../profiles/profile.ts";
import type { Profile } from "../profiles/profile.ts";
import type { KeptProfile, Renewal } from "../profiles/renew-credential.ts";
import type { StoredCredential } from "../profiles/stored-credential.ts";
import type { Context } from "./context.ts";
import { loginHint } from "./login-hint.ts";
import { isMinter, runningGateway } from "./running-gateway.ts";
import type { AuthDependencies } from "./sign-in/dependencies.ts";

/** Less left than this, in milliseconds, and a token is renewed before it is shown (contract §2 "Refresh"). */
const marginMs = 60_000;
/**
 * What was renewed less than this ago, in milliseconds, is not renewed again before it expires: tokens that live for
 * less than a minute would otherwise cost each of many parallel commands a refresh.
 */
const burstMs = 10_000;
/** How long an answer that may hold a rotated refresh token is waited for after Ctrl-C, in milliseconds. */
const graceMs = 5_000;
/** How long, in milliseconds, each of lock and answer is waited for at most while the token that there is stays good. */
const impatienceMs = 10_000;

/** Whether a profile's token can be got again without a person, as far as its metadata say. */
export function renews({ source, renews: isRenewable }: Profile): boolean {
  return source === "local" || isRenewable === true;
}

/** Whether a token is to be renewed before it is shown. */
export function endsSoon({ expiresAtMs, renewedAtMs }: Profile, nowMs: number): boolean {
  if (expiresAtMs === undefined || expiresAtMs - nowMs >= marginMs) return false;
  const agoMs = renewedAtMs === undefined ? Infinity : nowMs - renewedAtMs;
  return expiresAtMs <= nowMs || agoMs < 0 || agoMs >= burstMs;
}

/** Whether two readings of a profile tell of the same token. */
export function isSameToken(a: Profile, b: Profile): boolean {
  return a.createdAtMs === b.createdAtMs && a.renewedAtMs === b.renewedAtMs;
}

/**
 * Gets a profile's token anew, in one process at a time: whoever comes second takes what the first one got. Nothing
 * changes when that fails. A refresh that was sent is waited for in spite of Ctrl-C, for a short time: the refresh
 * token that it used up is good no more.
 * @param isGood whether the profile, as it stands under its lock, needs no other token
 * @param isUrgent whether there is no token to go on with: only then it takes as long as the command may
 * @throws AppError `auth_rejected` (renewing was refused), `auth_required` (there is nothing to renew it with),
 *   `unreachable`, `timeout`, `store_unavailable`, each with what to run
 */
export async function renewProfile(
  profile: Profile,
  isGood: (current: Profile) => boolean,
  context: Context,
  dependencies: AuthDependencies,
  isUrgent = true,
): Promise<{ profile: Profile; credential: StoredCredential } | undefined> {
  const { signal: overall, timeoutMs } = context.deadline;
  const patience = afterGrace(overall);
  // Whatever the command may take, its question has to find a third of it left.
  const limitMs = Math.min(impatienceMs, timeoutMs / 3);
  const limited = (signal: AbortSignal): AbortSignal =>
    isUrgent ? signal : timeLimit(limitMs, signal);
  // Of two waits, one after the other, the second shall not begin with nothing left.
  const forOthers = limited(overall);
  let limit = forOthers;
  try {
    return await dependencies.openProfiles(context).renew(
      profile,
      isGood,
      (kept) => {
        limit = limited(patience.signal);
        return fetchAnew(kept, context, dependencies, limit);
      },
      forOthers,
    );
  } catch (error) {
    if (context.signal.aborted) throw error;
    if (error instanceof AppError) throw failedRenewal(profile, error);
    if (!limit.aborted) throw error;
    const { reason }: { reason: unknown } = overall;
    throw failedRenewal(
      profile,
      overall.aborted && reason instanceof AppError
        ? reason
        : new AppError(
            "timeout",
            limit === forOthers
              ? `another process has been at it for ${limitMs / 1000} s`
              : `no answer within ${limitMs / 1000} s`,
            { cause: error },
          ),
    );
  } finally {
    patience.close();
  }
}

async function fetchAnew(
  { profile, credential }: KeptProfile,
  context: Context,
  dependencies: AuthDependencies,
  signal: AbortSignal,
): Promise<Renewal> {
  if (profile.source === "local") {
    const runtime = await runningGateway(context, dependencies);
    if (!isMinter(runtime, profile)) {
      throw new AppError("unreachable", "the gateway that minted it does not run here now", {
        hint: "agent serve --background",
      });
    }
    const minted = await dependencies.mintLocalToken(runtime, signal);
    const { token, tokenId, expiresAtMs, role } = minted;
    return { credential: { token }, tokenId, expiresAtMs, role };
  }
  if (credential?.oauth && renewsItself(credential.oauth)) {
    const { keeping } = dependencies;
    const granted = await keeping.renewGrant(credential.oauth, context, signal);
    const { accessToken: token, expiresAtMs, grant: oauth } = granted;
    const scope = oauth.scope && context.secrets.mask(oauth.scope);
    return { credential: { token, oauth }, expiresAtMs, scope };
  }
  if (credential?.session) {
    const { refreshToken } = credential.session;
    const endpoint = addressOf(profile);
    const { keeping } = dependencies;
    const session = await keeping.refreshSession(endpoint, refreshToken, context, signal);
    const { expiresAtMs, credential: renewed } = session;
    context.secrets.add(renewed.token);
    return { credential: renewed, expiresAtMs };
  }
  throw new AppError("auth_required", "its store holds nothing to renew it with");
}

function failedRenewal(profile: Profile, error: AppError): AppError {
  const isAway = error.code === "unreachable" || error.code === "timeout";
  return new AppError(
    error.code,
    `The token of ${profile.url} could not be renewed: ${error.message}`,
    {
      hint: (isAway ? error.hint : undefined) ?? loginHint(profile),
      retryAfterSeconds: error.retryAfterSeconds,
      cause: error,
    },
  );
}

/** A signal that follows another one after a grace. */
function afterGrace(signal: AbortSignal): { signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(() => controller.abort(signal.reason), graceMs);
  };
  if (signal.aborted) controller.abort(signal.reason);
  else signal.addEventListener("abort", start, { once: true });
  return {
    signal: controller.signal,
    close() {
      signal.removeEventListener("abort", start);
      clearTimeout(timer);
    },
  };
}
