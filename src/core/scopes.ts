import { roles } from "./principal.ts";
import type { Role } from "./principal.ts";

/**
 * What a credential may be limited to (RFC 6749 §3.3), beside what its user holds: `server:<name>` and `tag:<tag>` name
 * servers, all of them together; `role:<role>` is the most it is used as; `metrics` opens `/metrics`. One with
 * `metrics` alone opens nothing else.
 */
export type Scope =
  | { kind: "server"; name: string }
  | { kind: "tag"; tag: string }
  | { kind: "role"; role: Role }
  | { kind: "metrics" };

/** As people are told of them. */
export const scopeForms = "server:<name>, tag:<tag>, role:<role>, metrics";

/** Undefined: not one of ours, which decides nothing here. */
export function parseScope(text: string): Scope | undefined {
  if (text === "metrics") return { kind: "metrics" };
  const [kind = "", ...rest] = text.split(":");
  const value = rest.join(":");
  if (value === "") return undefined;
  if (kind === "server") return { kind, name: value };
  if (kind === "tag") return { kind, tag: value };
  const role = roles.find((known) => known === value);
  return kind === "role" && role !== undefined ? { kind, role } : undefined;
}

/**
 * Whether a text reads like several scopes that were joined, as `tag:demo,role:viewer` or `server:db metrics`. Names and
 * tags may hold a comma or a space, so it would be taken for one name, that no server has.
 */
export function holdsSeveralScopes(text: string): boolean {
  return /[\s,;](?:(?:server|tag|role):|metrics(?![^\s,;]))/u.test(text);
}

/** What the scopes of one credential leave of what its user may. */
export interface ScopeLimits {
  /** Whether anything but `/metrics` is open at all. */
  readonly opens: boolean;
  /** Those alone that have one of these names or tags; undefined: all that the user sees. */
  readonly servers: { names: ReadonlySet<string>; tags: ReadonlySet<string> } | undefined;
  /** The most it is used as; undefined: what the user holds. */
  readonly role: Role | undefined;
  readonly metrics: boolean;
  /** The same for all that leave the same servers; empty: all. */
  readonly serversKey: string;
}

const unlimited: ScopeLimits = {
  opens: true,
  servers: undefined,
  role: undefined,
  metrics: false,
  serversKey: "",
};

/** A credential's scopes are asked for at each call, and are one object for its whole life. */
const known = new WeakMap<readonly string[], ScopeLimits>();

/**
 * What scopes limit to. Several servers and tags open all that any of them names; of several roles the highest counts.
 * Where there are scopes and none of them is known, nothing is open.
 */
export function limitsOf(scopes: readonly string[]): ScopeLimits {
  if (scopes.length === 0) return unlimited;
  let limits = known.get(scopes);
  if (limits === undefined) {
    limits = read(scopes);
    known.set(scopes, limits);
  }
  return limits;
}

function read(texts: readonly string[]): ScopeLimits {
  const names = new Set<string>();
  const tags = new Set<string>();
  const limits = new Set<Role>();
  let metrics = false;
  for (const text of texts) {
    const scope = parseScope(text);
    if (scope?.kind === "server") names.add(scope.name);
    if (scope?.kind === "tag") tags.add(scope.tag);
    if (scope?.kind === "role") limits.add(scope.role);
    metrics ||= scope?.kind === "metrics";
  }
  const namesServers = names.size + tags.size > 0;
  return {
    opens: namesServers || limits.size > 0,
    servers: namesServers ? { names, tags } : undefined,
    role: roles.findLast((role) => limits.has(role)),
    metrics,
    serversKey: namesServers ? JSON.stringify([[...names].toSorted(), [...tags].toSorted()]) : "",
  };
}

/** Whether these limits leave a server to whom its user sees. */
export function coversServer(
  { opens, servers }: ScopeLimits,
  { name, tags }: { name: string; tags: readonly string[] },
): boolean {
  if (servers === undefined) return opens;
  return servers.names.has(name) || tags.some((tag) => servers.tags.has(tag));
}

/** Whether whatever `narrow` leaves, `wide` leaves too; of two that cannot be told, no. */
export function reachesAsFar(wide: ScopeLimits, narrow: ScopeLimits): boolean {
  if (!narrow.opens) return true;
  if (!wide.opens) return false;
  if (wide.role !== undefined) {
    if (narrow.role === undefined) return false;
    if (roles.indexOf(wide.role) < roles.indexOf(narrow.role)) return false;
  }
  const { servers } = wide;
  if (servers === undefined) return true;
  return (
    narrow.servers !== undefined &&
    [...narrow.servers.names].every((name) => servers.names.has(name)) &&
    [...narrow.servers.tags].every((tag) => servers.tags.has(tag))
  );
}
