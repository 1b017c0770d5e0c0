import type {
  FreshPersonalToken,
  PurgeCounts,
  ShownToken,
  ShownUser,
} from "../administration/administration.ts";
import type { AuditRow, AuditStatus } from "../core/audit.ts";
import type { ChangedEntity, ChangeRow } from "../core/change.ts";
import type { Member, MintedToken, Organization } from "../core/identities.ts";
import type { JsonObject } from "../core/json.ts";
import type { Role } from "../core/principal.ts";

// What the administration and the audit answer. Times are ISO 8601 in UTC; null is said, not left out.

export interface OrganizationJson {
  id: string;
  name: string;
  createdAt: string;
  deletedAt: string | null;
}

export interface UserJson extends OrganizationJson {
  /** When the password was set; null: none is. */
  passwordSetAt: string | null;
  disabledAt: string | null;
}

export interface MemberJson {
  organization: string;
  user: string;
  role: Role;
  createdAt: string;
  deletedAt: string | null;
}

export interface TokenJson {
  id: string;
  kind: MintedToken["kind"];
  name: string;
  user: string;
  organization: string | null;
  role: Role | null;
  effectiveRole: Role | null;
  scopes: readonly string[];
  createdAt: string;
  expiresAt: string | null;
  /** Of a session: until when it can go on without the password. */
  refreshExpiresAt: string | null;
  revokedAt: string | null;
}

export interface FreshTokenJson {
  token: string;
  details: TokenJson;
}

export interface ChangeJson {
  sequence: number;
  id: string;
  time: string;
  actor: ChangeRow["actor"];
  user_id: string | null;
  organization_id: string | null;
  entity: ChangedEntity;
  entity_id: string;
  action: ChangeRow["action"];
  before: JsonObject | null;
  after: JsonObject | null;
}

/** The columns of `mcp_audit_log`, under their names. */
export interface AuditRowJson {
  sequence: number;
  id: string;
  time: string;
  tool_name: string;
  params: JsonObject;
  status: AuditStatus;
  duration_ms: number;
  user_id: string | null;
  organization_id: string | null;
  project_id: string | null;
  session_id: string | null;
  client_name: string;
}

export interface PurgedJson {
  purged: PurgeCounts;
}

export function organizationJson({
  id,
  name,
  createdAtMs,
  deletedAtMs,
}: Organization): OrganizationJson {
  return { id, name, createdAt: iso(createdAtMs), deletedAt: isoOrNull(deletedAtMs) };
}

/** Field by field, so that a hash can never be among them. */
export function userJson(user: ShownUser): UserJson {
  return {
    id: user.id,
    name: user.name,
    passwordSetAt: isoOrNull(user.passwordSetAtMs),
    disabledAt: isoOrNull(user.disabledAtMs),
    createdAt: iso(user.createdAtMs),
    deletedAt: isoOrNull(user.deletedAtMs),
  };
}

export function memberJson(member: Member): MemberJson {
  return {
    organization: member.organizationId,
    user: member.userId,
    role: member.role,
    createdAt: iso(member.createdAtMs),
    deletedAt: isoOrNull(member.deletedAtMs),
  };
}

/** Field by field, so that a hash can never be among them. */
export function tokenJson(token: ShownToken): TokenJson {
  return {
    id: token.id,
    kind: token.kind,
    name: token.name,
    user: token.userId,
    organization: token.organizationId,
    role: token.role,
    effectiveRole: token.effectiveRole,
    scopes: token.scopes,
    createdAt: iso(token.createdAtMs),
    expiresAt: isoOrNull(token.expiresAtMs),
    refreshExpiresAt: isoOrNull(token.refreshExpiresAtMs),
    revokedAt: isoOrNull(token.revokedAtMs),
  };
}

export function freshTokenJson({ token, details }: FreshPersonalToken): FreshTokenJson {
  return { token, details: tokenJson(details) };
}

export function changeJson(change: ChangeRow): ChangeJson {
  return {
    sequence: change.sequence,
    id: change.id,
    time: iso(change.timeMs),
    actor: change.actor,
    user_id: change.userId,
    organization_id: change.organizationId,
    entity: change.entity,
    entity_id: change.entityId,
    action: change.action,
    before: change.before,
    after: change.after,
  };
}

export function auditRowJson(row: AuditRow): AuditRowJson {
  return {
    sequence: row.sequence,
    id: row.id,
    time: iso(row.timeMs),
    tool_name: row.toolName,
    params: row.params,
    status: row.status,
    duration_ms: row.durationMs,
    user_id: row.userId,
    organization_id: row.organizationId,
    project_id: row.projectId,
    session_id: row.sessionId,
    client_name: row.clientName,
  };
}

export function purgedJson(purged: PurgeCounts): PurgedJson {
  const { organizations, users, members, tokens, serverEntries } = purged;
  return { purged: { organizations, users, members, tokens, serverEntries } };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
