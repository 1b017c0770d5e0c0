import { hash as digest } from "node:crypto";
import type { IdentityMapping } from "../../core/configuration.ts";
import type { Authentication, Authenticator, SignInWay } from "../authenticator.ts";
import type { Directory } from "../directory.ts";
import { AuthServerUnavailable } from "./ask-auth-server.ts";
import { isForOutside } from "./bearer-form.ts";
import { claimsPrincipal } from "./claims-principal.ts";
import type { ClaimsAnswer } from "./claims-principal.ts";
import { createConfirmations } from "./confirmations.ts";
import type { AskAboutToken, Confirmed } from "./confirmations.ts";
import { keepClaims } from "./keep-claims.ts";
import { createKeptOpen } from "./kept-open.ts";

/** What every authenticator that asks a server is given. */
export interface RemoteAuthenticatorOptions {
  /** Its type is the method of those it lets in. */
  way: SignInWay;
  mapping: IdentityMapping;
  directory: Pick<Directory, "organization">;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/**
 * Lets in whose token a server confirms, now or a short while ago. Who it is here is made anew each time, so that an
 * organisation that is gone counts at once. While the server does not answer, nobody comes in; who is in stays for
 * a minute beyond what was confirmed.
 * @param options.issuer the URL of who confirms
 * @param options.ask asks the server about one token
 * @param options.cacheMs how long its answer is used again
 * @param options.revoke ends a token at the server; answers false when it is none of the server's
 */
export function createBearerAuthenticator(
  options: RemoteAuthenticatorOptions & {
    issuer: string;
    ask: AskAboutToken;
    cacheMs: number;
    revoke?: ((token: string) => Promise<boolean>) | undefined;
  },
): Authenticator {
  const { way, issuer, mapping, directory, now, ask, cacheMs, revoke } = options;
  const confirmations = createConfirmations({ ask, keep: keepClaims(mapping), cacheMs, now });
  const keptOpen = createKeptOpen({ confirmations, cacheMs, now });

  const principalOf = (
    { claims, scopes, expiresAtMs }: Confirmed,
    tokenHash: string,
  ): ClaimsAnswer =>
    claimsPrincipal(
      { issuer, claims, scopes, method: way.type, expiresAtMs, tokenHash },
      mapping,
      directory,
    );

  return {
    way,

    async authenticate({ bearer: token }): Promise<Authentication> {
      if (token === undefined) return { kind: "absent" };
      if (!isForOutside(token)) return { kind: "not-mine" };
      const hash = hashOf(token);
      try {
        const confirmation = await confirmations.of(token, hash);
        if (confirmation.kind !== "confirmed") return confirmation;
        const answer = principalOf(confirmation, hash);
        if (answer.kind === "accepted") {
          keptOpen.add(answer.principal, { token, hash }, confirmation);
        }
        return answer;
      } catch (error) {
        if (!(error instanceof AuthServerUnavailable)) throw error;
        return { kind: "unavailable", reason: error.message };
      }
    },

    renew(principal) {
      const known = keptOpen.confirmed(principal);
      if (known === undefined) return undefined;
      const answer = principalOf(known.confirmed, known.bearer.hash);
      if (answer.kind !== "accepted") return undefined;
      // Made of the same parts in the same order; asked often, so most times the same object is enough.
      if (JSON.stringify(answer.principal) === JSON.stringify(principal)) return principal;
      keptOpen.replace(principal, answer.principal);
      return answer.principal;
    },

    ...(revoke === undefined
      ? {}
      : {
          async revoke(token) {
            if (!isForOutside(token)) return false;
            const isDone = await revoke(token);
            if (isDone) confirmations.end(hashOf(token));
            return isDone;
          },
        }),
  };
}

function hashOf(token: string): string {
  return digest("sha256", token);
}
