import { randomBytes, randomUUID } from "node:crypto";
import type { Administration } from "../../src/administration/administration.ts";
import { createAdministration } from "../../src/administration/create-administration.ts";
import type { AdministrationTokens } from "../../src/auth/administration-tokens.ts";
import { createAdministrationTokens } from "../../src/auth/administration-tokens.ts";
import { createCliTokenExchange } from "../../src/auth/cli-token-exchange.ts";
import type { CliTokenExchange } from "../../src/auth/cli-token-exchange.ts";
import { openDirectory } from "../../src/auth/directory.ts";
import type { Directory } from "../../src/auth/directory.ts";
import { createDoor } from "../../src/auth/door.ts";
import type { Door } from "../../src/auth/door.ts";
import { createLocalAuthenticator } from "../../src/auth/local-authenticator.ts";
import { createPasswordHashes } from "../../src/auth/passwords/password-hashes.ts";
import { createStaticTokenAuthenticator } from "../../src/auth/static-token-authenticator.ts";
import { createTokenMint } from "../../src/auth/token-mint.ts";
import { hashToken, newMintedToken } from "../../src/auth/minted-token-format.ts";
import type { MintedTokens } from "../../src/auth/token-mint.ts";
import type { MintedToken } from "../../src/core/identities.ts";
import type { AuditEvent } from "../../src/core/audit.ts";
import type { Change } from "../../src/core/change.ts";
import { AppError } from "../../src/core/errors.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { Principal, Role } from "../../src/core/principal.ts";
import type { Storage } from "../../src/core/storage.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";

export interface Identities {
  storage: Storage;
  directory: Directory;
  administration: Administration;
  mint: MintedTokens;
}

/** The administration as it is, over a storage that lasts as long as the test. */
export async function administrationOverMemory(): Promise<Identities> {
  const storage = createMemoryStorage("instance-1");
  const common = { storage, now: Date.now, newId: randomUUID, randomBytes };
  const directory = await openDirectory(common);
  const serverHistory = {
    async restore(name: string, mayRestore: () => Principal) {
      const rows = await storage.withPrincipal(mayRestore(), (tx) =>
        tx.changes.list({ entity: "server", entityId: name, limit: 1 }),
      );
      const [row] = rows;
      if (row === undefined) throw new AppError("not_found", "There is no earlier entry");
      return { row, missingSecrets: [], fingerprint: undefined };
    },
  };
  const administration = createAdministration({
    ...common,
    directory,
    serverHistory,
    passwords: createPasswordHashes({ randomBytes, cost: { logN: 10, r: 8, p: 1 } }),
  });
  const mint = createTokenMint({ ...common, directory, report: () => undefined });
  return { storage, directory, administration, mint };
}

/** Who can knock: what each is, is in the name. `metrics` watches the gateway, `metricsA` tries to for organisation a. */
export const people = [
  "owner",
  "ops",
  "watcher",
  "metrics",
  "adminA",
  "editorA",
  "viewerA",
  "adminB",
  "metricsA",
] as const;
export type Who = (typeof people)[number];

export interface Organizations extends Identities {
  door: Door;
  exchange: CliTokenExchange;
  administrationTokens: AdministrationTokens;
  /** Of the local proof. */
  secret: string;
  /** The header of each. */
  as: Record<Who, { authorization: string }>;
  /** The id of each minted token. */
  tokenIds: Record<"adminA" | "viewerA" | "adminB" | "revokedA" | "revokedB", string>;
}

export const owner: Principal = {
  ...systemPrincipal,
  userId: "root",
  displayName: "root",
  method: "local",
  isLocalOwner: true,
};

/**
 * Organisations a and b with members of each role, the deleted organisation `gone`, the deleted user `gone`, the
 * deleted member `former` of a and b, tokens, audit rows and the history of server `one`.
 */
