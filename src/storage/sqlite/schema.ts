import type { Generated } from "kysely";
import type { AuditStatus } from "../../core/audit.ts";
import type { Role } from "../../core/principal.ts";

/** The tables as kysely sees them; `migrations.ts` makes them. Times are milliseconds since the epoch. */
export interface Schema {
  minted_tokens: {
    id: string;
    hash: string;
    kind: "cli";
    user_id: string;
    role: Role;
    created_at: number;
    expires_at: number;
    revoked_at: number | null;
  };
  mcp_audit_log: {
    /** The order of writing, which tells rows of one millisecond apart. */
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
