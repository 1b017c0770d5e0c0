import type { MintedToken, User } from "../../core/identities.ts";
import { AppError } from "../../core/errors.ts";
import { systemPrincipal } from "../../core/principal.ts";
import type { Principal } from "../../core/principal.ts";
import type { Directory } from "../directory.ts";
import {
  hashRefreshFamily,
  hashToken,
  isMintedToken,
  isSameHash,
  newMintedToken,
  newRefreshFamily,
  newRefreshToken,
  refreshFamilyOf,
} from "../minted-token-format.ts";
import type { PasswordSignIn, SignedIn, SignInClient } from "../password-sign-in.ts";
import { tokenPrincipal } from "../token-principal.ts";
import { endedToken } from "./end-sessions.ts";
import { createKnownClients } from "./known-clients.ts";
import { organizationToActIn } from "./organization-to-act-in.ts";
import type { PasswordHashes } from "./password-hashes.ts";
import { createLeakyBuckets } from "./leaky-buckets.ts";
import { tooManySignIns } from "./too-many-sign-ins.ts";
import { noPasswordSignIn, wrongPassword, wrongRefreshToken } from "./refused-sign-in.ts";

/** What happened to a session, for the log; never a token. */
export interface SessionEvent {
  /** `reused`: an earlier refresh token was shown again, so that one of them is stolen, and the session was ended. */
  kind: "began" | "reused";
  tokenId: string;
  userId: string;
  organizationId: string | null;
}

export interface OwnSignInOptions {
  directory: Directory;
  hashes: PasswordHashes;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Milliseconds of a clock that nobody sets. */
  monotonicMs: () => number;
  newId: () => string;
  /** A cryptographic source: `node:crypto`'s. */
  randomBytes: (size: number) => Uint8Array;
  /** Whether this way to sign in is on now: a reload may end it while somebody's password is being verified. */
  isOn: () => boolean;
  /** Told after the fact is in the storage. */
  report: (event: SessionEvent) => void;
}

const accessLifetimeMs = 60 * 60_000;
/** From the sign-in on, however often it is refreshed: then the password is asked for again (SP 800-63B §4.1.3). */
const sessionLifetimeMs = 30 * 24 * 60 * 60_000;
const mostSessions = 50;

/**
 * Signs in the users of the gateway's own store. A session is one row: access and refresh token are replaced together,
 * and the ones before are good for nothing from then on.
 */
