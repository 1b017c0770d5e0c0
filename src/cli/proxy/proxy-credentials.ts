import { createDeadline } from "../../client/deadline.ts";
import { shownAddress } from "../../client/http-json.ts";
import { AppError } from "../../core/errors.ts";
import type { ServerOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { bearerFor, chooseServer } from "../server-choice.ts";
import { isMinter, runningGateway } from "../running-gateway.ts";
import { loginHint, refusedHint } from "../login-hint.ts";
import { renewRefused } from "../profile-bearer.ts";
import { endsSoon, renews } from "../renew-profile.ts";
import type { ServerChoice } from "../server-choice.ts";
import type { Bearer } from "../profile-bearer.ts";
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

  /** Again, for this server and no other, whatever has become the default meanwhile. */
  const lookAgain = async (refused: string | undefined): Promise<Bearer> => {
    const deadline = createDeadline(renewalMs, context.signal);
    const limited: Context = { ...context, deadline };
    // A plain http address was agreed to at the start.
    const same = { ...options, url: choice.given, insecureHttp: true };
    try {
      const found = await chooseServer(same, limited, dependencies);
      const bearer = await bearerFor(found, same, limited, dependencies);
      const isRefused = refused !== undefined && bearer.token === refused;
      const other = isRefused && (await renewRefused(bearer, limited, dependencies));
      failure = undefined;
      return other || bearer;
    } catch (error) {
      if (error instanceof AppError) failure = error;
      throw error;
    } finally {
      deadline.close();
    }
  };
  const renew = async (refused: string | undefined): Promise<string | undefined> => {
    current = await lookAgain(refused);
    return current.token === refused ? undefined : current.token;
  };
  /** One that ends soon is renewed before it is shown; one that is still good is shown meanwhile if that fails. */
  const renewInTime = async ({ token, source, profile }: Bearer): Promise<string | undefined> => {
    const nowMs = context.now();
    if (source !== "profile" || !profile || !renews(profile)) return token;
    const wasJustTried = nowMs - triedAtMs < retryMs && (profile.expiresAtMs ?? 0) > nowMs;
    if (wasJustTried || !endsSoon(profile, nowMs)) return token;
    triedAtMs = nowMs;
    renewal ??= renew(undefined).finally(() => (renewal = undefined));
    await renewal;
    return current?.token;
  };

  return {
    async bearer() {
      current ??= await lookAgain(undefined);
      const { source, profile } = current;
      if (source === "profile" && profile?.source === "local") {
        const runtime = await runningGateway(context, dependencies);
        if (!isMinter(runtime, profile)) {
          throw new AppError("unreachable", `Your gateway at ${profile.url} is not running`, {
            hint: "agent serve --background",
          });
        }
      }
      return renewInTime(current);
    },
    async another(refused) {
      // What several requests heard at once is looked after once; who comes late takes what is there.
      if (renewal === undefined && current?.token !== refused) return current?.token;
      renewal ??= renew(refused).finally(() => (renewal = undefined));
      return renewal;
    },
    refusal() {
      if (failure?.code === "auth_rejected" || failure?.code === "auth_required") return failure;
      const { source, token, profile }: Bearer = current ?? { source: "none" };
      const address = shownAddress(choice.endpoint);
      const hint = refusedHint(
        source,
        loginHint({ url: choice.canonical, name: profile?.name ?? options.profile }),
      );
      return token === undefined
        ? new AppError("auth_required", `${address} needs a sign-in`, { hint })
        : new AppError("auth_rejected", `${address} refuses the token`, { hint });
    },
  };
}

function ifUnreachable(error: unknown): undefined {
  if (!(error instanceof AppError) || error.code !== "unreachable") throw error;
}
