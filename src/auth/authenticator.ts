import type { AuthenticationType, Principal } from "../core/principal.ts";

/** What a request brings to the door. */
export interface Credentials {
  /** The bearer, from the `Authorization` header (RFC 6750 §2.1); absent when there was none. */
  bearer?: string | undefined;
}

/**
 * One authenticator's answer. `absent` and `not-mine` pass the request on to the next one, `rejected`
 * ends with 401, `insufficient` with 403, `unavailable` is a 503 when no later one accepts. Reasons are one line for
 * people and hold nothing of the credential.
 */
export type Authentication =
  | { kind: "accepted"; principal: Principal }
  | { kind: "absent" }
  /** `reason`: why, where there is more to say than that it is unknown; told when nobody else accepts it. */
  | { kind: "not-mine"; reason?: string | undefined }
  /** `hint`: what helps, of one line; absent: another sign-in; null: nothing that its bearer could do. */
  | { kind: "rejected"; reason: string; hint?: string | null | undefined }
  /** Who it is, is known, but the credential lacks these of its issuer's scopes. */
  | { kind: "insufficient"; scopes: readonly string[] }
  | { kind: "unavailable"; reason: string };

/** One way to sign in, as `GET /auth` lists it. */
export interface SignInWay {
  type: AuthenticationType;
  /** One sentence for people: what to do to get in this way. */
  description: string;
  /** Where credentials are exchanged for a token: a path of this gateway. */
  login?: string | undefined;
  /** Who gives the tokens, where that is not this gateway: the authorization server (RFC 8414 `issuer`). */
  issuer?: string | undefined;
  /** The scopes to ask that server for; absent: it decides. */
  scopes?: readonly string[] | undefined;
}

export interface Authenticator {
  readonly way: SignInWay;
  authenticate(credentials: Credentials): Promise<Authentication> | Authentication;
  /**
   * Who somebody is that this authenticator let in before, as that is now; undefined: it would not be let in any
   * more. Asked often, for whatever stays open, so it waits for nothing. That it has expired, the door knows.
   */
  renew(principal: Principal): Principal | undefined;
  /**
   * Ends a token that this authenticator let in, where it was made; absent where that cannot be done here.
   * @returns false when it is none of this authenticator's
   * @throws AppError `unreachable`, `store_unavailable`
   */
  revoke?(bearer: string): Promise<boolean>;
}
