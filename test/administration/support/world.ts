import { randomBytes, randomUUID } from "node:crypto";
import type { Administration } from "../../../src/administration/administration.ts";
import { createAdministration } from "../../../src/administration/create-administration.ts";
import type { Authentication } from "../../../src/auth/authenticator.ts";
import { openDirectory } from "../../../src/auth/directory.ts";
import type { Directory } from "../../../src/auth/directory.ts";
import { createLocalAuthenticator } from "../../../src/auth/local-authenticator.ts";
import { hashToken, newMintedToken } from "../../../src/auth/minted-token-format.ts";
import { ownerPrincipal } from "../../../src/auth/owner-principal.ts";
import { createPasswordHashes } from "../../../src/auth/passwords/password-hashes.ts";
import { createTokenMint } from "../../../src/auth/token-mint.ts";
import type { AuditEvent } from "../../../src/core/audit.ts";
import type { ChangeQuery, ChangeRow } from "../../../src/core/change.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { MintedToken } from "../../../src/core/identities.ts";
import { systemPrincipal } from "../../../src/core/principal.ts";
import type { Principal, Role } from "../../../src/core/principal.ts";
import type { Storage } from "../../../src/core/storage.ts";
import { createMemoryStorage } from "../../../src/storage/memory-storage.ts";

/** Of the gateway: may do everything. */
export const owner = ownerPrincipal("root");

/** Somebody by a static token of the configuration, who may be called as a member is. */
export const actor = (
  userId: string,
  organizationId: string | null,
  role: Role | null,
): Principal => ({
  userId,
  displayName: userId,
  organizationId,
  role,
  scopes: [],
  method: "token",
  isLocalOwner: false,
});

export const all = { limit: 1000, deleted: false } as const;
export const deleted = { limit: 1000, deleted: true } as const;
export const startMs = 1_764_000_000_000;

/** Passwords at a cost that a test can pay. */
export const testPasswords = createPasswordHashes({
  randomBytes,
  cost: { logN: 10, r: 8, p: 1 },
});

export interface World {
  administration: Administration;
  directory: Directory;
  storage: Storage;
  /** Ids of tokens, by who they are for. */
  tokens: Record<"ada" | "vic" | "cli", string>;
  /** What was written last, newest first. */
  history(query?: Partial<ChangeQuery>): Promise<ChangeRow[]>;
  authenticate(bearer: string): Authentication | Promise<Authentication>;
  /** Who shows this, as the door lets it in. */
  admit(bearer: string): Promise<Principal>;
  /** Ids of tokens that are taken back. */
  revoked(): string[];
  /** Milliseconds since the epoch; time stands still. */
  nowMs: number;
}

/** Administration over a storage, which may be empty or not. */
export async function openWorld(storage: Storage = createMemoryStorage()): Promise<World> {
  const now = (): number => world.nowMs;
  const newId = randomUUID;
  const directory = await openDirectory({ storage, now, newId });
  const local = createLocalAuthenticator({ directory, now });
  const world: World = {
    administration: createAdministration({
      directory,
      storage,
      serverHistory: {
        async restore(name, mayRestore) {
          mayRestore();
          const [row] = await world.history({ entity: "server", entityId: name });
          if (row === undefined) throw new AppError("not_found", `no entry of ${name}`);
          return { row, missingSecrets: [], fingerprint: undefined };
        },
      },
      now,
      newId,
      randomBytes,
      passwords: testPasswords,
    }),
    directory,
    storage,
    tokens: { ada: "", vic: "", cli: "" },
    history: (query) =>
      storage.withPrincipal(systemPrincipal, (tx) => tx.changes.list({ limit: 1000, ...query })),
    authenticate: (bearer) => local.authenticate({ bearer }),
    async admit(bearer) {
      const answer = await local.authenticate({ bearer });
      if (answer.kind !== "accepted") throw new Error(`The token is ${answer.kind}`);
      return answer.principal;
    },
    revoked: () => directory.tokens().flatMap(({ id, hash }) => (hash === null ? [id] : [])),
    nowMs: startMs,
  };
  return world;
}

