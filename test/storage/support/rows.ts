import { randomUUID } from "node:crypto";
import type { AuditEvent } from "../../../src/core/audit.ts";
import type { Change } from "../../../src/core/change.ts";
import type { Member, MintedToken, Organization, User } from "../../../src/core/identities.ts";

/** Rows for tests, complete and different from each other; whoever cares about a field gives it. */
export function organization(changes: Partial<Organization> = {}): Organization {
  return { id: "acme", name: "Acme", createdAtMs: 1_000, deletedAtMs: null, ...changes };
}

export function user(changes: Partial<User> = {}): User {
  return {
    id: "ada",
    name: "Ada",
    password: null,
    disabledAtMs: null,
    createdAtMs: 1_000,
    deletedAtMs: null,
    ...changes,
  };
}

export function member(changes: Partial<Member> = {}): Member {
  return {
    organizationId: "acme",
    userId: "ada",
    role: "editor",
    createdAtMs: 1_000,
    deletedAtMs: null,
    ...changes,
  };
}

/** Of no organisation: it needs no member. */
export function token(changes: Partial<MintedToken> = {}): MintedToken {
  const id = randomUUID();
  return {
    id,
    hash: `hash of ${id}`,
    kind: "cli",
    name: "cli",
    userId: "ada",
    organizationId: null,
    role: "admin",
    scopes: [],
    createdAtMs: 1_000,
    expiresAtMs: 2_000,
    refresh: null,
    revokedAtMs: null,
    ...changes,
  };
}

export function change(changes: Partial<Change> = {}): Change {
  return {
    id: randomUUID(),
    timeMs: 1_000,
    actor: "user",
    userId: "ada",
    organizationId: null,
    entity: "server",
    entityId: "files",
    action: "changed",
    before: null,
    after: { command: "files" },
    ...changes,
  };
}

export function event(changes: Partial<AuditEvent> = {}): AuditEvent {
  return {
    id: randomUUID(),
    timeMs: 1_764_000_000_000,
    toolName: "everything__echo",
    params: { message: "grüß \u{1F600} 'quoted'", nested: { list: [1, null, true] } },
    status: "success",
    durationMs: 12.5,
    userId: null,
    organizationId: null,
    projectId: null,
    sessionId: null,
    clientName: "unknown",
    ...changes,
  };
}
