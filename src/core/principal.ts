/** What a caller may do; decisions on it come with the roles issue. */
export type Role = "viewer" | "editor" | "admin";

/** How the caller showed who it is. */
export type AuthenticationMethod = "local" | "token" | "none";

/** Who a request acts for, as the door has established it. Never built from what a client says. */
export interface Principal {
  /** Stable id: the owner's local user name for minted tokens, the token's name for static ones. */
  userId: string;
  /** What people call it. */
  displayName: string;
  organizationId: string | null;
  role: Role;
  /** Empty: no restriction beyond the role. */
  scopes: readonly string[];
  method: AuthenticationMethod;
  /** Milliseconds since the epoch at which the credential stops being good; absent: never. */
  expiresAtMs?: number | undefined;
  /** Of the minted token that was shown, which can be taken back; absent for other credentials. */
  tokenId?: string | undefined;
}

/**
 * Names a principal among all: two that are not one never have the same, though a token may be called as the
 * local user is. What belongs to a principal (sessions, parked calls, connections) is kept under it.
 */
export function principalKey({ method, organizationId, userId }: Principal): string {
  return JSON.stringify([method, organizationId, userId]);
}

/** The gateway acting on its own account (start, migrations, audit writing). */
export const systemPrincipal: Principal = {
  userId: "system",
  displayName: "gateway",
  organizationId: null,
  role: "admin",
  scopes: [],
  method: "none",
};