/**
 * Acme with ada (admin), ed (editor), vic (viewer), pat (no member any more) and lost (deleted, and a member
 * otherwise); an organisation that is gone; a server `files` in the history; audit rows of acme and of nobody.
 */
export async function openAcme(storage?: Storage): Promise<World> {
  const world = await openWorld(storage);
  const { organizations, users, members, tokens } = world.administration;
  for (const id of ["acme", "gone"]) await organizations.add(owner, { id, name: id });
  await organizations.remove(owner, "gone");
  for (const [userId, role] of [
    ["ada", "admin"],
    ["ed", "editor"],
    ["vic", "viewer"],
    ["pat", "viewer"],
    ["lost", "viewer"],
  ] as const) {
    await users.add(owner, { id: userId, name: userId });
    await members.set(owner, { organizationId: "acme", userId, role });
  }
  await members.remove(owner, { organizationId: "acme", userId: "pat" });
  await users.remove(owner, "lost");
  const organizationId = "acme";
  const make = async (userId: string): Promise<string> =>
    (await tokens.create(owner, { name: `of ${userId}`, userId, organizationId })).details.id;
  const mint = createTokenMint({
    directory: world.directory,
    now: () => world.nowMs,
    newId: randomUUID,
    randomBytes,
    report: () => undefined,
  });
  const { tokenId: cli } = await mint.mintCliToken("root");
  world.tokens = { ada: await make("ada"), vic: await make("vic"), cli };
  await world.storage.withPrincipal(systemPrincipal, async (tx) => {
    await tx.audit.appendAll([anAuditRow("acme"), anAuditRow(null)]);
    await tx.changes.append([
      {
        id: randomUUID(),
        timeMs: world.nowMs,
        actor: "file",
        userId: null,
        organizationId: null,
        entity: "server",
        entityId: "files",
        action: "created",
        before: null,
        after: { command: "files", env: { API_TOKEN: "hunter2" } },
      },
    ]);
  });
  return world;
}

/** Adds what acme must know nothing of: beta, its admin bob, free (a member of nothing), their rows and tokens. */
export async function addBeta(world: World): Promise<{ bob: string; root: string }> {
  const { organizations, users, members, tokens } = world.administration;
  const organizationId = "beta";
  await organizations.add(owner, { id: organizationId, name: "Beta" });
  for (const id of ["bob", "free"]) await users.add(owner, { id, name: id });
  for (const userId of ["bob", "ed"]) {
    await members.set(owner, { organizationId, userId, role: "admin" });
  }
  const ofBob = await tokens.create(owner, { name: "of bob", userId: "bob", organizationId });
  const ofRoot = await tokens.create(owner, { name: "of the owner" });
  await world.storage.withPrincipal(systemPrincipal, (tx) =>
    tx.audit.appendAll([anAuditRow(organizationId)]),
  );
  return { bob: ofBob.details.id, root: ofRoot.details.id };
}

/** Begins a session of a member of acme, as signing in with a password does; answers its token's id and bearer. */
export async function addSession(
  { directory, nowMs }: World,
  userId: string,
): Promise<{ id: string; bearer: string }> {
  const bearer = newMintedToken(randomBytes);
  const id = randomUUID();
  const session: MintedToken = {
    id,
    hash: hashToken(bearer),
    kind: "session",
    name: "password",
    userId,
    organizationId: "acme",
    role: null,
    scopes: [],
    createdAtMs: nowMs,
    expiresAtMs: nowMs + 3_600_000,
    refresh: {
      hash: `refresh of ${id}`,
      familyHash: `family of ${id}`,
      expiresAtMs: nowMs + 86_400_000,
    },
    revokedAtMs: null,
  };
  await directory.change(owner, () => ({ tokens: [session], result: undefined }));
  return { id, bearer };
}

const anAuditRow = (organizationId: string | null): AuditEvent => ({
  id: randomUUID(),
  timeMs: startMs,
  toolName: "files__read",
  params: {},
  status: "success",
  durationMs: 1,
  userId: organizationId === "beta" ? "bob" : "ada",
  organizationId,
  projectId: null,
  sessionId: `session of ${organizationId}`,
  clientName: "unknown",
});
