import { AppError } from "../../core/errors.ts";
import { InsufficientScope } from "../../core/insufficient-scope.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Principal } from "../../core/principal.ts";
import { authServerUnreachable } from "../auth-server-unreachable.ts";
import type { Authenticator } from "../authenticator.ts";
import { holdsMintedToken, mintedTokenPrefix } from "../minted-token-format.ts";
import type { PasswordSignIn, SignedIn } from "../password-sign-in.ts";
import { wrongPassword, wrongRefreshToken } from "../passwords/refused-sign-in.ts";
import { AuthServerUnavailable } from "./ask-auth-server.ts";
import type { AvailabilityLog } from "./availability-log.ts";
import { isForOutside } from "./bearer-form.ts";
import type { SupabaseAnswer, SupabaseClient } from "./supabase-client.ts";
import { meaningForSignIn } from "./supabase-faults.ts";

type Grant = "password" | "refresh_token";

/** Where the server does not say how long. */
const defaultRetrySeconds = 60;
/** Longer ones are not Supabase's. */
const maxRefreshTokenLength = 2048;

/**
 * Signs in with Supabase's password grant, and renews with its refresh grant. The tokens are Supabase's own; whose
 * they are is established as for any request, by the authenticator, so that nobody gets tokens that are no good here: the
 * session of who is refused is ended at the server.
 * What is wrong with a password sign-in is told in one way, whatever the server says.
 */
export function createSupabaseSignIn(options: {
  client: Pick<SupabaseClient, "passwordGrant" | "refreshGrant">;
  authenticator: Pick<Authenticator, "authenticate" | "revoke">;
  log: AvailabilityLog;
}): PasswordSignIn {
  const { client, authenticator, log } = options;

  const signIn = async (
    grant: Grant,
    ask: () => Promise<SupabaseAnswer>,
    organizationId?: string,
  ): Promise<SignedIn> => {
    try {
      const tokens = await log.watch(async () => {
        const answer = await ask();
        if (answer.kind === "fault") throw faultOf(answer, grant);
        return readTokens(answer.body);
      });
      return { ...tokens, principal: await admitted(tokens.accessToken, organizationId) };
    } catch (error) {
      throw error instanceof AuthServerUnavailable ? authServerUnreachable(error.message) : error;
    }
  };

  /** Who it is, or nobody's session is left at the server: these tokens are given to nobody. */
  const admitted = async (bearer: string, organizationId?: string): Promise<Principal> => {
    try {
      const principal = await principalOf(bearer);
      if (organizationId === undefined || organizationId === principal.organizationId) {
        return principal;
      }
      throw new AppError("forbidden", "You are not a member of this organisation");
    } catch (error) {
      const isRefused = error instanceof AppError && error.code === "forbidden";
      // Without these tokens the session can do nothing, so that it cannot be ended is no matter here.
      if (isRefused) await authenticator.revoke?.(bearer).catch(() => undefined);
      throw error;
    }
  };

  const principalOf = async (bearer: string): Promise<Principal> => {
    const answer = await authenticator.authenticate({ bearer });
    switch (answer.kind) {
      case "accepted":
        if (answer.principal.role !== null) return answer.principal;
        throw new AppError("forbidden", "You have no role in this gateway", {
          hint: "Ask its administrator for one",
        });
      case "insufficient":
        throw new InsufficientScope("The auth server's token lacks a scope", answer);
      case "rejected":
        throw new AppError("forbidden", answer.reason);
      case "unavailable":
        throw authServerUnreachable(answer.reason);
      case "absent":
      case "not-mine":
        throw authServerUnreachable("The auth server gave a token that it does not know");
    }
  };

  return {
    async login({ email, password, organizationId }) {
      // Somebody took a token of this gateway for a password: it is shown to nobody.
      if ([email, password].some(holdsMintedToken)) throw wrongPassword(null);
      return signIn("password", () => client.passwordGrant({ email, password }), organizationId);
    },
    async refresh(refreshToken) {
      const isTheirs =
        refreshToken.length <= maxRefreshTokenLength &&
        !refreshToken.startsWith(mintedTokenPrefix) &&
        !holdsMintedToken(refreshToken);
      if (!isTheirs) throw wrongRefreshToken(null);
      return signIn("refresh_token", () => client.refreshGrant(refreshToken));
    },
  };
}

/** What a failure is for who signs in: an AppError, or that the server cannot be used for it. */
function faultOf(
  { fault, retryAfterSeconds }: Extract<SupabaseAnswer, { kind: "fault" }>,
  grant: Grant,
): AppError | AuthServerUnavailable {
  switch (meaningForSignIn(fault, grant)) {
    case "wrong":
      return grant === "password" ? wrongPassword(null) : wrongRefreshToken(null);
    case "second-factor":
      return new AppError("forbidden", "This user signs in with a second factor, not here");
    case "too-often":
      return new AppError("rate_limited", "The auth server takes no more sign-ins for a while", {
        retryAfterSeconds: retryAfterSeconds ?? defaultRetrySeconds,
      });
    case "not-allowed":
    case "unavailable": {
      const isOurFault = meaningForSignIn(fault, grant) === "not-allowed";
      const message = `The auth server does not sign users in from here (${fault.code})`;
      return new AuthServerUnavailable(message, { isOurFault });
    }
  }
}

/** RFC 6749 §5.1, as Supabase has it. @throws AuthServerUnavailable for anything else */
function readTokens(body: JsonObject): Omit<SignedIn, "principal"> {
  const {
    access_token: accessToken,
    refresh_token: refreshToken = null,
    expires_in: expiresIn,
    token_type: type,
  } = body;
  if (
    typeof accessToken !== "string" ||
    !isForOutside(accessToken) ||
    (refreshToken !== null && typeof refreshToken !== "string") ||
    typeof expiresIn !== "number" ||
    !(expiresIn > 0) ||
    typeof type !== "string" ||
    type.toLowerCase() !== "bearer"
  ) {
    throw new AuthServerUnavailable("The auth server answers something else than its protocol");
  }
  return {
    accessToken,
    expiresInSeconds: Math.floor(expiresIn),
    refreshToken: refreshToken === "" ? null : refreshToken,
  };
}
