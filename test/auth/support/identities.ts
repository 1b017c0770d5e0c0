import type { Directory } from "../../../src/auth/directory.ts";
import type { Member, MintedToken, Organization, User } from "../../../src/core/identities.ts";
import type { Role } from "../../../src/core/principal.ts";

export const anOrganization = (id: string): Organization => ({
  id,
  name: `Organisation ${id}`,
  createdAtMs: 1,
  deletedAtMs: null,
});

export const aUser = (id: string): User => ({
  id,
  name: `User ${id}`,
  password: null,
  disabledAtMs: null,
  createdAtMs: 1,
  deletedAtMs: null,
});

export const aMember = (organizationId: string, userId: string, role: Role): Member => ({
  organizationId,
  userId,
  role,
  createdAtMs: 1,
  deletedAtMs: null,
});

export const aToken = (id: string, other: Partial<MintedToken> = {}): MintedToken => ({
  id,
  hash: `hash of ${id}`,
  kind: "personal",
  name: `Token ${id}`,
  userId: "ada",
  organizationId: "acme",
  role: "admin",
  scopes: [],
  createdAtMs: 1,
  expiresAtMs: null,
  refresh: null,
  revokedAtMs: null,
  ...other,
});

/** All that a directory knows. */
export const contentOf = (directory: Directory) => ({
  organizations: directory.organizations(),
  users: directory.users(),
  members: directory.members(),
  tokens: directory.tokens(),
});
