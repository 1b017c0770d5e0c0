import type { AuditRow } from "../../core/audit.ts";
import type { ChangeRow } from "../../core/change.ts";
import type { Member, MintedToken, Organization, User } from "../../core/identities.ts";
import type { StoredPin } from "../../core/tool-pin.ts";

/** Everything a memory storage holds. Rows are never changed in place, so that a copy of the lists is a copy. */
export interface Content {
  organizations: Map<string, Organization>;
  users: Map<string, User>;
  /** By `memberKey`. */
  members: Map<string, Member>;
  tokens: Map<string, MintedToken>;
  /** By `pinKey`. */
  toolPins: Map<string, StoredPin>;
  changes: ChangeRow[];
  audit: AuditRow[];
  auditIds: Set<string>;
  /** The last numbers given out; never given again, whatever is removed. */
  lastChange: number;
  lastAudit: number;
}

export function emptyContent(): Content {
  return {
    organizations: new Map(),
    users: new Map(),
    members: new Map(),
    tokens: new Map(),
    toolPins: new Map(),
    changes: [],
    audit: [],
    auditIds: new Set(),
    lastChange: 0,
    lastAudit: 0,
  };
}

/** To be changed by a transaction and taken over, or forgotten, when it ends. */
export function draftOf(content: Content): Content {
  return {
    organizations: new Map(content.organizations),
    users: new Map(content.users),
    members: new Map(content.members),
    tokens: new Map(content.tokens),
    toolPins: new Map(content.toolPins),
    changes: [...content.changes],
    audit: [...content.audit],
    auditIds: new Set(content.auditIds),
    lastChange: content.lastChange,
    lastAudit: content.lastAudit,
  };
}

export function memberKey(member: { organizationId: string; userId: string }): string {
  return JSON.stringify([member.organizationId, member.userId]);
}

export function pinKey(pin: Pick<StoredPin, "server" | "identity" | "tool">): string {
  return JSON.stringify([pin.server, pin.identity, pin.tool]);
}
