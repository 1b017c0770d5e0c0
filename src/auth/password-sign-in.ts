import type { Principal } from "../core/principal.ts";

/** What a sign-in gives (RFC 6749 §5.1). */
export interface SignedIn {
  accessToken: string;
  /** Seconds, from now. */
  expiresInSeconds: number;
  /** Null: there is none. */
  refreshToken: string | null;
  principal: Principal;
}

/** From where somebody tries to sign in. */
export interface SignInClient {
  /** The client's address, as far as it can be trusted. */
  address: string;
}

/** Who signs in with email address and password (`auth` type `simple`). */
export interface PasswordSignIn {
  /**
   * @param credentials.organizationId for members of several organisations
   * @throws AppError `auth_rejected` in the same words and after the same time whatever is wrong; `usage` when the
   *   organisation must be named; `forbidden` for a member of none; `rate_limited`; `unreachable`, `store_unavailable`
   */
  login(
    credentials: { email: string; password: string; organizationId?: string | undefined },
    client: SignInClient,
  ): Promise<SignedIn>;
  /** A new pair for a refresh token, which is good once. @throws as `login` */
  refresh(refreshToken: string, client: SignInClient): Promise<SignedIn>;
}
