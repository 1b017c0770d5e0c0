import type { Principal } from "../core/principal.ts";

/** The operating-system user who runs the gateway, by something that was minted for it. */
export function ownerPrincipal(owner: string): Principal {
  return {
    userId: owner,
    displayName: owner,
    organizationId: null,
    role: "admin",
    scopes: [],
    method: "local",
    isLocalOwner: true,
  };
}
