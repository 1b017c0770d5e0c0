import type { Generated } from "kysely";
import type { AuditStatus } from "../../core/audit.ts";
import type { Change, ChangedEntity } from "../../core/change.ts";
import type { MintedToken } from "../../core/identities.ts";
import type { Role } from "../../core/principal.ts";

/** The tables as kysely sees them; `migrations.ts` makes them. Times are milliseconds since the epoch. */
export interface Schema {
  organizations: {
    id: string;
    name: string;
    created_at: number;
    deleted_at: number | null;
  };
  users: {
    id: string;
    name: string;
    /** Null together with the next. */
    password_hash: string | null;
    password_set_at: number | null;
    disabled_at: number | null;
    created_at: number;
    deleted_at: number | null;
  };
  members: {
    organization_id: string;
    user_id: string;
    role: Role;
    created_at: number;
    deleted_at: number | null;
  };
  minted_tokens: {
    id: string;
    hash: string | null;
    kind: MintedToken["kind"];
    name: string;
    user_id: string;
    organization_id: string | null;
    role: Role | null;
    /** JSON, a list of texts. */
    scopes: string;
    created_at: number;
    expires_at: number | null;
    /** Null together with the two that follow. */
    refresh_hash: string | null;
    refresh_family_hash: string | null;
    refresh_expires_at: number | null;
    revoked_at: number | null;
  };
  change_history: {
    sequence: Generated<number>;
    id: string;
    actor: Change["actor"];
    user_id: string | null;
    organization_id: string | null;
    entity: ChangedEntity;
    entity_id: string;
    action: Change["action"];
    /** JSON, as the next. */
    before: string | null;
    after: string | null;
    created_at: number;
  };
  tool_pins: {
    server: string;
    identity: string;
    /** JSON: a name, or null. */
    tool: string;
    hash: string | null;
    /** JSON; null with the hash. */
    definition: string | null;
    pinned_at: number;
    /** JSON, a list of texts. */
    said_hashes: string;
  };
  mcp_audit_log: {
    /** The order of writing. */
    sequence: Generated<number>;
    id: string;
    tool_name: string;
    /** JSON */
    params: string;
    status: AuditStatus;
    duration_ms: number;
    user_id: string | null;
    organization_id: string | null;
    project_id: string | null;
    session_id: string | null;
    client_name: string;
    created_at: number;
  };
}
