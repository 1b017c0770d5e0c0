import { createDeadline } from "../../client/deadline.ts";
import { shownAddress } from "../../client/http-json.ts";
import { AppError } from "../../core/errors.ts";
import type { Profile } from "../../profiles/profile.ts";
import type { ServerOptions } from "../command.ts";
import type { Context } from "../context.ts";
import {
  bearerFor,
  chooseServer,
  isMinter,
  loginHint,
  refusedHint,
  runningGateway,
} from "../server-choice.ts";
import type { Bearer, ServerChoice } from "../server-choice.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";

/** The bearer of a proxy, which outlives the token it began with. */
export interface ProxyCredentials {
  /**
   * What the next request shows.
   * @throws AppError `unreachable` while a local token's own gateway does not run: a stranger who listens
   *   there gets neither token nor request
   */
  bearer(): Promise<string | undefined>;
  /**
   * The server refused this one: the profile is read again, and a local token minted again once.
   * @returns another bearer, undefined when there is none
   * @throws AppError of the key ring or of minting
   */
  another(refused: string | undefined): Promise<string | undefined>;
  /** What to tell when there is none. */
  refusal(): AppError;
}

/** How long the key ring and minting may take, in milliseconds. */
const renewalMs = 30_000;

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

  /** Again, for this server and no other, whatever has become the default meanwhile. */
  const lookAgain = async (refused: string | undefined): Promise<Bearer> => {
    const deadline = createDeadline(renewalMs, context.signal);
    const limited: Context = { ...context, deadline };
    // A plain http address was agreed to at the start.
    const same = { ...options, url: choice.given, insecureHttp: true };
    try {
      const found = await chooseServer(same, limited, dependencies);
      const { profile, ...bearer } = await bearerFor(found, same, limited, dependencies);
      return profile?.source === "local" && refused !== undefined && bearer.token === refused
        ? await mintAgain(profile, limited, dependencies)
        : { ...bearer, profile };
    } finally {
      deadline.close();
    }
  };
  const renew = async (refused: string | undefined): Promise<string | undefined> => {
    current = await lookAgain(refused);
    return current.token === refused ? undefined : current.token;
  };

  return {
    async bearer() {
      current ??= await lookAgain(undefined);
      const { token, source, profile } = current;
      if (source === "profile" && profile?.source === "local") {
        const runtime = await runningGateway(context, dependencies);
        if (!isMinter(runtime, profile)) {
          throw new AppError("unreachable", `Your gateway at ${profile.url} is not running`, {
            hint: "agent serve --background",
          });
        }
      }
      return token;
    },
    async another(refused) {
      // What several requests heard at once is looked after once; who comes late takes what is there.
      if (renewal === undefined && current?.token !== refused) return current?.token;
      renewal ??= renew(refused).finally(() => (renewal = undefined));
      return renewal;
    },
    refusal() {
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

async function mintAgain(
  profile: Profile,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Bearer> {
  const { signal } = context.deadline;
  const runtime = await runningGateway(context, dependencies);
  if (!isMinter(runtime, profile)) return { source: "none", profile };
  const renewed = await dependencies.openProfiles(context).renew(
    profile,
    ({ tokenId }) => tokenId !== profile.tokenId,
    async () => {
      const minted = await dependencies.mintLocalToken(runtime, signal);
      const { token, tokenId, expiresAtMs, role } = minted;
      return { secret: token, tokenId, expiresAtMs, role };
    },
    signal,
  );
  return renewed === undefined
    ? { source: "none", profile }
    : { source: "profile", token: renewed.secret, profile: renewed.profile };
}
