import type { Authenticator } from "./authenticator.ts";

/**
 * Lets everybody in as an administrator of the gateway: `auth` type `none`. That only the machine itself can ask
 * (loopback, nothing forwarded, nothing cross-site) is held by the configuration and by `http/`, not here.
 */
export function createAnonymousAuthenticator(): Authenticator {
  return {
    renew: (principal) => principal,
    way: { type: "none", description: "No sign-in is needed" },
    authenticate: () => ({
      kind: "accepted",
      principal: {
        userId: "anonymous",
        displayName: "anonymous",
        organizationId: null,
        role: "admin",
        scopes: [],
        method: "none",
        isLocalOwner: false,
      },
    }),
  };
}
