import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { AuthServerUnavailable } from "./ask-auth-server.ts";
import type { AvailabilityLog } from "./availability-log.ts";
import { expiryOf, unverifiedClaims } from "./bearer-form.ts";
import { tokenExpired } from "./confirmations.ts";
import type { AskAboutToken, Confirmation } from "./confirmations.ts";
import type { SupabaseClient } from "./supabase-client.ts";
import { meaningForToken } from "./supabase-faults.ts";

const unknown: Confirmation = {
  kind: "not-mine",
  reason: "The auth server does not know the token",
};
const ended: Confirmation = {
  kind: "rejected",
  reason: "The session of the token is over: sign in again",
};

/**
 * Has a token confirmed by `GET /user`. What cannot be one of Supabase's, because it is no JWT, is not sent; nor is
 * one that says itself that it has expired. Who is banned or deleted is let in no more, though such a user's tokens
 * stay good there until they expire; nor is who has no account of its own (anonymous sign-in), nor who has a second
 * factor and did not show it.
 */
export function createSupabaseConfirmation(options: {
  client: Pick<SupabaseClient, "user">;
  log: AvailabilityLog;
  /** Milliseconds since the epoch. */
  now: () => number;
}): AskAboutToken {
  const { client, log, now } = options;
  return async (token, asked) => {
    const said = unverifiedClaims(token);
    if (said === undefined) return { kind: "not-mine", reason: "The token is not known here" };
    const expiresAtMs = expiryOf(said);
    if (expiresAtMs !== undefined && expiresAtMs <= now()) return tokenExpired;
    return log.watch(async () => {
      const answer = await client.user(token, asked);
      if (answer.kind === "done") return confirmationOf(answer.body, said, now());
      switch (meaningForToken(answer.fault)) {
        case "ended":
          return ended;
        case "not-mine":
          return unknown;
        case "unavailable":
          throw new AuthServerUnavailable(
            `The auth server does not say whose the token is (${answer.fault.code})`,
          );
      }
    });
  };
}

/** @param said the token's own claims, which the server has just checked */
function confirmationOf(user: JsonObject, said: JsonObject, nowMs: number): Confirmation {
  const { id, is_anonymous: isAnonymous } = user;
  if (typeof id !== "string" || id === "") {
    throw new AuthServerUnavailable("The auth server answers something else than its protocol");
  }
  if (isAnonymous === true || said["is_anonymous"] === true) {
    return { kind: "rejected", reason: "Anonymous users of the auth server are not let in" };
  }
  if (isText(user["deleted_at"]) || isBanned(user["banned_until"], nowMs)) return ended;
  if (hasSecondFactor(user) && said["aal"] !== "aal2") {
    return {
      kind: "rejected",
      reason: "The user has a second factor, and the token was made without it",
    };
  }
  return {
    kind: "confirmed",
    claims: { ...user, email_verified: isEmailConfirmed(user) },
    scopes: [],
    expiresAtMs: expiryOf(said),
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** A date that cannot be read is a ban all the same. */
function isBanned(until: unknown, nowMs: number): boolean {
  return isText(until) && !(Date.parse(until) <= nowMs);
}

function hasSecondFactor({ factors }: JsonObject): boolean {
  return (
    Array.isArray(factors) &&
    factors.some((factor) => isJsonObject(factor) && factor["status"] === "verified")
  );
}

/** Older servers have one date for both, address and telephone. */
function isEmailConfirmed(user: JsonObject): boolean {
  return (
    isText(user["email_confirmed_at"]) || (isText(user["confirmed_at"]) && !isText(user["phone"]))
  );
}
