import type { ClaimPath, IdentityMapping } from "../core/configuration.ts";
import type { Role } from "../core/principal.ts";
import type { Findings } from "./findings.ts";

type WrittenClaim = string | readonly string[];

export interface WrittenMapping {
  claims?:
    | {
        user?: WrittenClaim | undefined;
        name?: WrittenClaim | undefined;
        organization?: WrittenClaim | undefined;
        role?: WrittenClaim | undefined;
      }
    | undefined;
  roles?: Readonly<Record<string, Role>> | undefined;
  organization?: string | undefined;
  role?: Role | undefined;
  scopes?: readonly string[] | undefined;
}

/** What Supabase and Auth0 let users write about themselves, at the top, in a path, or as a claim of one's own. */
const writtenByUsers = /(?:^|[/:.])(?:raw_)?user_meta_?data(?:$|[/:.])/u;

/**
 * What an issuer's claims mean here, with the defaults.
 * @param userClaim where the user's id is unless it is written
 */
export function toIdentityMapping(
  { claims = {}, roles, organization, role, scopes = [] }: WrittenMapping,
  userClaim: string,
  findings: Findings,
): IdentityMapping {
  const mapping: IdentityMapping = {
    claims: {
      user: toPath(claims.user) ?? [userClaim],
      name: toPath(claims.name),
      organization: toPath(claims.organization),
      role: toPath(claims.role),
    },
    roles: roles === undefined ? undefined : new Map(Object.entries(roles)),
    organizationId: organization ?? null,
    role: role ?? null,
    requiredScopes: [...new Set(scopes)],
  };
  check(mapping, findings);
  for (const [key, written] of Object.entries(claims)) {
    if (typeof written === "string") doubtDots(key, written, findings);
  }
  return mapping;
}

function toPath(written: WrittenClaim | undefined): ClaimPath | undefined {
  return typeof written === "string" ? [written] : written;
}

function check(mapping: IdentityMapping, findings: Findings): void {
  const { claims, roles, organizationId, role } = mapping;
  for (const key of ["user", "organization", "role"] as const) {
    if (claims[key]?.some((name) => writtenByUsers.test(name))) {
      const reason = "is what users write about themselves, so they could choose it";
      findings.problem(["claims", key], reason, "take a claim that only the issuer sets");
    }
  }
  if (roles !== undefined && claims.role === undefined) {
    findings.problem(["roles"], "needs claims.role, which says where these values stand");
  } else if (roles?.size === 0) {
    findings.problem(["roles"], "must name at least one value, or be left out");
  }
  if (claims.organization !== undefined && organizationId !== null) {
    findings.problem(["organization"], "stands beside claims.organization; write one of them");
  }
  if (claims.role === undefined && role === null) {
    const reason = "gives nobody a role, so whoever gets in by it may do nothing";
    findings.doubt([], reason, "write role, or claims.role and what its values mean in roles");
  }
  if (role === "admin" && claims.organization === undefined && organizationId === null) {
    const reason = "makes everybody whom the issuer lets in an administrator of the gateway";
    findings.doubt(["role"], reason, "write organization beside it, or a smaller role");
  }
  if (claims.user.at(-1) === "email") {
    const reason = "an address may be unverified, and may be somebody else's one day";
    findings.doubt(
      ["claims", "user"],
      reason,
      "take what the issuer never gives twice, such as sub",
    );
  }
}

/** `app_metadata.role` is one name with a dot in it, which few tokens have. */
function doubtDots(key: string, name: string, findings: Findings): void {
  if (!name.includes(".") || name.includes("/") || name.includes(":")) return;
  const path = `[${name
    .split(".")
    .map((part) => JSON.stringify(part))
    .join(", ")}]`;
  findings.doubt(["claims", key], "is one name with dots in it", `write ${path} for a path`);
}
