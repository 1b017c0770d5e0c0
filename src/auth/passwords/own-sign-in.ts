import type { MintedToken } from "../../core/identities.ts";
import { systemPrincipal } from "../../core/principal.ts";
import type { Principal } from "../../core/principal.ts";
import type { Directory } from "../directory.ts";
import { hashToken, isMintedToken, newMintedToken } from "../minted-token-format.ts";
import type { PasswordSignIn, SignedIn } from "../password-sign-in.ts";
import { tokenPrincipal } from "../token-principal.ts";
import { endedToken } from "./end-sessions.ts";
import { organizationToActIn } from "./organization-to-act-in.ts";
import type { PasswordHashes } from "./password-hashes.ts";
import { createLeakyBuckets } from "./leaky-buckets.ts";
import { tooManySignIns } from "./too-many-sign-ins.ts";
import { wrongPassword, wrongRefreshToken } from "./refused-sign-in.ts";

/** What happened to a session, for the log; never a token. */
export interface SessionEvent {
  /** `reused`: a refresh token was shown again, so that it or its successor is stolen, and the session was ended. */
  kind: "began" | "reused";
  tokenId: string;
  userId: string;
  organizationId: string | null;
}

export interface OwnSignInOptions {
  directory: Directory;
  hashes: Pick<PasswordHashes, "verify">;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Milliseconds of a clock that nobody sets. */
  monotonicMs: () => number;
  newId: () => string;
  /** A cryptographic source: `node:crypto`'s. */
  randomBytes: (size: number) => Uint8Array;
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
  const { directory, hashes, now, monotonicMs, newId, randomBytes, report } = options;
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
  /** How the password of a user who may get in is known again; null: there is none. */
  const storedPassword = (userId: string): string | null => {
    const user = directory.user(userId);
    const mayGetIn = user?.deletedAtMs === null && user.disabledAtMs === null;
    return mayGetIn ? (user.password?.hash ?? null) : null;
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
    previousHash: string | null,
  ): { row: MintedToken; pair: Omit<SignedIn, "principal"> } => {
    const accessToken = newMintedToken(randomBytes);
    const refreshToken = newMintedToken(randomBytes);
    const atMs = now();
    const expiresAtMs = Math.min(atMs + accessLifetimeMs, refreshExpiresAtMs);
    const refresh = {
      hash: hashToken(refreshToken),
      previousHash,
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

  return {
    async login({ email, password, organizationId: named }) {
      const found = userOf(email);
      const stored = found === null ? null : storedPassword(found);
      const isRight = await hashes.verify(password, stored);
      if (!isRight || found === null) throw wrongPassword(found);
      const { row, signedIn } = await directory.change(actingAs(found), () => {
        // Since then it may have been changed, or the user disabled.
        if (storedPassword(found) !== stored) throw wrongPassword(found);
        const organizationId = organizationToActIn(directory, { userId: found, named });
        const createdAtMs = now();
        const session = {
          id: newId(),
          kind: "session",
          name: "Sign-in with password",
          userId: found,
          organizationId,
          role: null,
          scopes: [],
          createdAtMs,
          revokedAtMs: null,
        } as const;
        const fresh = freshPair(session, createdAtMs + sessionLifetimeMs, null);
        const principal = tokenPrincipal(fresh.row, directory);
        if (principal === undefined) throw wrongPassword(found);
        return {
          tokens: [...makeRoom(found), fresh.row],
          result: { row: fresh.row, signedIn: { ...fresh.pair, principal } },
        };
      });
      tell("began", row);
      return signedIn;
    },

    async refresh(refreshToken) {
      const shown = isMintedToken(refreshToken) ? hashToken(refreshToken) : "";
      const first = directory.findSession(shown);
      if (first === undefined) throw wrongRefreshToken(null);
      const { userId } = first;
      const outcome = await directory.change<RefreshOutcome>(actingAs(userId), () => {
        // As it is now that its turn has come: of two who show the same token one is the second.
        const session = directory.findSession(shown);
        if (session?.kind !== "session" || session.refresh === null) {
          throw wrongRefreshToken(userId);
        }
        if (session.refresh.hash !== shown) {
          const ended = endedToken(session, now());
          return { tokens: [ended], result: { kind: "reused", row: ended } };
        }
        if (!isLive(session)) throw wrongRefreshToken(userId);
        const waitMs = refreshes.waitMs(session.id);
        if (waitMs !== undefined) throw tooManySignIns(waitMs);
        const { row, pair } = freshPair(session, session.refresh.expiresAtMs, shown);
        const principal = tokenPrincipal(row, directory);
        if (principal === undefined) throw wrongRefreshToken(userId);
        refreshes.add(session.id);
        return {
          tokens: [row],
          result: { kind: "refreshed", signedIn: { ...pair, principal } },
        };
      });
      if (outcome.kind === "refreshed") return outcome.signedIn;
      tell("reused", outcome.row);
      throw wrongRefreshToken(userId);
    },
  };

  function tell(kind: SessionEvent["kind"], row: MintedToken): void {
    const { id: tokenId, userId, organizationId } = row;
    report({ kind, tokenId, userId, organizationId });
  }
}

type RefreshOutcome =
  | { kind: "refreshed"; signedIn: SignedIn }
  /** The row of the session, ended. */
  | { kind: "reused"; row: MintedToken };

/** What somebody does who is not let in yet is done in its name. */
function actingAs(userId: string): Principal {
  return { ...systemPrincipal, userId };
}
