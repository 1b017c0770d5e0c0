import type { IdentityMapping } from "../../core/configuration.ts";
import type { Principal } from "../../core/principal.ts";
import type { Directory } from "../directory.ts";
import { claimsPrincipal } from "./claims-principal.ts";
import type { ClaimsAnswer, ShownClaims } from "./claims-principal.ts";

/** Those whom one authenticator lets in by what an outside issuer says of them. */
export interface OutsidePrincipals {
  /** As `claimsPrincipal`, and remembers who was let in for as long as anybody holds that principal. */
  accept(shown: ShownClaims): ClaimsAnswer;
  /**
   * As that is now: the organisation may have come or gone since. The same object where nothing has changed; undefined
   * for whoever was let in by another authenticator, whose rules may have been others.
   */
  renew(principal: Principal): Principal | undefined;
}

/** @param mapping never changes for those who were let in by it */
export function createOutsidePrincipals(
  mapping: IdentityMapping,
  directory: Pick<Directory, "organization">,
): OutsidePrincipals {
  const shownBy = new WeakMap<Principal, ShownClaims>();
  const accept = (shown: ShownClaims): ClaimsAnswer => {
    const answer = claimsPrincipal(shown, mapping, directory);
    if (answer.kind === "accepted") shownBy.set(answer.principal, shown);
    return answer;
  };
  return {
    accept,
    renew(principal) {
      const shown = shownBy.get(principal);
      if (shown === undefined) return undefined;
      const answer = claimsPrincipal(shown, mapping, directory);
      if (answer.kind !== "accepted") return undefined;
      const { organizationId, role } = answer.principal;
      if (organizationId === principal.organizationId && role === principal.role) return principal;
      shownBy.set(answer.principal, shown);
      return answer.principal;
    },
  };
}