export async function organizations(): Promise<Organizations> {
  const identities = await administrationOverMemory();
  const { directory, administration, storage, mint } = identities;
  for (const id of ["a", "b", "gone"]) {
    await administration.organizations.add(owner, { id, name: `Organisation ${id}` });
  }
  const secrets: Record<string, string> = {};
  const ids: Record<string, string> = {};
  const join = async (organizationId: string, userId: string, role: Role): Promise<void> => {
    if (directory.user(userId) === undefined) {
      await administration.users.add(owner, { id: userId, name: `User ${userId}` });
    }
    await administration.members.set(owner, { organizationId, userId, role });
  };
  const tokenOf = async (
    key: string,
    token: Parameters<Administration["tokens"]["create"]>[1],
  ): Promise<void> => {
    const fresh = await administration.tokens.create(owner, token);
    secrets[key] = fresh.token;
    ids[key] = fresh.details.id;
  };
  for (const organizationId of ["a", "b"]) {
    const end = organizationId.toUpperCase();
    for (const role of ["admin", "editor", "viewer"] as const) {
      const userId = `${role}-${organizationId}`;
      await join(organizationId, userId, role);
      await tokenOf(`${role}${end}`, { name: `Token of ${userId}`, userId, organizationId });
    }
    await join(organizationId, "former", "viewer");
    await administration.members.remove(owner, { organizationId, userId: "former" });
    await tokenOf(`revoked${end}`, {
      name: "Taken back",
      userId: `viewer-${organizationId}`,
      organizationId,
    });
    await administration.tokens.revoke(owner, ids[`revoked${end}`] ?? "");
  }
  await tokenOf("metrics", { name: "Prometheus", scopes: ["metrics"] });
  // None is made any more: such a row is refused all the same.
  secrets["metricsA"] = newMintedToken(randomBytes);
  const watching: MintedToken = {
    id: "metrics-a",
    hash: hashToken(secrets["metricsA"]),
    kind: "personal",
    name: "Prometheus of a",
    userId: "admin-a",
    organizationId: "a",
    role: null,
    scopes: ["metrics"],
    createdAtMs: Date.now(),
    expiresAtMs: null,
    refresh: null,
    revokedAtMs: null,
  };
  await directory.change(owner, () => ({ tokens: [watching], result: undefined }));
  await administration.users.add(owner, { id: "gone", name: "Gone" });
  await administration.users.remove(owner, "gone");
  await administration.organizations.remove(owner, "gone");
  secrets["owner"] = (await mint.mintCliToken("root")).token;
  await storage.withPrincipal(systemPrincipal, async (tx) => {
    await tx.changes.append([serverChange(1), serverChange(2)]);
    await tx.audit.appendAll([
      auditEvent(1, { organizationId: null, userId: "root" }),
      auditEvent(2, { organizationId: "a", userId: "viewer-a", status: "denied" }),
      auditEvent(3, { organizationId: "b", userId: "viewer-b" }),
      auditEvent(4, { organizationId: "a", userId: "admin-a", toolName: "one__write" }),
    ]);
  });

  const administrationTokens = createAdministrationTokens({
    now: Date.now,
    newId: randomUUID,
    randomBytes,
    owner: "root",
  });
  const secret = randomBytes(32).toString("base64url");
  const exchange = createCliTokenExchange({
    secret,
    instanceId: "instance-1",
    mint,
    mintsCliTokens: () => true,
    administrationTokens,
    now: Date.now,
    random: randomBytes,
    owner: "root",
  });
  const door = createDoor(
    [
      createLocalAuthenticator({ directory, now: Date.now }),
      createStaticTokenAuthenticator(
        [
          { name: "ops", token: "ops-token", role: "admin", organizationId: null },
          { name: "watcher", token: "watcher-token", role: "viewer", organizationId: null },
        ],
        directory,
      ),
    ],
    Date.now,
  );
  return {
    ...identities,
    door,
    exchange,
    administrationTokens,
    secret,
    as: {
      owner: bearer(secrets["owner"]),
      ops: bearer("ops-token"),
      watcher: bearer("watcher-token"),
      metrics: bearer(secrets["metrics"]),
      adminA: bearer(secrets["adminA"]),
      editorA: bearer(secrets["editorA"]),
      viewerA: bearer(secrets["viewerA"]),
      adminB: bearer(secrets["adminB"]),
      metricsA: bearer(secrets["metricsA"]),
    },
    tokenIds: {
      adminA: ids["adminA"] ?? "",
      viewerA: ids["viewerA"] ?? "",
      adminB: ids["adminB"] ?? "",
      revokedA: ids["revokedA"] ?? "",
      revokedB: ids["revokedB"] ?? "",
    },
  };
}

function bearer(token = ""): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

function serverChange(version: number): Change {
  return {
    id: `change-${version}`,
    timeMs: Date.UTC(2026, 0, version),
    actor: "file",
    userId: null,
    organizationId: null,
    entity: "server",
    entityId: "one",
    action: "changed",
    before: { command: "node", env: { API_KEY: `hidden-value-${version - 1}` } },
    after: { command: "node", env: { API_KEY: `hidden-value-${version}` } },
  };
}

function auditEvent(number: number, more: Partial<AuditEvent>): AuditEvent {
  return {
    id: `row-${number}`,
    timeMs: Date.UTC(2026, 0, number),
    toolName: "one__echo",
    params: { message: `hi ${number}` },
    status: "success",
    durationMs: number,
    userId: null,
    organizationId: null,
    projectId: "shop",
    sessionId: "session-1",
    clientName: "claude-code",
    ...more,
  };
}
