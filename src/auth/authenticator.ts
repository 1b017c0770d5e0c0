import type { Principal } from "../core/principal.ts";

/** What a request brings to the door. */
export interface Credentials {
  /** The bearer, from the `Authorization` header (RFC 6750 §2.1); absent when there was none. */
  bearer?: string | undefined;
}

/**
 * One authenticator's answer. `absent` and `not-mine` pass the request on to the next one, `rejected`
 * ends with 401, `unavailable` is a 503 when no later one accepts.
 */
export type Authentication =
  | { kind: "accepted"; principal: Principal }
  | { kind: "absent" }
  | { kind: "not-mine" }
  | { kind: "rejected"; reason: string }
  | { kind: "unavailable"; reason: string };

/** One way to sign in, as `GET /auth` lists it. */
export interface SignInWay {
  type: "local" | "token" | "none";
  /** One sentence for people: what to do to get in this way. */
  description: string;
}

export interface Authenticator {
  readonly way: SignInWay;
  authenticate(credentials: Credentials): Promise<Authentication> | Authentication;
}
