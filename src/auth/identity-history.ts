import type { Change } from "../core/change.ts";
import type { Member, MintedToken, Organization, User } from "../core/identities.ts";
import type { JsonObject } from "../core/json.ts";
import { memberKey } from "./identity-rows.ts";
import type { IdentityMaps, IdentityRows } from "./identity-rows.ts";

/** What a row of the change history says of the matter itself; who and when is added by who writes it. */
export type Matter = Pick<
  Change,
  "entity" | "entityId" | "organizationId" | "action" | "before" | "after"
>;

/**
 * The rows of the change history for rows that take the place of the known ones. Entries stand in it as the
 * administration's REST answers have them (times in ISO 8601), a token without what follows from other rows and never
 * with its hash. A session that goes on with another token has no row: nothing was changed by anybody, and every
 * program that is signed in does it each hour. Nor has a password that a sign-in stored in another form.
 */
export function mattersOf(known: IdentityMaps, rows: IdentityRows): Matter[] {
  return [
    ...rows.organizations.map((after) => ofOrganization(known.organizations.get(after.id), after)),
    ...rows.users.flatMap((after) => {
      const before = known.users.get(after.id);
      return before !== undefined && isPasswordRehashed(before, after)
        ? []
        : [ofUser(before, after)];
    }),
    ...rows.members.map((after) => ofMember(known.members.get(memberKey(after)), after)),
    ...rows.tokens.flatMap((after) => {
      const before = known.tokens.get(after.id);
      return before !== undefined && isSessionRefreshed(before, after)
        ? []
        : [ofToken(before, after)];
    }),
  ];
}

function ofOrganization(before: Organization | undefined, after: Organization): Matter {
  return {
    entity: "organization",
    entityId: after.id,
    organizationId: after.id,
    action: actionOf(before, after),
    before: before === undefined ? null : shownOrganization(before),
    after: shownOrganization(after),
  };
}

function ofUser(before: User | undefined, after: User): Matter {
  return {
    entity: "user",
    entityId: after.id,
    organizationId: null,
    action: actionOf(before, after),
    before: before === undefined ? null : shownUser(before),
    after: shownUser(after),
  };
}

function ofMember(before: Member | undefined, after: Member): Matter {
  return {
    entity: "member",
    entityId: memberKey(after),
    organizationId: after.organizationId,
    action: actionOf(before, after),
    before: before === undefined ? null : shownMember(before),
    after: shownMember(after),
  };
}

/** One that is set has another time with it. */
function isPasswordRehashed(before: User, after: User): boolean {
  return (
    before.password !== null &&
    before.password.hash !== after.password?.hash &&
    JSON.stringify(shownUser(before)) === JSON.stringify(shownUser(after))
  );
}

function isSessionRefreshed(before: MintedToken, after: MintedToken): boolean {
  return after.kind === "session" && before.hash !== null && after.hash !== null;
}

function ofToken(before: MintedToken | undefined, after: MintedToken): Matter {
  // Nothing else of a token that got another hash is different, and the hash is not shown.
  const rotated = before !== undefined && after.hash !== null && before.hash !== after.hash;
  return {
    entity: "token",
    entityId: after.id,
    organizationId: after.organizationId,
    action: actionOf(before && { deletedAtMs: before.revokedAtMs }, {
      deletedAtMs: after.revokedAtMs,
    }),
    before: before === undefined ? null : shownToken(before),
    after: rotated ? { ...shownToken(after), rotated } : shownToken(after),
  };
}

interface Deletable {
  deletedAtMs: number | null;
}

function actionOf(before: Deletable | undefined, after: Deletable): Change["action"] {
  if (before === undefined) return "created";
  if (before.deletedAtMs === after.deletedAtMs) return "changed";
  return after.deletedAtMs === null ? "restored" : "deleted";
}

const shownTime = (timeMs: number | null): string | null =>
  timeMs === null ? null : new Date(timeMs).toISOString();

function shownOrganization({ id, name, createdAtMs, deletedAtMs }: Organization): JsonObject {
  return { id, name, createdAt: shownTime(createdAtMs), deletedAt: shownTime(deletedAtMs) };
}

/** Of a password that it is set, and when: never what it is known by. */
function shownUser(user: User): JsonObject {
  return {
    id: user.id,
    name: user.name,
    passwordSetAt: shownTime(user.password?.setAtMs ?? null),
    disabledAt: shownTime(user.disabledAtMs),
    createdAt: shownTime(user.createdAtMs),
    deletedAt: shownTime(user.deletedAtMs),
  };
}

function shownMember({
  organizationId,
  userId,
  role,
  createdAtMs,
  deletedAtMs,
}: Member): JsonObject {
  return {
    organization: organizationId,
    user: userId,
    role,
    createdAt: shownTime(createdAtMs),
    deletedAt: shownTime(deletedAtMs),
  };
}

function shownToken(token: MintedToken): JsonObject {
  const { id, kind, name, userId, organizationId, role, scopes } = token;
  return {
    id,
    kind,
    name,
    user: userId,
    organization: organizationId,
    role,
    scopes: [...scopes],
    createdAt: shownTime(token.createdAtMs),
    expiresAt: shownTime(token.expiresAtMs),
    revokedAt: shownTime(token.revokedAtMs),
  };
}
