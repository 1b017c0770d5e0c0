import { randomBytes, randomUUID } from "node:crypto";
import { openDirectory } from "../../../../src/auth/directory.ts";
import type { Directory } from "../../../../src/auth/directory.ts";
import { hashToken } from "../../../../src/auth/minted-token-format.ts";
import { createOwnUsersAuthenticator } from "../../../../src/auth/own-users-authenticator.ts";
import { createOwnSignIn } from "../../../../src/auth/passwords/own-sign-in.ts";
import type { TurnTaker } from "../../../../src/auth/passwords/hashing-turns.ts";
import type { SessionEvent } from "../../../../src/auth/passwords/own-sign-in.ts";
import type { PasswordSignIn } from "../../../../src/auth/password-sign-in.ts";
import type { Authenticator } from "../../../../src/auth/authenticator.ts";
import type { MintedToken, User } from "../../../../src/core/identities.ts";
import { systemPrincipal } from "../../../../src/core/principal.ts";
import type { Storage } from "../../../../src/core/storage.ts";
import { createMemoryStorage } from "../../../../src/storage/memory-storage.ts";
import { createFailingStorage } from "../../support/failing-storage.ts";
import type { FailingStorage } from "../../support/failing-storage.ts";
import { aMember, anOrganization, aUser } from "../../support/identities.ts";

/** Where a hash of a test says itself which password it is of; and one that is outdated. */
export const storedOf = (password: string): string => `hash of ${password}`;

export const outdatedOf = (password: string): string => `old hash of ${password}`;

export const withPassword = (id: string, password: string): User => ({
  ...aUser(id),
  password: { hash: storedOf(password), setAtMs: 1 },
});

export interface World {
  /** Both clocks; a test may set each. */
  clock: { nowMs: number; monotonicMs: number };
  storage: FailingStorage;
  directory: Directory;
  signIn: PasswordSignIn;
  authenticator: Authenticator;
  events: SessionEvent[];
  /** What was asked of the hashes: the stored text of each verification. */
  verified: (string | null)[];
  /** For whom each of them waited. */
  waited: (TurnTaker | undefined)[];
  /** Whether the way to sign in is on. */
  isOn: boolean;
  /** Called while a password is being verified. */
  whileVerifying: () => Promise<void>;
  /** In the place of the hashing of passwords. */
  hash: (password: string) => Promise<string>;
  put(rows: object): Promise<unknown>;
  sessions(): MintedToken[];
}

/** ada and kim of acme (password `ada's words`), bob of acme and beta, eve of none, and one without a password. */
export async function signInWorld(): Promise<World> {
  const world = await openWorld(createMemoryStorage());
  await world.put({
    organizations: [anOrganization("acme"), anOrganization("beta")],
    users: [
      withPassword("ada@example.com", "ada's words"),
      withPassword("bob@example.com", "bob's words"),
      withPassword("eve@example.com", "eve's words"),
      withPassword("kim@example.com", "kim's words"),
      aUser("new@example.com"),
    ],
    members: [
      aMember("acme", "ada@example.com", "editor"),
      aMember("acme", "bob@example.com", "viewer"),
      aMember("beta", "bob@example.com", "admin"),
      aMember("acme", "kim@example.com", "viewer"),
      aMember("acme", "new@example.com", "viewer"),
    ],
  });
  return world;
}

/** Everything anew over a storage, as after a restart. */
export async function openWorld(inner: Storage): Promise<World> {
  const clock = { nowMs: 1_764_000_000_000, monotonicMs: 5000 };
  const now = (): number => clock.nowMs;
  const storage = createFailingStorage(inner);
  const directory = await openDirectory({ storage, now, newId: randomUUID });
  const events: SessionEvent[] = [];
  const verified: (string | null)[] = [];
  const waited: World["waited"] = [];
  const world: World = {
    clock,
    storage,
    directory,
    events,
    verified,
    waited,
    isOn: true,
    whileVerifying: () => Promise.resolve(),
    hash: (password) => Promise.resolve(storedOf(password)),
    signIn: createOwnSignIn({
      directory,
      hashes: {
        async verify(password, stored, by) {
          verified.push(stored);
          waited.push(by);
          await world.whileVerifying();
          return stored === storedOf(password) || stored === outdatedOf(password);
        },
        hash: (password) => world.hash(password),
        isOutdated: (stored) => stored.startsWith("old "),
      },
      now,
      monotonicMs: () => clock.monotonicMs,
      newId: randomUUID,
      randomBytes,
      isOn: () => world.isOn,
      report: (event) => void events.push(event),
    }),
    authenticator: createOwnUsersAuthenticator({ directory, now }),
    put: (rows) => directory.change(systemPrincipal, () => ({ ...rows, result: undefined })),
    sessions: () => directory.tokens().filter(({ kind }) => kind === "session"),
  };
  return world;
}

export const client = { address: "192.0.2.1" };
export const ada = { email: "ada@example.com", password: "ada's words" };
export const bob = { email: "bob@example.com", password: "bob's words" };
export const kim = { email: "kim@example.com", password: "kim's words" };

export const hour = 60 * 60_000;
export const day = 24 * hour;

/** The session that an access token is of. */
export const sessionOf = (world: World, accessToken: string): MintedToken | undefined =>
  world.directory.findToken(hashToken(accessToken));
