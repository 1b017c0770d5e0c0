import { OAuthRefusal, nonsense } from "./answer-failure.ts";
import { sayForeign } from "./foreign-text.ts";
import type { GrantedToken, OAuthClient, OAuthDependencies, OAuthGrant } from "./oauth.ts";
import { objectOf } from "./prepare-asking.ts";
import { joinScopes, splitScope } from "./scope-list.ts";
import { hostOf } from "./sign-in-address.ts";

/** No token is longer, in characters: a request's headers would not hold it. */
const maxTokenLength = 64 * 1024;
/** Nothing is good for longer, in seconds (ten years). */
const maxLifetimeSeconds = 10 * 365 * 24 * 60 * 60;
/** How far clocks may be apart before they are the likely reason of a refusal, in milliseconds. */
const clockToleranceMs = 5 * 60 * 1000;

/**
 * Reads what a token endpoint answered (RFC 6749 §5). An ID token is not looked at: nobody here asks who the person is,
 * and its times would refuse a clock that is an hour off.
 * @param grant what the token came by, with the scope that was asked for; its refresh token stays where no new one came
 * @throws AppError `auth_rejected` when the server refused or its token cannot be used; `unreachable`, `rate_limited`
 */
export async function readToken(
  response: Response,
  grant: OAuthGrant,
  { learn, now }: OAuthDependencies,
): Promise<GrantedToken> {
  const url = grant.tokenEndpoint;
  const json = await refusalExplained(objectOf(response, url), grant, now());
  for (const name of ["access_token", "refresh_token", "id_token"]) {
    const secret = json[name];
    if (typeof secret === "string") learn(secret);
  }
  const { access_token: accessToken, token_type: type, refresh_token: refreshToken, scope } = json;
  if (typeof accessToken !== "string" || !isHeaderText(accessToken)) {
    throw nonsense(url, "its token is none that a request can carry");
  }
  if (typeof type !== "string" || type.toLowerCase() !== "bearer") {
    throw nonsense(url, "its token is not of the type Bearer");
  }
  if (refreshToken !== undefined && refreshToken !== null && !isRefreshToken(refreshToken)) {
    throw nonsense(url, "its refresh token is none");
  }
  const lifetime = lifetimeOf(json["expires_in"]);
  const granted = typeof scope === "string" ? joinScopes(splitScope(scope)) : undefined;
  return {
    accessToken,
    ...(lifetime !== undefined && { expiresAtMs: now() + lifetime * 1000 }),
    grant: {
      ...grant,
      scope: granted ?? grant.scope,
      refreshToken: typeof refreshToken === "string" ? refreshToken : grant.refreshToken,
    },
  };
}

/** What a header can carry (RFC 6750 §2.1, generously), and not endlessly. */
function isHeaderText(token: string): boolean {
  return token.length <= maxTokenLength && /^[\x21-\x7e]+$/u.test(token);
}

/** RFC 6749 appendix A.17. */
function isRefreshToken(token: unknown): boolean {
  return (
    typeof token === "string" && token.length <= maxTokenLength && /^[\x20-\x7e]+$/u.test(token)
  );
}

/** Seconds; undefined when the server does not say, or says what cannot be. */
function lifetimeOf(value: unknown): number | undefined {
  const seconds = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof seconds !== "number" || !Number.isFinite(seconds) || seconds <= 0) return undefined;
  return Math.min(seconds, maxLifetimeSeconds);
}

/** A refused client is one that was given wrong, or whose signature is of another time: then that is said. */
async function refusalExplained<T>(
  asked: Promise<T>,
  { client, tokenEndpoint }: OAuthGrant,
  nowMs: number,
): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof OAuthRefusal)) throw error;
    const hint = clockHint(client, error, nowMs);
    if (error.error !== "invalid_client") {
      throw hint === undefined
        ? error
        : new OAuthRefusal(error.message, error, { hint, cause: error });
    }
    const proof = proofs[client.authentication];
    const { description } = error;
    const said = description === undefined ? "" : `: ${sayForeign(description)}`;
    throw new OAuthRefusal(
      `${hostOf(tokenEndpoint)} does not take this client id${proof && ` and ${proof}`} (invalid_client${said})`,
      error,
      { hint: hint ?? `Check --client-id${proof && ` and the ${proof}`}`, cause: error },
    );
  }
}

/** What a client shows itself by. */
const proofs: Readonly<Record<OAuthClient["authentication"], string>> = {
  none: "",
  client_secret_basic: "secret",
  client_secret_post: "secret",
  private_key_jwt: "key",
};

/** What to do about a signature that the other clock may not like. */
function clockHint(client: OAuthClient, { date }: OAuthRefusal, nowMs: number): string | undefined {
  const aheadMs = nowMs - Date.parse(date ?? "");
  if (client.authentication !== "private_key_jwt" || !(Math.abs(aheadMs) > clockToleranceMs)) {
    return undefined;
  }
  const minutes = Math.round(Math.abs(aheadMs) / 60_000);
  const way = aheadMs > 0 ? "ahead of" : "behind";
  return `This machine's clock is ${minutes} minutes ${way} the server's, and what was signed carries the time: set the clock`;
}
