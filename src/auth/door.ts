import { AppError } from "../core/errors.ts";
import { authenticationTypes } from "../core/principal.ts";
import type { Principal } from "../core/principal.ts";
import type { Authentication, Authenticator, Credentials, SignInWay } from "./authenticator.ts";
import type { Standing } from "./standing.ts";

/**
 * `absent`: nothing was shown, 401 with a challenge. `rejected`: what was shown is not good here, 401. `insufficient`:
 * it is, for less than anything here, 403. `unavailable`: who it is cannot be found out now, 503.
 */
export type DoorAnswer = Exclude<Authentication, { kind: "not-mine" }>;

/** Everybody who comes in comes in here. */
export interface Door extends Standing {
  /** The ways that are on now, in the order in which they are asked. */
  readonly ways: readonly SignInWay[];
  /** At once, where those who are asked answer from memory. */
  authenticate(credentials: Credentials): Promise<DoorAnswer> | DoorAnswer;
  /**
   * Ends a token where it was made: asked is the one who let it in, also where for too little, and nobody else, for
   * whom it would be a stranger's token, good elsewhere.
   * @param answer what `authenticate` said to this bearer
   * @returns false when it cannot be ended
   * @throws AppError `unreachable`, `store_unavailable`
   */
  revoke(bearer: string, answer: DoorAnswer): Promise<boolean>;
  /** From now on these are on, and no others; who came in by one that is off has no standing any more. */
  replace(authenticators: readonly Authenticator[]): void;
}

/**
 * Makes the door of the authenticators that are on. They are asked in a fixed order, whatever order they
 * come in, what is decided here before those who ask a remote server: `absent` and `not-mine` go on to the next,
 * `rejected` and `insufficient` end it, `unavailable` is the answer when no later one accepts.
 * @param now milliseconds since the epoch
 * @throws AppError `config_invalid` for an empty list, and for `none` beside another type, which it would switch off;
 *   `replace` does too
 */
export function createDoor(first: readonly Authenticator[], now: () => number): Door {
  let authenticators = inOrder(first);
  const listeners: (() => void)[] = [];
  /** Who gave each answer that lets somebody in, of those who can end a token. */
  const givenBy = new WeakMap<DoorAnswer, Authenticator>();
  return {
    get ways() {
      return authenticators.map(({ way }) => way);
    },

    authenticate: (credentials) => askInTurn(authenticators, credentials, givenBy),

    renew(principal) {
      const { method, expiresAtMs } = principal;
      if (expiresAtMs !== undefined && expiresAtMs <= now()) return undefined;
      if (method === "system" || isOwnerByProof(principal)) return principal;
      return authenticators.find(({ way }) => way.type === method)?.renew(principal);
    },
    onChanged: (listener) => void listeners.push(listener),

    async revoke(bearer, answer) {
      return (await givenBy.get(answer)?.revoke?.(bearer)) ?? false;
    },

    replace(next) {
      authenticators = inOrder(next);
      for (const listener of listeners) listener();
    },
  };
}

/** What those said who were asked already and did not decide it. */
interface Undecided {
  unavailable?: DoorAnswer;
  reason?: string;
}

/** Waits only for whoever does not answer at once: most requests show a credential that is decided from memory. */
function askInTurn(
  authenticators: readonly Authenticator[],
  credentials: Credentials,
  givenBy: WeakMap<DoorAnswer, Authenticator>,
  first = 0,
  undecided: Undecided = {},
): Promise<DoorAnswer> | DoorAnswer {
  for (let at = first; at < authenticators.length; at += 1) {
    const authenticator = authenticators[at];
    const answer = authenticator?.authenticate(credentials);
    if (authenticator === undefined || answer === undefined) continue;
    if (answer instanceof Promise) {
      return answer.then(
        (late) =>
          decided(late, authenticator, givenBy, undecided) ??
          askInTurn(authenticators, credentials, givenBy, at + 1, undecided),
      );
    }
    const final = decided(answer, authenticator, givenBy, undecided);
    if (final !== undefined) return final;
  }
  const { unavailable, reason = "The token is not known here" } = undecided;
  if (unavailable !== undefined) return unavailable;
  return credentials.bearer === undefined ? { kind: "absent" } : { kind: "rejected", reason };
}

/** The answer, if it ends the asking; else it is noted, and the next one is asked. */
function decided(
  answer: Authentication,
  authenticator: Authenticator,
  givenBy: WeakMap<DoorAnswer, Authenticator>,
  undecided: Undecided,
): DoorAnswer | undefined {
  switch (answer.kind) {
    case "accepted":
    case "insufficient":
      if (authenticator.revoke !== undefined) givenBy.set(answer, authenticator);
      return answer;
    case "rejected":
      return answer;
    case "unavailable":
      undecided.unavailable ??= answer;
      return undefined;
    case "not-mine":
      if (answer.reason !== undefined) undecided.reason = answer.reason;
      return undefined;
    case "absent":
      return undefined;
  }
}

/** Who showed the local proof: enough to administer, whatever `auth` says (contract §4). */
function isOwnerByProof({ method, isLocalOwner, tokenHash }: Principal): boolean {
  return method === "local" && isLocalOwner && tokenHash === undefined;
}

function inOrder(authenticators: readonly Authenticator[]): readonly Authenticator[] {
  const sorted = authenticators.toSorted((a, b) => placeOf(a) - placeOf(b));
  if (sorted.length === 0) {
    throw new AppError("config_invalid", "auth names no way to sign in");
  }
  if (sorted.length > 1 && sorted.some(({ way }) => way.type === "none")) {
    throw new AppError("config_invalid", 'auth type "none" stands alone or not at all');
  }
  return sorted;
}

function placeOf({ way }: Authenticator): number {
  return authenticationTypes.indexOf(way.type);
}