export function createOwnSignIn(options: OwnSignInOptions): PasswordSignIn {
  const { directory, hashes, now, monotonicMs, newId, randomBytes, isOn, report } = options;
  const clients = createKnownClients();
  /** Of each session, by the id of its row. */
  const refreshes = createLeakyBuckets({
    capacity: 10,
    drainMs: 6000,
    mostKeys: 100_000,
    monotonicMs,
  });

  /** The id of who this is the address of; null: of nobody. Some letters that are not of ASCII become such in lower case. */
  const userOf = (email: string): string | null => {
    const id = email.toLowerCase();
    return /^[!-~]+$/.test(email) && directory.user(id)?.deletedAtMs === null ? id : null;
  };
  /** The user with this password, as long as it may get in. */
  const whoMayGetIn = (userId: string): UserWithPassword | undefined => {
    const user = directory.user(userId);
    if (user?.deletedAtMs !== null || user.disabledAtMs !== null) return undefined;
    return user.password === null ? undefined : { ...user, password: user.password };
  };
  /** What to store of a right password instead, hashed as passwords are now; undefined: it is, or cannot be. */
  const freshHash = async (password: string, stored: string): Promise<string | undefined> => {
    if (!hashes.isOutdated(stored)) return undefined;
    try {
      return await hashes.hash(password);
    } catch (error) {
      // Too many hash at once, or it could not be set any more: it is right all the same.
      if (error instanceof AppError) return undefined;
      throw error;
    }
  };
  const isLive = ({ kind, hash, refresh }: MintedToken): boolean =>
    kind === "session" && hash !== null && refresh !== null && refresh.expiresAtMs > now();
  /** The user's sessions that are over, and the oldest where one more would be too many; ended. */
  const makeRoom = (userId: string): MintedToken[] => {
    const own = directory
      .tokens()
      .filter(({ kind, hash, userId: of }) => kind === "session" && hash !== null && of === userId);
    const live = own.filter(isLive).toSorted((a, b) => a.createdAtMs - b.createdAtMs);
    const kept = new Set(live.slice(Math.max(0, live.length - mostSessions + 1)));
    return own.filter((token) => !kept.has(token)).map((token) => endedToken(token, now()));
  };
  /** A new pair of tokens, and the row with it. */
  const freshPair = (
    token: Omit<MintedToken, "hash" | "expiresAtMs" | "refresh">,
    refreshExpiresAtMs: number,
    family: Uint8Array,
  ): { row: MintedToken; pair: Omit<SignedIn, "principal"> } => {
    const accessToken = newMintedToken(randomBytes);
    const refreshToken = newRefreshToken(family, randomBytes);
    const atMs = now();
    const expiresAtMs = Math.min(atMs + accessLifetimeMs, refreshExpiresAtMs);
    const refresh = {
      hash: hashToken(refreshToken),
      familyHash: hashRefreshFamily(family),
      expiresAtMs: refreshExpiresAtMs,
    };
    return {
      row: { ...token, hash: hashToken(accessToken), expiresAtMs, refresh },
      pair: {
        accessToken,
        refreshToken,
        expiresInSeconds: Math.max(0, Math.floor((expiresAtMs - atMs) / 1000)),
      },
    };
  };

  /** A sign-in; undefined: since the password was verified, the stored one has become another. */
  const attempt = async (
    { email, password, organizationId: named }: Credentials,
    client: SignInClient,
  ): Promise<Begun | undefined> => {
    const found = userOf(email);
    const stored = found === null ? undefined : whoMayGetIn(found)?.password.hash;
    const by = clients.takerOf(found, client);
    const isRight = await hashes.verify(password, stored ?? null, by);
    if (!isRight || found === null || stored === undefined) throw wrongPassword(found);
    const hash = await freshHash(password, stored);
    return directory.change<Begun | undefined>(actingAs(found), () => {
      if (!isOn()) throw noPasswordSignIn();
      const user = whoMayGetIn(found);
      if (user?.password.hash !== stored) return { result: undefined };
      const organizationId = organizationToActIn(directory, { userId: user.id, named });
      const createdAtMs = now();
      const session = {
        id: newId(),
        kind: "session",
        name: "Sign-in with password",
        userId: user.id,
        organizationId,
        role: null,
        scopes: [],
        createdAtMs,
        revokedAtMs: null,
      } as const;
      const expiresAtMs = createdAtMs + sessionLifetimeMs;
      const { row, pair } = freshPair(session, expiresAtMs, newRefreshFamily(randomBytes));
      const principal = tokenPrincipal(row, directory);
      if (principal === undefined) throw wrongPassword(user.id);
      return {
        users: hash === undefined ? [] : [{ ...user, password: { ...user.password, hash } }],
        tokens: [...makeRoom(user.id), row],
        result: { row, signedIn: { ...pair, principal } },
      };
    });
  };

  return {
    async login(credentials, client) {
      // One who signs in at the same time may have put the password in another text: it is looked at once more.
      const begun = (await attempt(credentials, client)) ?? (await attempt(credentials, client));
      if (begun === undefined) throw wrongPassword(userOf(credentials.email));
      clients.add(begun.row.userId, client);
      tell("began", begun.row);
      return begun.signedIn;
    },

    async refresh(refreshToken, client) {
      if (!isMintedToken(refreshToken)) throw wrongRefreshToken(null);
      const shown = hashToken(refreshToken);
      const family = refreshFamilyOf(refreshToken);
      const familyHash = hashRefreshFamily(family);
      const first = directory.findSession(familyHash);
      if (first === undefined) throw wrongRefreshToken(null);
      const { userId } = first;
      const outcome = await directory.change<RefreshOutcome>(actingAs(userId), () => {
        if (!isOn()) throw noPasswordSignIn();
        // As it is now that its turn has come: of two who show the same token one is the second.
        const session = directory.findSession(familyHash);
        if (session?.kind !== "session" || session.refresh === null) {
          throw wrongRefreshToken(userId);
        }
        if (!isSameHash(session.refresh.hash, shown)) {
          const ended = endedToken(session, now());
          return { tokens: [ended], result: { kind: "reused", row: ended } };
        }
        if (!isLive(session)) throw wrongRefreshToken(userId);
        const waitMs = refreshes.waitMs(session.id);
        if (waitMs !== undefined) throw tooManySignIns(waitMs);
        const { row, pair } = freshPair(session, session.refresh.expiresAtMs, family);
        const principal = tokenPrincipal(row, directory);
        if (principal === undefined) throw wrongRefreshToken(userId);
        refreshes.add(session.id);
        return {
          tokens: [row],
          result: { kind: "refreshed", signedIn: { ...pair, principal } },
        };
      });
      if (outcome.kind === "refreshed") {
        clients.add(userId, client);
        return outcome.signedIn;
      }
      tell("reused", outcome.row);
      throw wrongRefreshToken(userId);
    },
  };

  function tell(kind: SessionEvent["kind"], row: MintedToken): void {
    const { id: tokenId, userId, organizationId } = row;
    report({ kind, tokenId, userId, organizationId });
  }
}

type Credentials = Parameters<PasswordSignIn["login"]>[0];
type UserWithPassword = User & { password: NonNullable<User["password"]> };

/** A session as it begins, and what its user is given. */
interface Begun {
  row: MintedToken;
  signedIn: SignedIn;
}

type RefreshOutcome =
  | { kind: "refreshed"; signedIn: SignedIn }
  /** The row of the session, ended. */
  | { kind: "reused"; row: MintedToken };

/** What somebody does who is not let in yet is done in its name. */
function actingAs(userId: string): Principal {
  return { ...systemPrincipal, userId };
}
