import { AppError } from "../core/errors.ts";
import type { Principal } from "../core/principal.ts";
import type { Directory } from "./directory.ts";
import { tokenPrincipal } from "./token-principal.ts";

/**
 * Whether somebody who was let in would be let in now, and as what. To be asked wherever time has passed since the
 * door: a change that waited for its turn, an answer that stays open.
 */
export interface Standing {
  /** The same principal with what it holds now; undefined: it would not be let in any more. */
  renew(principal: Principal): Principal | undefined;
  /** Tells that who there is has changed, after that is in effect: from then on `renew` may answer otherwise. */
  onChanged(listener: () => void): void;
}

/**
 * The principal as it is now, by what has a row here: a minted token must be good with the very secret that was shown,
 * and the organisation must be there.
 */
export function renewPrincipal(
  principal: Principal,
  directory: Pick<Directory, "findToken" | "organization" | "roleIn" | "user">,
  /** Milliseconds since the epoch. */
  nowMs: number,
): Principal | undefined {
  const { expiresAtMs, tokenHash, organizationId, method, isLocalOwner } = principal;
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs) return undefined;
  if (tokenHash !== undefined && (method === "local" || method === "simple")) {
    const token = directory.findToken(tokenHash);
    return token && tokenPrincipal(token, directory);
  }
  if (organizationId !== null) {
    const isThere = directory.organization(organizationId)?.deletedAtMs === null;
    return isThere && method !== "local" ? principal : undefined;
  }
  // Of those in no organisation only the owner, by the local proof, is let in without a token that has a row.
  return method !== "local" || isLocalOwner ? principal : undefined;
}

export function standingOver(): AppError {
  return new AppError("auth_rejected", "The credential of this request is not good any more", {
    hint: "agent auth login",
  });
}

/** @throws AppError `auth_rejected`, as the door would say to the credential now */
export function requireStanding(
  standing: Pick<Standing, "renew">,
  principal: Principal,
): Principal {
  const renewed = standing.renew(principal);
  if (renewed !== undefined) return renewed;
  throw standingOver();
}
