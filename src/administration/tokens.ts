import { compareTexts } from "../auth/identity-rows.ts";
import { hashToken, newMintedToken } from "../auth/minted-token-format.ts";
import { tokenPrincipal } from "../auth/token-principal.ts";
import { AppError } from "../core/errors.ts";
import type { MintedToken } from "../core/identities.ts";
import type { Role } from "../core/principal.ts";
import type { Administration, ShownToken } from "./administration.ts";
import { checkName } from "./check-input.ts";
import { noToken } from "./not-found.ts";
import { page } from "./page.ts";
import type { AdministrationParts } from "./parts.ts";
import { takeBackTokens } from "./take-back-tokens.ts";
import {
  checkLifetime,
  checkRoleOfScopes,
  checkScopes,
  requireScopesGrantable,
  roleAboveHeld,
} from "./token-limits.ts";
import { createTokenBearers } from "./token-bearers.ts";
import { administeredBy, requireOwner } from "./who-may.ts";

export function administerTokens(
  parts: Pick<AdministrationParts, "directory" | "now" | "newId" | "randomBytes">,
): Administration["tokens"] {
  const { directory, now, newId, randomBytes } = parts;
  const bearerOf = createTokenBearers(directory);

  const shown = (token: MintedToken): ShownToken => {
    const { hash, refresh, ...details } = token;
    const { expiresAtMs } = details;
    // A session whose token has expired goes on with another one.
    const isGood =
      hash !== null && Math.max(expiresAtMs ?? Infinity, refresh?.expiresAtMs ?? 0) > now();
    const principal = isGood ? tokenPrincipal(token, directory) : undefined;
    const refreshExpiresAtMs = refresh?.expiresAtMs ?? null;
    return { ...details, effectiveRole: principal?.role ?? null, refreshExpiresAtMs };
  };

  /** @throws AppError `not_found`: there is none that is not taken back, or it is not theirs */
  const findLive = (id: string, own: string | null): MintedToken => {
    const token = directory.token(id);
    const isTheirs = token !== undefined && (own === null || own === token.organizationId);
    if (!isTheirs || token.hash === null) throw noToken(id);
    return token;
  };

  return {
    list(by, options) {
      const own = administeredBy(by);
      const { userId, deleted } = options;
      return page(
        directory.tokens(),
        options,
        ({ id }, after) => compareTexts(id, after) > 0,
        (token) =>
          (own === null || own === token.organizationId) &&
          (userId === undefined || userId === token.userId) &&
          (token.revokedAtMs !== null) === deleted,
      ).map(shown);
    },

    create: (asked, wanted) =>
      directory.change(asked, (by) => {
        administeredBy(by);
        const { name, role = null, scopes = [], lifetimeMs = defaultLifetimeMs } = wanted;
        checkName(name, "a token");
        checkScopes(scopes);
        checkRoleOfScopes(role, scopes);
        checkLifetime(lifetimeMs);
        requireScopesGrantable(by, { ...wanted, scopes });
        const { held, ...bearer } = bearerOf(by, wanted);
        const above = roleAboveHeld(held, { role, scopes });
        if (above !== undefined) throw aboveHeld(bearer, held, above);
        const token = newMintedToken(randomBytes);
        const createdAtMs = now();
        const row: MintedToken = {
          id: newId(),
          hash: hashToken(token),
          kind: "personal",
          name,
          ...bearer,
          role,
          scopes: [...new Set(scopes)],
          createdAtMs,
          expiresAtMs: lifetimeMs === null ? null : createdAtMs + lifetimeMs,
          refresh: null,
          revokedAtMs: null,
        };
        return { tokens: [row], result: { token, details: shown(row) } };
      }),

    rotate: (asked, id) =>
      directory.change(asked, (by) => {
        const old = findLive(id, administeredBy(by));
        if (old.organizationId === null) requireOwner(by);
        requireRotatable(old, now());
        const token = newMintedToken(randomBytes);
        const row = { ...old, hash: hashToken(token) };
        return { tokens: [row], result: { token, details: shown(row) } };
      }),

    revoke: (asked, id) =>
      directory.change(asked, (by) => {
        const token = findLive(id, administeredBy(by));
        const [row = token] = takeBackTokens([token], now());
        return { tokens: [row], result: shown(row) };
      }),
  };
}

const defaultLifetimeMs = 90 * 24 * 60 * 60 * 1000;

function requireRotatable({ kind, name, expiresAtMs }: MintedToken, atMs: number): void {
  if (kind === "session") {
    throw new AppError("usage", "A session is not replaced, but begun again with the password", {
      hint: "agent token revoke <id> ends it",
    });
  }
  if (kind === "cli") {
    throw new AppError("usage", "The local owner's own tokens are not replaced, but made anew", {
      hint: "agent auth login",
    });
  }
  if (expiresAtMs !== null && expiresAtMs <= atMs) {
    throw new AppError("usage", `The token "${name}" has expired, and a new secret is no remedy`, {
      hint: "agent token create --name <name>",
    });
  }
}

function aboveHeld(
  { userId, organizationId }: Pick<MintedToken, "userId" | "organizationId">,
  held: Role,
  role: Role,
): AppError {
  const place = organizationId === null ? "here" : `in ${organizationId}`;
  return new AppError(
    "forbidden",
    `A token carries no more than its user holds: ${userId} is ${held} ${place}, not ${role}`,
    organizationId === null ? {} : { hint: `agent member set ${userId} ${organizationId} ${role}` },
  );
}
