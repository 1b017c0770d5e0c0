import type { ConfigurationRefusal } from "../core/configuration-status.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import type { PendingChange } from "../core/tool-pin.ts";

// What a gateway answers to questions of administration, and whether it is that. What answers may be of another
// version, or hostile: a list in which one entry is not of its shape is refused whole, since whoever reads a
// list of members or of audit rows must not take a part of it for all.

/** An organisation or a user. Times are ISO 8601 in UTC. */
export interface IdentityRow {
  id: string;
  name: string;
  createdAt: string;
  deletedAt: string | null;
}

/** A user. What an older gateway does not say is absent. */
export interface UserRow extends IdentityRow {
  /** When the password was set; null: none is. */
  passwordSetAt?: string | null | undefined;
  /** Since when it gets in nowhere; null: it may. */
  disabledAt?: string | null | undefined;
  /** Said of a new password alone: how many tokens made for the user's programs outlast it. */
  livePersonalTokens?: number | undefined;
}

export interface MemberRow {
  organization: string;
  user: string;
  role: string;
  createdAt: string;
  deletedAt: string | null;
}

export interface TokenRow {
  id: string;
  kind: string;
  name: string;
  user: string;
  organization: string | null;
  /** The most it may be used for; null: whatever its user may at each call. */
  role: string | null;
  /** What it may be used for now, null for nothing; absent where the gateway does not say. */
  effectiveRole?: string | null | undefined;
  scopes: string[];
  createdAt: string;
  expiresAt: string | null;
  /** Of a session: until when it goes on without the password; absent where the gateway does not say. */
  refreshExpiresAt?: string | null | undefined;
  revokedAt: string | null;
}

export interface FreshToken {
  token: string;
  details: TokenRow;
}

/** One row of the change history. */
export interface ChangeRow {
  sequence: number;
  id: string;
  time: string;
  actor: string;
  user_id: string | null;
  organization_id: string | null;
  entity: string;
  entity_id: string;
  action: string;
  before: JsonObject | null;
  after: JsonObject | null;
}

/** What of a server waits for an approval. */
export interface ServerChanges {
  server: string;
  /** What an approval of all of them names; null where nothing waits. */
  hash: string | null;
  changes: PendingChange[];
}

/** What was approved. */
export interface Approved {
  server: string;
  approved: { tool: string | null; hash: string }[];
}

/** One row of `mcp_audit_log`, under the names of the contract. */
export interface AuditRow {
  sequence: number;
  id: string;
  time: string;
  tool_name: string;
  params: JsonObject;
  status: string;
  duration_ms: number;
  user_id: string | null;
  organization_id: string | null;
  project_id: string | null;
  session_id: string | null;
  client_name: string;
}

/** A server's entry that is in the configuration file again. What an older gateway does not say is absent. */
export interface RestoredServer {
  restored: string;
  from: ChangeRow;
  /** Secrets that it refers to and that are not kept any more: it is disabled. */
  missingSecrets?: string[] | undefined;
  /** SHA-256 of the file's text then. */
  fingerprint?: string | null | undefined;
}

/** Why the gateway has not taken up what stands in its configuration file. */
export type ConfigurationRefusalAnswer = Omit<ConfigurationRefusal, "sinceMs"> & { since: string };

/** What the gateway knows of its configuration file; times are ISO 8601 in UTC. */
export interface ConfigurationAnswer {
  file: string;
  /** SHA-256 of the text that is in effect. */
  fingerprint: string | null;
  loadedAt: string;
  /** When it read the file last. */
  readAt: string;
  problem: ConfigurationRefusalAnswer | null;
}

export interface PurgedCounts {
  organizations: number;
  users: number;
  members: number;
  tokens: number;
  serverEntries: number;
}

export type Check<T> = (value: unknown) => value is T;

/** Whether every field is of its type, a missing one `undefined`; what else there is does no harm. */
function object<Row extends object>(checks: { [Key in keyof Row]-?: Check<Row[Key]> }): Check<Row> {
  const fields: [string, Check<unknown>][] = Object.entries(checks);
  return (value): value is Row =>
    isJsonObject(value) &&
    fields.every(([name, check]) => check(Object.hasOwn(value, name) ? value[name] : undefined));
}

const text: Check<string> = (value): value is string => typeof value === "string";
const count: Check<number> = (value): value is number => Number.isSafeInteger(value);
const amount: Check<number> = (value): value is number =>
  typeof value === "number" && Number.isFinite(value);
const time: Check<string> = (value): value is string =>
  typeof value === "string" && value.length <= 40 && !Number.isNaN(Date.parse(value));
const texts: Check<string[]> = (value): value is string[] =>
  Array.isArray(value) && value.every(text);
