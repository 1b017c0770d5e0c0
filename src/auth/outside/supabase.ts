import type { SupabaseServer } from "../../core/configuration.ts";
import type { Logger } from "../../core/logger.ts";
import { authServerUnreachable } from "../auth-server-unreachable.ts";
import type { Authenticator } from "../authenticator.ts";
import type { PasswordSignIn } from "../password-sign-in.ts";
import { AuthServerUnavailable } from "./ask-auth-server.ts";
import type { AskAuthServer } from "./ask-auth-server.ts";
import { createAvailabilityLog } from "./availability-log.ts";
import { createBearerAuthenticator } from "./bearer-authenticator.ts";
import type { RemoteAuthenticatorOptions } from "./bearer-authenticator.ts";
import { unverifiedClaims } from "./bearer-form.ts";
import { createSupabaseClient } from "./supabase-client.ts";
import type { SupabaseClient } from "./supabase-client.ts";
import { meaningForToken } from "./supabase-faults.ts";
import { createSupabaseConfirmation } from "./supabase-user.ts";
import { createSupabaseSignIn } from "./supabase-sign-in.ts";

/**
 * Who signs in with a Supabase-compatible auth server: by showing its token (`auth` type `bearer`), or with email
 * address and password, for which the server's own tokens are given (type `simple`).
 * @param options.logger hears of the server's failures, not of each request
 */
export function createSupabase(
  options: RemoteAuthenticatorOptions & {
    server: SupabaseServer;
    ask: AskAuthServer;
    logger: Pick<Logger, "info" | "warn" | "error">;
  },
): { authenticator: Authenticator; signIn: PasswordSignIn } {
  const { server, ask, logger, now, ...rest } = options;
  const client = createSupabaseClient(server, ask);
  const log = createAvailabilityLog({ logger, url: server.url, now });
  const authenticator = createBearerAuthenticator({
    ...rest,
    now,
    issuer: server.url,
    cacheMs: server.cacheMs,
    ask: createSupabaseConfirmation({ client, log, now }),
    revoke: (token) => endSession(client, token),
  });
  return { authenticator, signIn: createSupabaseSignIn({ client, authenticator, log }) };
}

/**
 * Ends the session that a token belongs to, with its refresh token.
 * @returns false when the server does not know the token; true also when the session was over
 * @throws AppError `unreachable`
 */
async function endSession(client: Pick<SupabaseClient, "logout">, token: string): Promise<boolean> {
  if (unverifiedClaims(token) === undefined) return false;
  try {
    const answer = await client.logout(token);
    if (answer.kind === "done") return true;
    const meaning = meaningForToken(answer.fault);
    if (meaning !== "unavailable") return meaning === "ended";
    throw new AuthServerUnavailable(`The auth server ends no session (${answer.fault.code})`);
  } catch (error) {
    if (!(error instanceof AuthServerUnavailable)) throw error;
    const hint = "The token is good until it expires; try again later";
    throw authServerUnreachable(error.message, hint);
  }
}
