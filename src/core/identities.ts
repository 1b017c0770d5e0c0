import type { Role } from "./principal.ts";

/**
 * Who there is: organisations, users, and which user is what in which organisation. Nothing of it is removed
 * by whoever deletes it: it is marked, is out of every list and decides nothing any more, and can be restored.
 * Times are milliseconds since the epoch.
 */
export interface Organization {
  /** A strict identifier (`isIdentifier`), chosen by who made it. */
  id: string;
  name: string;
  createdAtMs: number;
  deletedAtMs: number | null;
}

export interface User {
  /** A strict identifier; may be an email address. */
  id: string;
  name: string;
  /** How a password is known again (a PHC string, never shown to anybody), and when it was set; null: none is set. */
  password: { hash: string; setAtMs: number } | null;
  /** While it is set the user gets in nowhere, and no token acts for it; null: it may. */
  disabledAtMs: number | null;
  createdAtMs: number;
  deletedAtMs: number | null;
}

/** A user's role in an organisation. Counts while itself, the user and the organisation are not deleted. */
export interface Member {
  organizationId: string;
  userId: string;
  role: Role;
  createdAtMs: number;
  deletedAtMs: number | null;
}

/** A token the gateway minted. The token itself is never stored. */
export interface MintedToken {
  id: string;
  /** Hex SHA-256 of the token; null once it is taken back, whatever the reason. */
  hash: string | null;
  /**
   * `cli`: minted for the local owner's command line; `personal`: by `agent token create`; `session`: by a sign-in
   * with a password.
   */
  kind: "cli" | "personal" | "session";
  name: string;
  /** Who it acts for: the local owner or a static token's name (no organisation), or a user in `organizationId`. */
  userId: string;
  organizationId: string | null;
  /** The most it may be used for, never more than the user holds; null: what the user may at each call. */
  role: Role | null;
  scopes: readonly string[];
  createdAtMs: number;
  /** Null: never. */
  expiresAtMs: number | null;
  /** Of a session: what a new token is got with. Null for the others, and once it is taken back. */
  refresh: SessionRefresh | null;
  /** When it was taken back. */
  revokedAtMs: number | null;
}

/**
 * The refresh token of a session, used once: each use gives another, of the same family (RFC 9700 §4.14.2). Who shows
 * one of the family that is not the current one has it from a thief, or is the thief, and the session ends.
 */
export interface SessionRefresh {
  /** Hex SHA-256 of the current token. */
  hash: string;
  /** Hex SHA-256 of what all refresh tokens of the session have in common. */
  familyHash: string;
  expiresAtMs: number;
}

/** Lower-case letters, digits and `.`, `_`, `-`, `+`, `@` inside: ids of organisations and users. At most 100. */
export function isIdentifier(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9._+@-]{0,98}[a-z0-9])?$/u.test(text);
}
