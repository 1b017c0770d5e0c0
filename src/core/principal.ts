/** What a member may do in an organisation, the least first. */
export const roles = ["viewer", "editor", "admin"] as const;
export type Role = (typeof roles)[number];

/** The ways to sign in that a configuration may list, in the order in which they are asked (contract §4 "auth"). */
export const authenticationTypes = [
  "local",
  "token",
  "jwt",
  "simple",
  "bearer",
  "oauth",
  "none",
] as const;
export type AuthenticationType = (typeof authenticationTypes)[number];

/** How the caller showed who it is; `system` is the gateway itself. */
export type AuthenticationMethod = AuthenticationType | "system";

/** Who a request acts for, as the door has established it. Never built from what a client says. */
export interface Principal {
  /**
   * Stable id: the owner's local user name, the id of a user in the store, the name of a static token, or what an
   * outside issuer calls it.
   */
  readonly userId: string;
  /** What people call it. */
  displayName: string;
  /** Its email address, where it is known. */
  email?: string | undefined;
  /** The organisation it acts in; null: in none, as the owner of the gateway does. */
  readonly organizationId: string | null;
  /** As it is now, not as it was when a session began; null: known, and without any role here. */
  role: Role | null;
  /** What the user holds, where the token that was shown is limited to less: `role` is that limit then. */
  userRole?: Role | undefined;
  /** What the credential is limited to (`core/scopes.ts`), none but those; empty: no restriction beyond the role. */
  scopes: readonly string[];
  readonly method: AuthenticationMethod;
  /** Which outside issuer vouches for it, by its URL: another one's user of the same id is somebody else. */
  readonly issuer?: string | undefined;
  /** Organisation and role follow from what an outside issuer says, by the configuration: no membership here counts. */
  mapped?: boolean | undefined;
  /** The operating-system user who runs the gateway, by a token minted for it: its calls are not counted. */
  isLocalOwner: boolean;
  /** Milliseconds since the epoch at which the credential stops being good; absent: never. */
  expiresAtMs?: number | undefined;
  /** SHA-256 (hex) of the token that was shown, to find out whether it is still good; absent where none was. */
  tokenHash?: string | undefined;
}

/** Who is known from memory is the same object call after call, and each call asks for its key several times. */
const keys = new WeakMap<Principal, string>();

/**
 * Names a principal among all: two that are not one never have the same, though a token may be called as the
 * local user is. What belongs to a principal (sessions, parked calls, connections) is kept under it.
 */
export function principalKey(principal: Principal): string {
  const known = keys.get(principal);
  if (known !== undefined) return known;
  const { method, organizationId, userId, issuer } = principal;
  const parts = [method, organizationId, userId];
  const key = JSON.stringify(issuer === undefined ? parts : [...parts, issuer]);
  keys.set(principal, key);
  return key;
}

/** The gateway acting on its own account (start, migrations, audit writing). */
export const systemPrincipal: Principal = {
  userId: "system",
  displayName: "gateway",
  organizationId: null,
  role: "admin",
  scopes: [],
  method: "system",
  isLocalOwner: false,
};