/** What stands alone on stdout must be a token and nothing else. */
const token: Check<string> = (value): value is string =>
  typeof value === "string" && /^[\x21-\x7e]{1,4096}$/u.test(value);
const record: Check<JsonObject> = isJsonObject;

function orNull<T>(check: Check<T>): Check<T | null> {
  return (value): value is T | null => value === null || check(value);
}

function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value): value is T | undefined => value === undefined || check(value);
}

export const isIdentityRow = object<IdentityRow>({
  id: text,
  name: text,
  createdAt: time,
  deletedAt: orNull(time),
});

export const isUserRow = object<UserRow>({
  id: text,
  name: text,
  passwordSetAt: optional(orNull(time)),
  disabledAt: optional(orNull(time)),
  livePersonalTokens: optional(count),
  createdAt: time,
  deletedAt: orNull(time),
});

export const isMemberRow = object<MemberRow>({
  organization: text,
  user: text,
  role: text,
  createdAt: time,
  deletedAt: orNull(time),
});

export const isTokenRow = object<TokenRow>({
  id: text,
  kind: text,
  name: text,
  user: text,
  organization: orNull(text),
  role: orNull(text),
  effectiveRole: optional(orNull(text)),
  scopes: texts,
  createdAt: time,
  expiresAt: orNull(time),
  refreshExpiresAt: optional(orNull(time)),
  revokedAt: orNull(time),
});

export const isFreshToken = object<FreshToken>({ token, details: isTokenRow });

export const isChangeRow = object<ChangeRow>({
  sequence: count,
  id: text,
  time,
  actor: text,
  user_id: orNull(text),
  organization_id: orNull(text),
  entity: text,
  entity_id: text,
  action: text,
  before: orNull(record),
  after: orNull(record),
});

const boolean: Check<boolean> = (value): value is boolean => typeof value === "boolean";
const hash: Check<string> = (value): value is string =>
  typeof value === "string" && /^[\da-f]{64}$/u.test(value);

const isPendingChange = object<PendingChange>({
  server: text,
  tool: orNull(text),
  kind: (value): value is PendingChange["kind"] => value === "changed" || value === "new",
  hash,
  before: orNull(record),
  after: record,
  becameWrite: boolean,
  withheld: boolean,
});

export const isServerChanges = object<ServerChanges>({
  server: text,
  hash: orNull(hash),
  changes: (value): value is PendingChange[] =>
    Array.isArray(value) && value.every((change) => isPendingChange(change)),
});

export const isApproved = object<Approved>({
  server: text,
  approved: (value): value is Approved["approved"] =>
    Array.isArray(value) && value.every((one) => isApprovedOne(one)),
});
const isApprovedOne = object<Approved["approved"][number]>({ tool: orNull(text), hash });

export const isAuditRow = object<AuditRow>({
  sequence: count,
  id: text,
  time,
  tool_name: text,
  params: record,
  status: text,
  duration_ms: amount,
  user_id: orNull(text),
  organization_id: orNull(text),
  project_id: orNull(text),
  session_id: orNull(text),
  client_name: text,
});

export const isRestoredServer = object<RestoredServer>({
  restored: text,
  from: isChangeRow,
  missingSecrets: optional(texts),
  fingerprint: optional(orNull(hash)),
});

const isRefusal = object<ConfigurationRefusalAnswer>({
  message: text,
  hint: orNull(text),
  fingerprint: orNull(hash),
  since: time,
  server: orNull(text),
  variable: orNull(text),
  line: orNull(count),
});

export const isConfigurationAnswer = object<ConfigurationAnswer>({
  file: text,
  fingerprint: orNull(hash),
  loadedAt: time,
  readAt: time,
  problem: orNull(isRefusal),
});

const isPurgedCounts = object<PurgedCounts>({
  organizations: count,
  users: count,
  members: count,
  tokens: count,
  serverEntries: count,
});

export const isPurge = object<{ purged: PurgedCounts }>({ purged: isPurgedCounts });

/** Part of a list, and where the next part begins. */
export interface Page<Row, After> {
  rows: Row[];
  next: After | null;
}

/**
 * Reads one page of a list that was asked to have at most `limit` entries; undefined when this is none.
 * @param plural the name of the list in the answer
 */
export function pageOf<Row, After extends string | number>(
  answer: unknown,
  plural: string,
  isRow: Check<Row>,
  isAfter: Check<After>,
  limit: number,
): Page<Row, After> | undefined {
  if (!isJsonObject(answer)) return undefined;
  const { [plural]: listed, next = null } = answer;
  if (!Array.isArray(listed) || listed.length > limit) return undefined;
  const rows: unknown[] = listed;
  if (!rows.every(isRow)) return undefined;
  return next === null || isAfter(next) ? { rows, next } : undefined;
}

export const isTextAfter: Check<string> = text;
export const isSequence: Check<number> = count;
