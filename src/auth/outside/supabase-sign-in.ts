import { AppError } from "../../core/errors.ts";
import { InsufficientScope } from "../../core/insufficient-scope.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Principal } from "../../core/principal.ts";
import type { Authenticator } from "../authenticator.ts";
import { isMintedToken, mintedTokenPrefix } from "../minted-token-format.ts";
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
 * they are is established as for any request, by the authenticator, so that nobody gets tokens that are no good here.
 * What is wrong with a password sign-in is told in one way, whatever the server says.
 */
export function createSupabaseSignIn(options: {
  client: Pick<SupabaseClient, "passwordGrant" | "refreshGrant">;
  authenticator: Pick<Authenticator, "authenticate">;
  log: AvailabilityLog;
}): PasswordSignIn {
  const { client, authenticator, log } = options;

  const signIn = async (grant: Grant, ask: () => Promise<SupabaseAnswer>): Promise<SignedIn> => {
    try {
      const tokens = await log.watch(async () => {
        const answer = await ask();
        if (answer.kind === "fault") throw faultOf(answer, grant);
        return readTokens(answer.body);
      });
      return { ...tokens, principal: await principalOf(tokens.accessToken) };
    } catch (error) {
      throw error instanceof AuthServerUnavailable ? unreachable(error.message) : error;
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
        throw unreachable(answer.reason);
      case "absent":
      case "not-mine":
        throw unreachable("The auth server gave a token that it does not know");
    }
  };

  return {
    async login({ email, password, organizationId }) {
      // Somebody took a token of this gateway for a password: it is shown to nobody.
      if (isMintedToken(password)) throw wrongPassword(null);
      const signedIn = await signIn("password", () => client.passwordGrant({ email, password }));
      if (organizationId !== undefined && organizationId !== signedIn.principal.organizationId) {
        throw new AppError("forbidden", "You are not a member of this organisation");
      }
      return signedIn;
    },
    async refresh(refreshToken) {
      const isTheirs =
        refreshToken.length <= maxRefreshTokenLength && !refreshToken.startsWith(mintedTokenPrefix);
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

function unreachable(message: string): AppError {
  return new AppError("unreachable", message, { hint: "Try again later" });
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
