import { createDeadline } from "../../client/deadline.ts";
import { shownAddress } from "../../client/http-json.ts";
import { AppError } from "../../core/errors.ts";
import type { Profile } from "../../profiles/profile.ts";
import type { Bearer } from "../bearer.ts";
import type { ServerOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { bearerFor, chooseServer } from "../server-choice.ts";
import { isMinter, runningGateway } from "../running-gateway.ts";
import { loginHint, refusedHint } from "../login-hint.ts";
import { notSignedIn } from "../not-signed-in.ts";
import { renewRefused } from "../profile-bearer.ts";
import { endsSoon, renews } from "../renew-profile.ts";
import type { ServerChoice } from "../server-choice.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";

/** The bearer of a proxy, which outlives the token it began with. */
export interface ProxyCredentials {
  /**
   * What the next request shows.
   * @throws AppError `unreachable` while a local token's own gateway does not run: a stranger who listens
   *   there gets neither token nor request; what renewing throws, of a token that has expired
   */
  bearer(): Promise<string | undefined>;
  /**
   * The server refused this one: the profile is read again, and what can be renewed without a person is, once.
   * @returns another bearer, undefined when there is none
   * @throws AppError of the key ring or of renewing
   */
  another(refused: string | undefined): Promise<string | undefined>;
  /** What to tell when there is none. */
  refusal(): AppError;
}

/** How long the key ring and renewing may take, in milliseconds. */
const renewalMs = 30_000;
/** How long a renewal that failed is not tried again while the token is good, in milliseconds. */
const retryMs = 10_000;

/** @throws AppError as `bearerFor`, but that a local token's gateway is away is for `bearer` to say */
export async function createProxyCredentials(
  choice: ServerChoice,
  options: ServerOptions,
  context: Context,
  dependencies: AuthDependencies,
): Promise<ProxyCredentials> {
  /** Undefined while it could not be looked up, for want of the gateway. */
  let current = await bearerFor(choice, options, context, dependencies).catch(ifUnreachable);
  let renewal: Promise<string | undefined> | undefined;
  /** Why the token could not be renewed when that was tried last. */
  let failure: AppError | undefined;
  let triedAtMs = -Infinity;

  const lookAgain = async (refused?: string): Promise<Bearer> => {
    try {
      const found = await findAgain(choice, refused, options, context, dependencies);
      failure = undefined;
      return found;
    } catch (error) {
      if (error instanceof AppError) failure = error;
      throw error;
    }
  };
  const renew = async (refused?: string): Promise<string | undefined> => {
    current = await lookAgain(refused);
    return current.token === refused ? undefined : current.token;
  };
  /** What several requests want at once is done once. */
  const renewOnce = (refused?: string): Promise<string | undefined> =>
    (renewal ??= renew(refused).finally(() => (renewal = undefined)));

  return {
    async bearer() {
      current ??= await lookAgain();
      const { token, source, profile } = current;
      if (source !== "profile" || profile === undefined) return token;
      await requireMinter(profile, context, dependencies);
      const nowMs = context.now();
      if (!renews(profile) || !endsSoon(profile, nowMs)) return token;
      // One that is still good is shown for a while when it could not be renewed.
      const wasJustTried = nowMs - triedAtMs < retryMs && (profile.expiresAtMs ?? 0) > nowMs;
      if (wasJustTried && renewal === undefined) return token;
      triedAtMs = nowMs;
      await renewOnce();
      return current.token;
    },
    async another(refused) {
      // Who comes late takes what is there.
      if (renewal === undefined && current?.token !== refused) return current?.token;
      return renewOnce(refused);
    },
    refusal: () =>
      failure?.code === "auth_rejected" || failure?.code === "auth_required"
        ? failure
        : refusalOf(current ?? { source: "none" }, choice, options, context),
  };
}

/**
 * The bearer of this server and no other, whatever has become the default meanwhile. One that ends soon or is refused
 * is renewed, whatever came of that for an earlier request.
 */
async function findAgain(
  choice: ServerChoice,
  refused: string | undefined,
  options: ServerOptions,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Bearer> {
  const deadline = createDeadline(renewalMs, context.signal);
  const limited: Context = { ...context, deadline, renewals: new Map() };
  // A plain http address was agreed to at the start.
  const same = { ...options, url: choice.given, insecureHttp: true };
  try {
    const found = await chooseServer(same, limited, dependencies);
    const bearer = await bearerFor(found, same, limited, dependencies);
    const isRefused = refused !== undefined && bearer.token === refused;
    return (isRefused && (await renewRefused(bearer, limited, dependencies))) || bearer;
  } finally {
    deadline.close();
  }
}

/** @throws AppError `unreachable` while the gateway of a local token does not run */
async function requireMinter(
  profile: Profile,
  context: Context,
  dependencies: AuthDependencies,
): Promise<void> {
  if (profile.source !== "local") return;
  if (isMinter(await runningGateway(context, dependencies), profile)) return;
  throw new AppError("unreachable", `Your gateway at ${profile.url} is not running`, {
    hint: "agent serve --background",
  });
}

function refusalOf(
  { source, token, profile }: Bearer,
  choice: ServerChoice,
  options: ServerOptions,
  context: Context,
): AppError {
  const name = profile?.name ?? options.profile;
  const login = loginHint({ url: choice.given, name }, options);
  return token === undefined
    ? notSignedIn(choice.canonical, login, context)
    : new AppError("auth_rejected", `Token rejected by ${shownAddress(choice.endpoint)}`, {
        hint: refusedHint(source, login, choice),
      });
}

function ifUnreachable(error: unknown): undefined {
  if (!(error instanceof AppError) || error.code !== "unreachable") throw error;
}
