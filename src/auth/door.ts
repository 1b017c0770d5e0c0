import { AppError } from "../core/errors.ts";
import type { Principal } from "../core/principal.ts";
import type { Authenticator, Credentials, SignInWay } from "./authenticator.ts";

export type DoorAnswer =
  | { kind: "accepted"; principal: Principal }
  /** Nothing was shown: 401 with a challenge. */
  | { kind: "absent" }
  /** What was shown is not good here: 401. The reason is for people and holds nothing of it. */
  | { kind: "rejected"; reason: string }
  /** Who it is cannot be found out now: 503. */
  | { kind: "unavailable"; reason: string };

/** Everybody who comes in comes in here. */
export interface Door {
  /** The ways that are on, in the order in which they are asked. */
  readonly ways: readonly SignInWay[];
  authenticate(credentials: Credentials): Promise<DoorAnswer>;
}

/** Local answers come first, so that a token minted here is never shown to anybody else. */
const order: readonly SignInWay["type"][] = ["local", "token", "none"];

/**
 * Makes the door of the authenticators that are on. They are asked in a fixed order, whatever order they
 * come in: `absent` and `not-mine` go on to the next, `rejected` ends it, `unavailable` is the answer when
 * no later one accepts.
 * @throws AppError `config_invalid` for an empty list, and for `none` beside another type, which it would switch off
 */
export function createDoor(authenticators: readonly Authenticator[]): Door {
  const sorted = authenticators.toSorted(
    (a, b) => order.indexOf(a.way.type) - order.indexOf(b.way.type),
  );
  if (sorted.length === 0) {
    throw new AppError("config_invalid", "auth names no way to sign in");
  }
  if (sorted.length > 1 && sorted.some(({ way }) => way.type === "none")) {
    throw new AppError("config_invalid", 'auth type "none" stands alone or not at all');
  }
  return {
    ways: sorted.map(({ way }) => way),
    async authenticate(credentials) {
      let unavailable: DoorAnswer | undefined;
      for (const authenticator of sorted) {
        const answer = await authenticator.authenticate(credentials);
        switch (answer.kind) {
          case "accepted":
          case "rejected":
            return answer;
          case "unavailable":
            unavailable ??= answer;
            break;
          case "absent":
          case "not-mine":
            break;
        }
      }
      if (unavailable !== undefined) {
        return unavailable;
      }
      return credentials.bearer === undefined
        ? { kind: "absent" }
        : { kind: "rejected", reason: "The token is not known here" };
    },
  };
}
