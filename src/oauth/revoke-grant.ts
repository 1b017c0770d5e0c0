import { revocationRequest } from "oauth4webapi";
import { AppError } from "../core/errors.ts";
import { troubleIn } from "./answer-failure.ts";
import type { OAuthDependencies, OAuthGrant } from "./oauth.ts";
import { prepareAsking } from "./prepare-asking.ts";
import type { Asking } from "./prepare-asking.ts";

/**
 * `refresh token`: that alone is taken back; `kept`: the server takes nothing back, or refused. What is not taken back
 * stays good until it expires.
 */
export type GrantRevocation = "revoked" | "refresh token" | "kept" | "unreachable";

/**
 * Takes back the refresh token and the access token of a grant (RFC 7009).
 * @throws what the signal aborts with
 */
export async function revokeGrant(
  grant: OAuthGrant,
  accessToken: string,
  deps: OAuthDependencies,
): Promise<GrantRevocation> {
  const { revocationEndpoint, refreshToken } = grant;
  if (revocationEndpoint === undefined) return "kept";
  const tokens = [
    ...(refreshToken === undefined ? [] : [{ token: refreshToken, hint: "refresh_token" }]),
    { token: accessToken, hint: "access_token" },
  ];
  for (const { token } of tokens) deps.learn(token);
  const asking = await askingOrNothing(grant, deps);
  if (asking === undefined) return "kept";
  let outcome: GrantRevocation = "revoked";
  let endsRenewal = false;
  for (const { token, hint } of tokens) {
    try {
      const response = await revocationRequest(
        asking.metadata,
        asking.client,
        asking.authentication,
        token,
        { ...asking.options, additionalParameters: { token_type_hint: hint } },
      );
      const { status } = response;
      const trouble = troubleIn(revocationEndpoint, { status, headers: {}, body: "" });
      if (trouble) throw trouble;
      if (!response.ok) outcome = endsRenewal ? "refresh token" : "kept";
      else if (hint === "refresh_token") endsRenewal = true;
    } catch (error) {
      if (deps.signal.aborted || !(error instanceof AppError)) throw error;
      return endsRenewal ? "refresh token" : "unreachable";
    }
  }
  return outcome;
}

/** A client whose key is gone can show itself no more; that is no reason to keep its tokens here. */
async function askingOrNothing(
  grant: OAuthGrant,
  deps: OAuthDependencies,
): Promise<Asking | undefined> {
  try {
    return await prepareAsking(grant, grant.client, deps);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return undefined;
  }
}
