import type { Json } from "../../core/json.ts";
import type { AuthServerAnswer } from "./ask-auth-server.ts";
import { jsonObjectOf } from "./json-object-of.ts";

/** A failure that Supabase's auth server itself tells, not something in front of it. */
export interface SupabaseFault {
  status: number;
  /**
   * As its documentation lists them ("Auth error codes"); of servers before those codes the `error` of
   * OAuth 2.0 (RFC 6749 §5.2), or `unknown`.
   */
  code: string;
}

/** What has that form is a code; what something in front of the server writes mostly has not. */
const codeForm = /^[a-z][a-z0-9_]{0,80}$/;

/**
 * Reads a failure in each of the forms in which its versions tell it: `code` in words (API version 2024-01-01),
 * `error_code` beside a `code` in numbers, `error` with `error_description`, a number with `msg` alone.
 * @returns undefined when it is in none of them
 */
export function readSupabaseFault({ status, body }: AuthServerAnswer): SupabaseFault | undefined {
  const told = jsonObjectOf(body);
  if (told === undefined) return undefined;
  const { code, error_code: errorCode, error, msg } = told;
  const named = [errorCode, code, error].find(isCode);
  if (named !== undefined) return { status, code: named };
  return typeof code === "number" && typeof msg === "string"
    ? { status, code: "unknown" }
    : undefined;
}

function isCode(value: Json | undefined): value is string {
  return typeof value === "string" && codeForm.test(value);
}

/** What a failure means to who showed a token (`GET /user`, `POST /logout`). */
export function meaningForToken({ code }: SupabaseFault): "ended" | "not-mine" | "unavailable" {
  switch (code) {
    case "session_not_found":
    case "session_expired":
    case "user_not_found":
    case "user_banned":
    case "insufficient_aal":
      return "ended";
    case "bad_jwt":
    case "no_authorization":
    case "unknown":
      return "not-mine";
    default:
      return "unavailable";
  }
}

/** What a failure means to who signs in (`POST /token`). */
export type SignInFault =
  | "wrong"
  | "second-factor"
  | "too-often"
  /** The project does not let users sign in so, which its operator decides. */
  | "not-allowed"
  | "unavailable";

/** @param grant what is wrong with a refresh token is not wrong with a password, and the other way round */
export function meaningForSignIn(
  { code, status }: SupabaseFault,
  grant: "password" | "refresh_token",
): SignInFault {
  if (status === 429 || /^over_\w+_rate_limit$/.test(code)) return "too-often";
  if (code === "insufficient_aal" || code.startsWith("mfa_")) return "second-factor";
  if (code === "captcha_failed" || code.endsWith("_disabled")) return "not-allowed";
  return (grant === "password" ? wrongPassword : wrongRefreshToken).has(code)
    ? "wrong"
    : "unavailable";
}

/** Told apart by nobody here: some of them the server says before it has looked at the password. */
const wrongPassword = new Set([
  "invalid_credentials",
  "invalid_grant",
  "email_not_confirmed",
  "phone_not_confirmed",
  "provider_email_needs_verification",
  "email_address_invalid",
  "user_banned",
  "user_not_found",
  "user_sso_managed",
  "validation_failed",
]);

const wrongRefreshToken = new Set([
  "refresh_token_not_found",
  "refresh_token_already_used",
  "session_not_found",
  "session_expired",
  "user_banned",
  "user_not_found",
  "bad_jwt",
  "invalid_grant",
  "validation_failed",
]);
