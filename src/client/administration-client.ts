import { AppError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import {
  isApproved,
  isAuditRow,
  isChangeRow,
  isConfigurationAnswer,
  isFreshToken,
  isIdentityRow,
  isMemberRow,
  isPurge,
  isRestoredServer,
  isSequence,
  isServerChanges,
  isTextAfter,
  isTokenRow,
  isUserRow,
  pageOf,
} from "./administration-answers.ts";
import type {
  Approved,
  AuditRow,
  ChangeRow,
  Check,
  ConfigurationAnswer,
  FreshToken,
  IdentityRow,
  MemberRow,
  Page,
  PurgedCounts,
  RestoredServer,
  ServerChanges,
  TokenRow,
  UserRow,
} from "./administration-answers.ts";
import { createAsk } from "./administration-questions.ts";
import type { FindAccess, Query } from "./administration-questions.ts";

export interface ListFilter {
  deleted: boolean;
}

/** Organisations, or users. */
export interface IdentityCollection<Row> {
  list(filter: ListFilter): Promise<Row[]>;
  add(identity: { id: string; name?: string | undefined }): Promise<Row>;
  remove(id: string): Promise<Row>;
  restore(id: string): Promise<Row>;
}

export interface UserCollection extends IdentityCollection<UserRow> {
  disable(id: string): Promise<UserRow>;
  enable(id: string): Promise<UserRow>;
  setPassword(id: string, password: string): Promise<UserRow>;
}

export interface MemberKey {
  organization: string;
  user: string;
}

export interface AuditFilter {
  /** ISO 8601. */
  since?: string | undefined;
  until?: string | undefined;
  tool?: string | undefined;
  status?: string | undefined;
  user?: string | undefined;
  organization?: string | undefined;
  project?: string | undefined;
  session?: string | undefined;
  client?: string | undefined;
}

export interface AuditPart {
  order: "newest" | "oldest";
  /** At most `largestPage`. */
  limit: number;
  after?: number | undefined;
}

export interface NewToken {
  name: string;
  user?: string | undefined;
  organization?: string | undefined;
  role?: string | undefined;
  scopes?: readonly string[] | undefined;
  /** Null: never; undefined: what the gateway thinks right. */
  expiresInSeconds?: number | null | undefined;
}

/**
 * The administration of a OneDoor gateway, over its REST API. Whatever it answers is checked before it is
 * taken for an answer. All throw AppError: `unreachable` (also for what is no answer), `timeout`,
 * `auth_required`, `auth_rejected`, `forbidden`, `not_found`, `usage` (also: it exists already),
 * `rate_limited`, `config_invalid`, `store_unavailable`; and what finding the access throws.
 */
export interface AdministrationClient {
  readonly organizations: IdentityCollection<IdentityRow>;
  readonly users: UserCollection;
  readonly members: {
    list(
      filter: ListFilter & { organization?: string | undefined; user?: string | undefined },
    ): Promise<MemberRow[]>;
    set(key: MemberKey, role: string): Promise<MemberRow>;
    remove(key: MemberKey): Promise<MemberRow>;
    restore(key: MemberKey): Promise<MemberRow>;
  };
  readonly tokens: {
    list(filter: ListFilter & { user?: string | undefined }): Promise<TokenRow[]>;
    create(token: NewToken): Promise<FreshToken>;
    rotate(id: string): Promise<FreshToken>;
    revoke(id: string): Promise<TokenRow>;
  };
  /** Newest first, at most `limit`. */
  history(query: {
    entity?: string | undefined;
    id?: string | undefined;
    limit: number;
  }): Promise<ChangeRow[]>;
  /** One page of the audit log. */
  audit(
    filter: AuditFilter,
    part: AuditPart,
    signal?: AbortSignal,
  ): Promise<Page<AuditRow, number>>;
  /** What waits for an approval, of every server of which anything does. */
  allChanges(): Promise<ServerChanges[]>;
  /** The same of one server. @param tool `not_found` where the server has no such tool */
  changes(server: string, tool?: string): Promise<ServerChanges>;
  /** @param tool null: the server's instructions; undefined: everything of it, whose `hash` it is then */
  approve(server: string, what: { tool?: string | null; hash: string }): Promise<Approved>;
  restoreServer(name: string): Promise<RestoredServer>;
  /** What became of the configuration file. */
  configuration(): Promise<ConfigurationAnswer>;
  /** @param before ISO 8601 */
  purge(before: string): Promise<PurgedCounts>;
}

/** As many entries as a gateway gives at a time. */
export const largestPage = 1000;
/** A gateway that pages for ever must end somewhere. */
const mostPages = 1000;

/** @param signal the deadline of the command */
export function createAdministrationClient(
  findAccess: FindAccess,
  signal: AbortSignal,
): AdministrationClient {
  const ask = createAsk(findAccess, signal);

  const all = async <Row>(
    plural: string,
    path: readonly string[],
    isRow: Check<Row>,
    query: Query,
  ): Promise<Row[]> => {
    const rows: Row[] = [];
    let after: string | undefined;
    for (let page = 0; page < mostPages; page += 1) {
      const answer = await ask<Page<Row, string>>(
        { method: "GET", path, query: { ...query, limit: largestPage, after } },
        (json) => pageOf(json, plural, isRow, isTextAfter, largestPage),
      );
      rows.push(...answer.rows);
      if (answer.next === null) return rows;
      if (answer.next === after || answer.rows.length === 0) break;
      after = answer.next;
    }
    throw new AppError("unreachable", `The gateway lists ${plural} without end`);
  };

  const identities = <Row>(
    plural: "organizations" | "users",
    isRow: Check<Row>,
  ): IdentityCollection<Row> => {
    const path = ["admin", plural];
    return {
      list: (filter) => all(plural, path, isRow, queryOf(filter)),
      add: (body) => ask({ method: "POST", path, body }, one(isRow)),
      remove: (id) => ask({ method: "DELETE", path: [...path, id] }, one(isRow)),
      restore: (id) => ask({ method: "POST", path: [...path, id, "restore"] }, one(isRow)),
    };
  };

  const users = ["admin", "users"];
  const tokens = ["admin", "tokens"];

  return {
    organizations: identities("organizations", isIdentityRow),
    users: {
      ...identities("users", isUserRow),
      disable: (id) => ask({ method: "POST", path: [...users, id, "disable"] }, one(isUserRow)),
      enable: (id) => ask({ method: "POST", path: [...users, id, "enable"] }, one(isUserRow)),
      setPassword: (id, password) =>
        ask(
          { method: "PUT", path: [...users, id, "password"], body: { password } },
          one(isUserRow),
        ),
    },
    members: {
      list: ({ organization, user, ...filter }) =>
        all("members", ["admin", "members"], isMemberRow, {
          ...queryOf(filter),
          organization,
          user,
        }),
      set: (key, role) =>
        ask({ method: "PUT", path: memberPath(key), body: { role } }, one(isMemberRow)),
      remove: (key) => ask({ method: "DELETE", path: memberPath(key) }, one(isMemberRow)),
      restore: (key) =>
        ask({ method: "POST", path: [...memberPath(key), "restore"] }, one(isMemberRow)),
    },
    tokens: {
      list: ({ user, ...filter }) =>
        all("tokens", tokens, isTokenRow, { ...queryOf(filter), user }),
      create: (body) => ask({ method: "POST", path: tokens, body }, one(isFreshToken)),
      rotate: (id) => ask({ method: "POST", path: [...tokens, id, "rotate"] }, one(isFreshToken)),
      revoke: (id) => ask({ method: "DELETE", path: [...tokens, id] }, one(isTokenRow)),
    },
    async history({ entity, id, limit }) {
      const rows: ChangeRow[] = [];
      let before: number | undefined;
      while (rows.length < limit) {
        const wanted = Math.min(largestPage, limit - rows.length);
        const page = await ask<Page<ChangeRow, number>>(
          {
            method: "GET",
            path: ["admin", "history"],
            query: { entity, id, before, limit: wanted },
          },
          (json) => pageOf(json, "changes", isChangeRow, isSequence, wanted),
        );
        rows.push(...page.rows);
        // A page without rows leads on as well; one that leads back does not.
        if (page.next === null || (before !== undefined && page.next >= before)) break;
        before = page.next;
      }
      return rows;
    },
    audit: (filter, { order, limit, after }, questionSignal) =>
      ask(
        { method: "GET", path: ["audit"], query: { ...filter, order, limit, after } },
        (json) => pageOf(json, "rows", isAuditRow, isSequence, limit),
        questionSignal,
      ),
    allChanges: () =>
      ask({ method: "GET", path: ["admin", "changes"] }, (json) =>
        isJsonObject(json) &&
        Array.isArray(json["servers"]) &&
        json["servers"].every((entry) => isServerChanges(entry))
          ? json["servers"]
          : undefined,
      ),
    changes: (server, tool) =>
      ask(
        {
          method: "GET",
          path: ["servers", server, "changes"],
          isBelowAddress: true,
          query: { tool },
        },
        one(isServerChanges),
      ),
    approve: (server, body) =>
      ask(
        { method: "POST", path: ["servers", server, "approve"], isBelowAddress: true, body },
        one(isApproved),
      ),
    restoreServer: (name) =>
      ask({ method: "POST", path: ["admin", "servers", name, "restore"] }, one(isRestoredServer)),
    configuration: () =>
      ask({ method: "GET", path: ["admin", "configuration"] }, one(isConfigurationAnswer)),
    purge: async (before) =>
      (await ask({ method: "POST", path: ["admin", "purge"], body: { before } }, one(isPurge)))
        .purged,
  };
}

function memberPath({ organization, user }: MemberKey): string[] {
  return ["admin", "organizations", organization, "members", user];
}

/** Reads an answer that is one thing. */
function one<T>(check: Check<T>): (json: unknown) => T | undefined {
  return (json) => (check(json) ? json : undefined);
}

function queryOf({ deleted }: ListFilter): Query {
  return { deleted: deleted ? "true" : undefined };
}
