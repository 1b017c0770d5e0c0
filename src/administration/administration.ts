import type { AuditQuery, AuditRow } from "../core/audit.ts";
import type { ChangeQuery, ChangeRow } from "../core/change.ts";
import type { Member, MintedToken, Organization, User } from "../core/identities.ts";
import type { Principal, Role } from "../core/principal.ts";
import type { RecordPage } from "../core/storage.ts";
import type { RestoredEntry } from "./server-history.ts";

/** A user as it is shown: of its password, when it was set, and never its hash. */
export interface ShownUser extends Omit<User, "password"> {
  /** Null: it has none. */
  passwordSetAtMs: number | null;
}

/** A user whose password was set, and what lets somebody in as this user all the same. */
export interface UserWithNewPassword extends ShownUser {
  /** Personal tokens that are neither taken back nor expired: a new password ends sessions alone. */
  livePersonalTokens: number;
}

/** A minted token as it is shown: without its hashes. */
export interface ShownToken extends Omit<MintedToken, "hash" | "refresh"> {
  /** Of a session: until when it can go on without the password. */
  refreshExpiresAtMs: number | null;
  /** What it may now, as `role`, its scopes and its user allow; null: nothing (taken back, expired), or `/metrics` alone. */
  effectiveRole: Role | null;
}

export interface FreshPersonalToken {
  /** Shown once, here: only its hash is kept. */
  token: string;
  details: ShownToken;
}

/** Part of a list, in the order of ids. */
export interface ListOptions {
  /** Entries after this id. */
  after?: string | undefined;
  limit: number;
  /** Those that are deleted (of tokens: taken back), in place of those that are not. */
  deleted: boolean;
}

export interface PurgeCounts {
  organizations: number;
  users: number;
  members: number;
  tokens: number;
  /** Rows of the change history that held old entries of servers. */
  serverEntries: number;
}

/**
 * What administrators may do with the gateway's own identities. Each change is one transaction with its row
 * of the change history, and in effect when the promise resolves. Who acts is always the first parameter:
 *
 * - the gateway's administrators (role admin, no organisation) may do everything;
 * - an organisation's administrators see and change members, tokens, audit and history of it, and nothing else:
 *   what belongs elsewhere does not exist for them (`not_found`, in the words for what nobody has);
 * - everybody else gets `forbidden`, naming the role that is needed.
 *
 * A change is decided when its turn comes, by what its principal holds then. All throw AppError: `forbidden`,
 * `not_found`, `usage` (no identifier, exists already: HTTP 409), `store_unavailable` (nothing was changed then),
 * `auth_rejected` (the principal would not be let in any more).
 */
export interface Administration {
  readonly organizations: {
    list(by: Principal, options: ListOptions): Organization[];
    /** Gateway administrators only, as `remove` and `restore`. An id that was ever given is not given again. */
    add(by: Principal, organization: { id: string; name: string }): Promise<Organization>;
    /** Its tokens are dead at once. */
    remove(by: Principal, id: string): Promise<Organization>;
    restore(by: Principal, id: string): Promise<Organization>;
  };
  readonly users: {
    /** Of an organisation's administrator: its members. */
    list(by: Principal, options: ListOptions): ShownUser[];
    /** Gateway administrators only, as all that follow. An id that was ever given is not given again. */
    add(by: Principal, user: { id: string; name: string }): Promise<ShownUser>;
    /** All the user's tokens are dead at once, and stay so when the user is restored; so is the password. */
    remove(by: Principal, id: string): Promise<ShownUser>;
    restore(by: Principal, id: string): Promise<ShownUser>;
    /**
     * Until it is enabled the user gets in nowhere: sessions are ended for good, other tokens are good for nothing
     * until then. One that is disabled stays so, since then.
     */
    disable(by: Principal, id: string): Promise<ShownUser>;
    enable(by: Principal, id: string): Promise<ShownUser>;
    /**
     * Sets what the user signs in with, in place of the password before; all the user's sessions end. It is not
     * the id, and has 12 characters at least and 1024 bytes (UTF-8) at most.
     * @throws AppError `usage` for another; `rate_limited` when too many passwords are being set or tried at once
     */
    setPassword(by: Principal, id: string, password: string): Promise<UserWithNewPassword>;
  };
  readonly members: {
    /** In the order of organisation and user; `after` is `organisation/user`. */
    list(
      by: Principal,
      options: ListOptions & { organizationId?: string | undefined; userId?: string | undefined },
    ): Member[];
    /**
     * Makes the user a member with this role, or changes the role; counts from the user's next call on. Only a
     * gateway administrator makes somebody a member: an organisation's administrator must not learn who else is
     * known here.
     */
    set(
      by: Principal,
      member: { organizationId: string; userId: string; role: Role },
    ): Promise<Member>;
    /** The user's tokens for this organisation are dead at once. */
    remove(by: Principal, member: { organizationId: string; userId: string }): Promise<Member>;
    /** Gateway administrators only: who takes somebody out of an organisation is not overruled there. */
    restore(by: Principal, member: { organizationId: string; userId: string }): Promise<Member>;
  };
  readonly tokens: {
    list(by: Principal, options: ListOptions & { userId?: string | undefined }): ShownToken[];
    /**
     * Mints a token for a member of an organisation, or, without user and organisation, for the local owner, who
     * alone may ask for such a one. It never carries more than its user holds: a role above that is refused, and
     * without a role it may what its user may at each call. Scopes (`core/scopes.ts`) limit it further; `metrics` is
     * for tokens of the local owner.
     */
    create(
      by: Principal,
      token: {
        name: string;
        userId?: string | undefined;
        organizationId?: string | undefined;
        role?: Role | undefined;
        scopes?: readonly string[] | undefined;
        /** Milliseconds; undefined: 90 days; null: never. */
        lifetimeMs?: number | null | undefined;
      },
    ): Promise<FreshPersonalToken>;
    /**
     * A new token in place of the old, which is dead at once; id, role, scopes and expiry stay. One without an
     * organisation only the local owner replaces.
     */
    rotate(by: Principal, id: string): Promise<FreshPersonalToken>;
    revoke(by: Principal, id: string): Promise<ShownToken>;
  };
  /**
   * Newest first. Secrets of servers' entries are hidden.
   * @throws AppError `rate_limited`, as `audit`: too many such questions are being answered
   */
  history(by: Principal, query: ChangeQuery): Promise<RecordPage<ChangeRow>>;
  audit(by: Principal, query: AuditQuery): Promise<RecordPage<AuditRow>>;
  /** Removes for good what was deleted before this time. Gateway administrators only. */
  purge(by: Principal, beforeMs: number): Promise<PurgeCounts>;
  /**
   * Writes the entry that a server had before its last change back into the configuration file (its deletion
   * or edit is undone), disabled where secrets that it refers to are not kept any more; the file's watcher puts it into
   * effect. Gateway administrators only.
   * @throws AppError `not_found` when the history has no earlier entry; `config_invalid` when the file changed
   *   or cannot be written
   */
  restoreServer(
    by: Principal,
    name: string,
  ): Promise<{ name: string; from: ChangeRow } & Omit<RestoredEntry, "row">>;
}
